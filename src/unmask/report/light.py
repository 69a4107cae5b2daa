"""Dark pictures made brighter for the eye; what judges has seen the file as it is."""

from __future__ import annotations

import math

import cv2
import numpy as np

from unmask.report.cautions import DARK_LEVEL
from unmask.types import Image

_WANTED_LEVEL = 90.0  # mean level that a dark picture is brought to, of 255
_LEAST_EXPONENT = 0.35  # below it there is only noise to be seen


def level_of(rgb: Image) -> float:
    """Mean level of a picture, 0 to 255; of every fourth pixel, which is enough."""
    return float(rgb[::4, ::4].mean())


def is_dark(level: float | None) -> bool:
    """Whether pictures of this mean level are brightened; what is not known is not."""
    return level is not None and level < DARK_LEVEL


def brightened(rgb: Image, level: float) -> Image:
    """The picture, by a curve that leaves black and white where they are; as it is where it is not dark.

    Args:
        rgb: (H, W, 3), uint8.
        level: Mean level of the frame that it is from, 0 to 255.

    >>> brightened(np.full((8, 8, 3), 20, np.uint8), 20.0)[0, 0, 0], is_dark(20.0)
    (np.uint8(90), True)
    """
    if not is_dark(level):
        return rgb
    exponent = math.log(_WANTED_LEVEL / 255) / math.log(max(level, 1.0) / 255)
    curve = 255 * (np.arange(256) / 255) ** max(exponent, _LEAST_EXPONENT)
    return np.asarray(cv2.LUT(rgb, np.rint(curve).astype(np.uint8)), np.uint8)
