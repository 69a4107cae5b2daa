"""Light: how dark a picture is, and a lightened copy in which faces can be found."""

from __future__ import annotations

import cv2
import numpy as np

from unmask.types import Clip, Image

_GRID_PX = 4  # every fourth pixel tells brightness well enough
_BRIGHT, _WHITE_SHARE = 235.0, 99.0  # this percentile is brought to this level
_BLUR_PX = 1.0  # half of the sensor's noise goes, little of a face
_MOST_GAIN = 24.0  # beyond it is only noise to be lifted
_BLACK = 1.0  # mean level below which there is nothing to see, as in a fade
_NIGHT = 12.0  # mean level below which faces begin to be missed in lightened copies too
_THUMB_PX = 64


def brightness(image: Image) -> float:
    """Mean level of a picture, 0 (black) to 255.

    Args:
        image: RGB, (H, W, 3), uint8.

    >>> brightness(np.full((20, 30, 3), 12, np.uint8))
    12.0
    """
    return float(image[::_GRID_PX, ::_GRID_PX].mean())


def is_dark(image: Image, *, below: float) -> bool:
    """Whether a picture is dark and still holds something that can be lightened.

    Args:
        image: RGB, (H, W, 3), uint8.
        below: Mean level, 0 to 255, from which on it is not dark.
    """
    return _BLACK <= brightness(image) < below


def lighten(image: Image) -> Image:
    """A lightened copy of a dark picture, for detection alone: crops are cut from the original.

    A slight blur takes noise away, then the brightest hundredth is brought near white. ``docs/lab/faces.md``
    tells what else was tried.

    Args:
        image: RGB, (H, W, 3), uint8.

    Returns:
        The same shape, its own memory.

    >>> image = np.full((20, 30, 3), 12, np.uint8)
    >>> brightness(lighten(image)) > 200
    True
    """
    soft = cv2.GaussianBlur(image, (0, 0), _BLUR_PX)
    high = float(np.percentile(soft[::_GRID_PX, ::_GRID_PX].max(axis=2), _WHITE_SHARE))
    gain = min(max(_BRIGHT / max(high, 1.0), 1.0), _MOST_GAIN)
    light: Image = cv2.convertScaleAbs(soft, alpha=gain)  # type: ignore[assignment]
    return light


def is_night(clip: Clip) -> bool:
    """Whether most frames of a clip are so dark that faces may be missed, even lightened.

    Args:
        clip: The sampled frames; each is turned into a thumbnail.
    """
    thumbs = (frame.picture.rgb(width=_THUMB_PX, height=_THUMB_PX) for frame in clip.frames)
    levels = [float(thumb.mean()) for thumb in thumbs]
    return bool(levels) and float(np.median(levels)) < _NIGHT
