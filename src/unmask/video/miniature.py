"""Pictures made very small, to tell cheaply how much two of them differ."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from av.video.frame import VideoFrame

from unmask.types import Floats

_ROWS, _COLUMNS, _POINTS = 36, 64, 2
_PLANAR = {"yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p"}
_BLUR_PX = 1.0
_NOISE = 64.0  # length of a miniature's luma below which it says nothing: uniform pictures are all alike
_BAR_LEVELS = 2.0  # columns and rows at the rim that vary less are bars, which would make all pictures alike


@dataclass(frozen=True, slots=True, eq=False)
class Miniature:
    """A picture made small.

    Attributes:
        planes: Luma and both colour differences, 0 to 255, shape (3, 36, 64).
        soft: Luma without fine detail, shape (36, 64).
        rows: First and last row that is no bar; all of a picture without contrast.
        columns: The same of columns.
    """

    planes: Floats
    soft: Floats
    rows: tuple[int, int]
    columns: tuple[int, int]

    @classmethod
    def of(cls, frame: VideoFrame) -> Miniature:
        """Of a decoded frame, in whatever format; not turned upright."""
        if frame.format.name in _PLANAR:
            planes = np.stack([_shrink(plane) for plane in frame.planes[:3]])
        else:
            small = frame.reformat(_COLUMNS, _ROWS, format="yuv444p").to_ndarray()
            planes = small.reshape(3, _ROWS, _COLUMNS).astype(np.float32)
        soft = np.asarray(cv2.GaussianBlur(planes[0], (0, 0), _BLUR_PX), np.float32)
        return cls(planes, soft, _inner(planes[0].std(axis=1)), _inner(planes[0].std(axis=0)))


def _inner(contrast: Floats) -> tuple[int, int]:
    """The first and the last row or column that is no bar."""
    (places,) = np.nonzero(contrast > _BAR_LEVELS)
    return (int(places[0]), int(places[-1])) if len(places) else (0, len(contrast) - 1)


def _shrink(plane: object) -> Floats:
    """Four points for each of the miniature's, averaged: much quicker than to look at all pixels."""
    height, width, line = plane.height, plane.width, plane.line_size  # type: ignore[attr-defined]
    pixels = np.frombuffer(plane, np.uint8).reshape(height, line)  # type: ignore[call-overload]
    rows = (np.arange(_ROWS * _POINTS) * height) // (_ROWS * _POINTS)
    columns = (np.arange(_COLUMNS * _POINTS) * width) // (_COLUMNS * _POINTS)
    points = pixels[rows[:, None], columns[None]].astype(np.float32)
    mean: Floats = points.reshape(_ROWS, _POINTS, _COLUMNS, _POINTS).mean(axis=(1, 3))
    return mean


def step_between(first: Miniature, second: Miniature) -> float:
    """How much two pictures differ: 0 for the same, about 5 from frame to frame, above 50 for a cut.

    The lack of correlation in luma, which a change of light does not raise, and the mean change of luma and
    colour, each in points of 255. Bars that both have do not count, nor does a change of all luma alike.
    """
    part = tuple(
        slice(min(a[0], b[0]), max(a[1], b[1]) + 1)
        for a, b in ((first.rows, second.rows), (first.columns, second.columns))
    )
    one, other = (picture.soft[part] - picture.soft[part].mean() for picture in (first, second))
    lengths = (np.linalg.norm(one) + _NOISE) * (np.linalg.norm(other) + _NOISE)
    inside = (slice(None), *part)
    difference = first.planes[inside] - second.planes[inside]
    difference[0] -= difference[0].mean()  # another light on the same scene
    change = float(np.abs(difference).mean(axis=(1, 2)).sum())
    return 40.0 * (1.0 - float((one * other).sum() / lengths)) + change
