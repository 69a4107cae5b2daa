"""Where one scene ends and another begins, by how much pictures resemble each other."""

from __future__ import annotations

import cv2
import numpy as np

from unmask.types import Clip, Floats, Image

_SMALL_PX, _BLUR_PX = 32, 1.5
_THUMB_PX = 64
_CUT = 0.3
"""Resemblance of two sampled frames below which the scene changed between them: of 1,476 steps in 51 real
clips the three cuts were at 0.02 and below, all others at 0.57 and above."""


class Scenes:
    """Tells whether two frames of a clip are of one scene.

    Args:
        clip: Its frames are turned into thumbnails as they are asked for.
    """

    def __init__(self, clip: Clip) -> None:
        self._clip = clip
        self._thumbs: dict[int, Image] = {}

    def changed(self, first: int, second: int) -> bool:
        """Whether there is a cut somewhere between two frames of the clip, given by their numbers."""
        return resemblance(self._thumb(first), self._thumb(second)) < _CUT

    def _thumb(self, index: int) -> Image:
        if index not in self._thumbs:
            picture = self._clip.frames[index].picture.rgb(width=_THUMB_PX, height=_THUMB_PX)
            self._thumbs[index] = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)
        return self._thumbs[index]


def resemblance(first: Image, second: Image) -> float:
    """Correlation of two grey pictures without detail, -1 to 1; pictures of one colour resemble all others.

    Args:
        first: Shape (H, W), uint8.
        second: Of any size, uint8.

    >>> ramp = np.tile(np.arange(64, dtype=np.uint8), (64, 1))
    >>> round(resemblance(ramp, ramp), 2), round(resemblance(ramp, ramp[:, ::-1]), 2)
    (1.0, -1.0)
    """
    a, b = _soft(first), _soft(second)
    length = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float((a * b).sum()) / length if length > 1e-3 else 1.0


def _soft(image: Image) -> Floats:
    small = cv2.resize(image, (_SMALL_PX, _SMALL_PX), interpolation=cv2.INTER_AREA).astype(np.float32)
    soft = cv2.GaussianBlur(small, (0, 0), _BLUR_PX)
    centred: Floats = soft - soft.mean()
    return centred
