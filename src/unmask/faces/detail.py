"""How much detail a face really has, whatever the number of its pixels.

A face of 32 pixels that was enlarged to 128 has 128 pixels and the detail of 32. Networks that look for
traces of manipulation then meet what enlarging and compressing leave, and call it manipulation.
"""

from __future__ import annotations

import cv2
import numpy as np

from unmask.types import Image

_SHARE = 0.85  # of the gradients' energy that counts as detail; the rest is noise and the edges of blocks
_FULL = 0.78  # how far that reaches in sharp faces, as a share of what the pixels could hold
_BINS = 64
_MOST_PX = 256  # larger faces are shrunk to this first; they have enough


def measure_detail(face: Image) -> float:
    """The side in pixels to which a face could be shrunk without losing detail.

    The energy of the picture's gradients is summed up from coarse to fine; where it reaches `_SHARE` of all
    is the finest detail. In natural pictures each octave holds about as much of it, so it reaches nearly to
    the end; in enlarged, smoothed or strongly compressed ones it ends early.

    Args:
        face: RGB, shape (H, W, 3), uint8, at its own size.

    Returns:
        Pixels, at most the shorter side or `_MOST_PX`; 0 where the picture is of one colour.

    Example:
        >>> sharp = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
        >>> blown_up = np.asarray(cv2.resize(sharp, (256, 256), interpolation=cv2.INTER_CUBIC), np.uint8)
        >>> measure_detail(sharp), round(measure_detail(blown_up))
        (64.0, 103)
    """
    side = min(face.shape[:2])
    gray = cv2.cvtColor(face[:side, :side], cv2.COLOR_RGB2GRAY)
    if side > _MOST_PX:
        gray = cv2.resize(gray, (_MOST_PX, _MOST_PX), interpolation=cv2.INTER_AREA)
    size = len(gray)
    window = np.hanning(size + 2)[1:-1]
    flat = gray - np.float64(gray.mean())
    power = np.abs(np.fft.rfft2(flat * np.outer(window, window))) ** 2
    frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None])
    inside = (frequency > 0) & (frequency <= 0.5)
    places = np.minimum((2 * _BINS * frequency[inside]).astype(int), _BINS - 1)
    energy = np.bincount(places, weights=(power * frequency**2)[inside], minlength=_BINS)
    if not energy.sum() > 0:
        return 0.0
    reached = int(np.searchsorted(np.cumsum(energy), _SHARE * energy.sum())) + 1
    return size * min(1.0, reached / _BINS / _FULL)
