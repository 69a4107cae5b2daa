"""From trained torch weights to the ONNX file that is shipped."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn

from unmask.errors import ModelError
from unmask.models.frame_net import FrameNet

LARGEST_DIFFERENCE = 1e-3
OPSET = 18


class Judge(nn.Module):
    """A frame net whose only output is the logit."""

    def __init__(self, net: FrameNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, crops: Tensor) -> Tensor:
        """Crops, shape (N, 3, S, S), uint8, to log odds of a fake, shape (N,)."""
        logit: Tensor = self.net(crops).logit
        return logit


def export_onnx(net: FrameNet, file: Path, *, size_px: int) -> float:
    """Write a network as ONNX, input ``crops`` uint8, output ``logit``, and compare both on random crops.

    Args:
        net: Trained weights, left in evaluation mode.
        file: Where to.
        size_px: Side of the crops that the weights are for.

    Returns:
        The largest difference of the logits.

    Raises:
        ModelError: The difference is above 0.001.
    """
    judge = Judge(net).cpu().eval()
    crops = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (3, 3, size_px, size_px), np.uint8))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's exporter warns of its own internals
        torch.onnx.export(
            judge,
            (crops[:2],),
            file,
            input_names=["crops"],
            output_names=["logit"],
            dynamic_axes={"crops": {0: "n"}, "logit": {0: "n"}},
            opset_version=OPSET,
            dynamo=False,
        )
    session = onnxruntime.InferenceSession(file.read_bytes(), providers=["CPUExecutionProvider"])
    found = session.run(None, {"crops": crops.numpy()})[0]
    with torch.inference_mode():
        difference = float(np.abs(found - judge(crops).numpy()).max())
    if difference > LARGEST_DIFFERENCE:
        raise ModelError(f"{file.name} must match torch within {LARGEST_DIFFERENCE}, got {difference:.2g}")
    return difference
