"""Where one shot of a video ends and the next begins: frames in, the same frames with their cuts out.

Frames are compared as miniatures of 64 x 36 points. A cut is a step that is large, much larger than those
around it, and lasting: the light of a flash, or one broken picture, goes back to what was there before.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import cv2
import numpy as np
from av.video.frame import VideoFrame

from unmask.types import Floats

_ROWS, _COLUMNS, _POINTS = 36, 64, 2
_PLANAR = {"yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p"}
_BLUR_PX = 1.0
_NOISE = 64.0  # length of a miniature's luma below which it says nothing: uniform pictures are all alike
_BAR_LEVELS = 2.0  # columns and rows at the rim that vary less are bars, which would make all pictures alike

# Steps within 176 clips: 17 at the 99th percentile, 31 at the 99.9th; between two of them: 54 at the 1st.
_CUTS = ((55.0, 2.5), (30.0, 6.0))
"""A cut is larger than the first, and so many times as large as is usual around it."""
_BEFORE, _AFTER = 5, 2
_SAME_STEP = 25.0

T = TypeVar("T")


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


@dataclass(slots=True)
class _Seen(Generic[T]):
    time: int
    frame: T
    small: Miniature
    step: float


def mark_cuts(frames: Iterable[tuple[int, VideoFrame]]) -> Iterator[tuple[int, VideoFrame, bool]]:
    """Tell of each frame whether a shot begins with it.

    Args:
        frames: With their times, in order; not all need to be given. Each is held back until two more came.

    Yields:
        Time, frame, and whether there is a cut right before it; never before the first.
    """
    seen: deque[_Seen[VideoFrame]] = deque(maxlen=_BEFORE + 1 + _AFTER)
    waiting = 0
    for time, frame in frames:
        small = Miniature.of(frame)
        seen.append(_Seen(time, frame, small, step_between(seen[-1].small, small) if seen else 0.0))
        waiting += 1
        if waiting > _AFTER:
            waiting -= 1
            yield _marked(seen, len(seen) - 1 - _AFTER)
    for place in range(len(seen) - waiting, len(seen)):
        yield _marked(seen, place)


def _marked(seen: Sequence[_Seen[VideoFrame]], place: int) -> tuple[int, VideoFrame, bool]:
    now = seen[place]
    return now.time, now.frame, now.step > _CUTS[-1][0] and _is_cut(seen, place)


def _is_cut(seen: Sequence[_Seen[VideoFrame]], place: int) -> bool:
    step = seen[place].step
    around = [one.step for one in seen if one is not seen[place] and one.step > 0]
    usual = float(np.median(around)) if around else 0.0
    if not any(step > least and step > times * usual for least, times in _CUTS):
        return False
    before = [seen[i].small for i in range(max(0, place - 3), place)]
    after = [one.small for one in (seen[i] for i in range(place, min(len(seen), place + 3)))]
    return all(step_between(old, new) > _SAME_STEP for old in before for new in after)
