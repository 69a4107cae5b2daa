"""What of a crop a network sees: the picture itself, or only its fine detail."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.nn import functional as F

from unmask.errors import ModelError
from unmask.lab.models.backbone import MEAN, STD

COARSE_PX = 4  # light and shade are found on a picture smaller by this
FLAT_LEVELS = 10.0  # grey levels of contrast below which detail is no longer enlarged


def normalise(pixels: Tensor) -> Tensor:
    """Shape (N, 3, S, S), 0 to 255, to about -1 to 1."""
    return (pixels - MEAN) / STD


def keep_detail(pixels: Tensor) -> Tensor:
    """What is finer than light and shade, divided by how strong it is nearby.

    Light, make-up and the colours of a scene are taken away, which otherwise decide much of what a network
    says of a real face; pores, noise, edges and seams are left.

    Args:
        pixels: Shape (N, 3, S, S), 0 to 255.
    """
    detail = pixels - _smooth(pixels)
    contrast = _smooth(detail.square().mean(1, keepdim=True)).sqrt()
    return detail / (contrast + FLAT_LEVELS)


def _smooth(x: Tensor) -> Tensor:
    """About a Gaussian of 5 px; borders average what is there."""
    small = F.avg_pool2d(x, COARSE_PX)
    for _ in range(2):
        small = F.avg_pool2d(small, 3, stride=1, padding=1, count_include_pad=False)
    return F.interpolate(small, scale_factor=COARSE_PX, mode="bilinear", align_corners=False)


INPUTS: dict[str, Callable[[Tensor], Tensor]] = {"colour": normalise, "detail": keep_detail}


def find_input(name: str) -> Callable[[Tensor], Tensor]:
    """An entry of `INPUTS`.

    Raises:
        ModelError: The name is unknown.
    """
    if name not in INPUTS:
        raise ModelError(f"unknown input {name!r}; choose from: {', '.join(INPUTS)}")
    return INPUTS[name]
