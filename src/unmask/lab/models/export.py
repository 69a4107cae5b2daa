"""From trained torch weights to the ONNX file that is shipped."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from unmask.errors import ModelError
from unmask.lab.models.clip_net import ClipNet
from unmask.lab.models.ensemble import Ensemble
from unmask.lab.models.frame_net import FrameNet

LARGEST_DIFFERENCE = 1e-3
OPSET = 18


class Judge(nn.Module):
    """A network whose only output is a logit for each frame.

    Args:
        net: Judges single frames, or the frames of a clip together.
    """

    def __init__(self, net: FrameNet | ClipNet | Ensemble) -> None:
        super().__init__()
        self.net = net

    def forward(self, crops: Tensor) -> Tensor:
        """Crops, uint8, to log odds of a fake.

        Args:
            crops: Shape (N, 3, S, S) to (N,), or for a clip net (N, T, 3, S, S) to (N, T).
        """
        output = self.net(crops)
        logit: Tensor = output.frame_logits if isinstance(self.net, ClipNet) else output.logit
        return logit


def export_onnx(net: FrameNet | ClipNet | Ensemble, file: Path, *, size_px: int) -> float:
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
    shape = (3, 5, 3, size_px, size_px) if isinstance(net, ClipNet) else (3, 3, size_px, size_px)
    return export_judge(Judge(net), file, crops=np.random.default_rng(0).integers(0, 256, shape, np.uint8))


def export_judge(
    judge: nn.Module, file: Path, *, crops: NDArray[np.uint8], outputs: Sequence[str] = ("logit",)
) -> float:
    """The same for any module from crops, uint8, to logits, or to several outputs of the logits' shape.

    Args:
        judge: Shape (N, 3, S, S) to (N,), or for clips (N, T, 3, S, S) to (N, T); left in evaluation mode.
        file: Where to.
        crops: What both are compared on, with two crops or more, and three frames or more.
        outputs: What the file calls them.

    Returns:
        The largest difference of the logits.

    Raises:
        ModelError: The difference is above 0.001.
    """
    judge = judge.cpu().eval()
    given = torch.from_numpy(crops)
    names = {0: "n", 1: "t"} if crops.ndim == 5 else {0: "n"}
    # Fewer crops and frames than are compared, so that a size that was baked in shows.
    example = given[:-1, :3] if crops.ndim == 5 else given[:-1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's exporter warns of its own internals
        torch.onnx.export(
            judge,
            (example,),
            file,
            input_names=["crops"],
            output_names=list(outputs),
            dynamic_axes=dict.fromkeys(("crops", *outputs), names),
            opset_version=OPSET,
            dynamo=False,
        )
    with torch.inference_mode():
        expected = judge(given)
    both = zip(_run(file, crops), [expected] if isinstance(expected, Tensor) else expected, strict=True)
    difference = max(float(np.abs(found - wanted.numpy()).max()) for found, wanted in both)
    if not difference <= LARGEST_DIFFERENCE:
        raise ModelError(f"ONNX must match torch within {LARGEST_DIFFERENCE}, got {difference:.2g}")
    return difference


def run_onnx(file: Path, crops: NDArray[np.uint8]) -> NDArray[np.floating]:
    """The logits that an exported network gives."""
    return _run(file, crops)[0]


def _run(file: Path, crops: NDArray[np.uint8]) -> list[NDArray[np.floating]]:
    session = onnxruntime.InferenceSession(file.read_bytes(), providers=["CPUExecutionProvider"])
    return [np.asarray(one) for one in session.run(None, {"crops": crops})]
