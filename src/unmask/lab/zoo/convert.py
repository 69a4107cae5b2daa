"""From a published network in torch to ONNX that takes crops as they are cut."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from unmask.lab.models.export import export_judge
from unmask.lab.zoo.entry import Entry


class Published(nn.Module):
    """A network with its normalisation in front.

    Args:
        net: Normalised images to log odds of a fake.
        mean: Of RGB, in levels.
        std: The same.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self, net: nn.Module, *, mean: tuple[float, float, float], std: tuple[float, float, float]
    ) -> None:
        super().__init__()
        self.net = net
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1))

    def forward(self, crops: Tensor) -> Tensor:
        """Crops, uint8, shape (N, 3, S, S), to log odds of a fake, shape (N,)."""
        logit: Tensor = self.net((crops.float() - self.mean) / self.std)
        return logit


def write_onnx(
    entry: Entry, files: dict[str, Path], weights: Path, *, crops: NDArray[np.uint8]
) -> tuple[list[float], float]:
    """Build an entry's network from its files and write it as ONNX.

    Args:
        entry: Of the table.
        files: What was downloaded, by name.
        weights: Where to.
        crops: What ONNX and torch are compared on, shape (N, 3, S, S).

    Returns:
        What torch says of the crops, and the largest difference to ONNX.

    Raises:
        ModelError: A file is not of the published layout, or the difference is above 0.001.
    """
    judge = Published(entry.build(files), mean=entry.mean, std=entry.std).eval()
    difference = export_judge(judge, weights, crops=crops)
    with torch.inference_mode():
        logits: list[float] = judge(torch.from_numpy(crops)).tolist()
    return logits, difference
