"""Where one shot of a video ends and the next begins: frames in, the same frames with their cuts out.

Frames are compared as miniatures of 64 x 36 points. A cut is a step that is large, much larger than those
around it, and lasting: the light of a flash, or one broken picture, goes back to what was there before.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

import numpy as np
from av.video.frame import VideoFrame

from unmask.video.dissolves import DissolveFinder
from unmask.video.miniature import Miniature, step_between

# Steps within 176 clips: 17 at the 99th percentile, 31 at the 99.9th; between two of them: 54 at the 1st.
_CUTS = ((55.0, 2.5), (30.0, 6.0))
"""A cut is larger than the first, and so many times as large as is usual around it."""
_BEFORE, _AFTER = 5, 2
_SAME_STEP = 25.0

T = TypeVar("T")


class Marked(NamedTuple, Generic[T]):
    """A frame, and whether a shot begins with it.

    Attributes:
        time: In ticks of the stream.
        frame: As it was given.
        opens: Whether there is a cut right before it, or a dissolve has just ended.
        mixed_since: From this time on, in seconds, frames belong to the dissolve; None for a cut.
    """

    time: int
    frame: T
    opens: bool
    mixed_since: float | None = None


@dataclass(slots=True)
class _Seen(Generic[T]):
    time: int
    frame: T
    small: Miniature
    step: float


def mark_cuts(
    frames: Iterable[tuple[int, VideoFrame]], *, tick_seconds: float
) -> Iterator[Marked[VideoFrame]]:
    """Tell of each frame whether a shot begins with it.

    Args:
        frames: With their times, in order; not all need to be given. Each is held back until two more came.
        tick_seconds: Seconds of a tick of these times.

    Yields:
        The frames; no shot begins with the first.
    """
    seen: deque[_Seen[VideoFrame]] = deque(maxlen=_BEFORE + 1 + _AFTER)
    finder = DissolveFinder()
    waiting = 0
    for time, frame in frames:
        small = Miniature.of(frame)
        seen.append(_Seen(time, frame, small, step_between(seen[-1].small, small) if seen else 0.0))
        waiting += 1
        if waiting > _AFTER:
            waiting -= 1
            yield _marked(seen, len(seen) - 1 - _AFTER, finder, tick_seconds)
    for place in range(len(seen) - waiting, len(seen)):
        yield _marked(seen, place, finder, tick_seconds)


def _marked(
    seen: Sequence[_Seen[VideoFrame]], place: int, finder: DissolveFinder, tick_seconds: float
) -> Marked[VideoFrame]:
    now = seen[place]
    if now.step > _CUTS[-1][0] and _is_cut(seen, place):
        finder.restart()
        return Marked(now.time, now.frame, True)
    since = finder.add(now.time * tick_seconds, now.small)
    return Marked(now.time, now.frame, since is not None, since)


def _is_cut(seen: Sequence[_Seen[VideoFrame]], place: int) -> bool:
    step = seen[place].step
    around = [one.step for one in seen if one is not seen[place] and one.step > 0]
    usual = float(np.median(around)) if around else 0.0
    if not any(step > least and step > times * usual for least, times in _CUTS):
        return False
    before = [seen[i].small for i in range(max(0, place - 3), place)]
    after = [one.small for one in (seen[i] for i in range(place, min(len(seen), place + 3)))]
    return all(step_between(old, new) > _SAME_STEP for old in before for new in after)
