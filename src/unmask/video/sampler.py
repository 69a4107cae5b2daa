"""Which frames of a shot to keep, decided while it runs, when nobody knows yet how long it will be."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from unmask.config import DecodeSettings
from unmask.video.sampling import pick_times

STRETCH_SECONDS = 10.0
"""A longer shot is judged in stretches of this length."""
TOO_SHORT_SECONDS = 0.4
"""Shots below are not judged."""
DENSE_SECONDS = 0.5
"""How long after a cut every frame is worth decoding, as the shot may be short."""

_LEAST_FRAMES = 8  # of a shot that has them
_CUT_SHARE = 5 / 6  # of the frames of a stretch, once there was a cut: many shots cost more than one
_MEMORY_SECONDS = 30.0  # over which it is remembered how many frames shots wanted
_PLANNED = 0.9  # share of the frames that are left which is planned with: shots need whole frames
_SHORTEST_REST = STRETCH_SECONDS / 2  # what is left of a shot behind a full stretch joins it below this

T = TypeVar("T")
Held = tuple[float, T]


@dataclass(frozen=True, slots=True)
class Taken(Generic[T]):
    """What was kept of one stretch.

    Attributes:
        frames: Times and frames, rising; none where it is not to be judged.
        opens_shot: Whether the shot begins here.
        start_seconds: Time of its first frame.
        end_seconds: Time of the first frame behind it.
        why_skipped: Why there are no frames, or None.
    """

    frames: tuple[Held[T], ...]
    opens_shot: bool
    start_seconds: float
    end_seconds: float
    why_skipped: str | None = None


@dataclass(slots=True)
class StretchSampler(Generic[T]):
    """Takes frames as they are decoded, gives stretches as they end.

    Of each stretch frames on a grid of time are kept. The beginning of a shot is kept more densely until it
    is clear that the grid will give enough: whenever twice as many as needed have come together, every other
    one goes and from then on only every other one is kept.

    Args:
        settings: How many frames.
        until_seconds: Where the video ends, over which the frames are spread.
        most_held: How many frames fit into memory.
        goes_on: Another sampler took what lies before; the first frame need not open a shot.
    """

    settings: DecodeSettings
    until_seconds: float
    most_held: int
    goes_on: bool = False
    dense_until_seconds: float = 0.0
    _left: int = field(init=False)
    _rate: float = 0.0  # frames a second that shots lately wanted
    _cut: bool = False
    _open: _Open[T] | None = None
    _full: Taken[T] | None = None

    def __post_init__(self) -> None:
        self._left = self.settings.max_frames

    @property
    def held(self) -> int:
        """How many frames may be in memory at a time."""
        return 2 * self._frames_of_stretch() + 2 * _LEAST_FRAMES

    def add(
        self, time_seconds: float, frame: T, *, opens: bool, mixed_since: float | None = None
    ) -> list[Taken[T]]:
        """Take a frame, the next in order of time; gives the stretches that it ends or makes sure of.

        Args:
            time_seconds: Of the frame.
            frame: Anything.
            opens: Whether a shot begins with it.
            mixed_since: From then on frames showed two shots at once, and are not kept.
        """
        if self._open is not None and mixed_since is not None:
            self._open.drop(mixed_since)
        given: list[Taken[T]] = []
        if self._open is None or opens:
            self._cut = self._open is not None
            given += self._end_shot(time_seconds)
            self._begin(time_seconds, opens=opens)
        elif time_seconds >= self._open.start_seconds + STRETCH_SECONDS:
            given += [] if self._full is None else [self._full]
            self._full = self._close(self._open, time_seconds)
            self._begin(time_seconds, opens=False)
        if self._open is not None:
            self._open.add(time_seconds, frame)
            if self._full is not None and time_seconds >= self._open.start_seconds + _SHORTEST_REST:
                given.append(self._full)
                self._full = None
        return given

    def finish(self, end_seconds: float) -> list[Taken[T]]:
        """End the last shot."""
        return self._end_shot(end_seconds)

    def _begin(self, start_seconds: float, *, opens: bool) -> None:
        steady = not opens and (self._open is not None or self.goes_on)
        count = self._frames_of_stretch(steady=steady)
        rate = max(self._rate, count / STRETCH_SECONDS)
        expected = rate * max(STRETCH_SECONDS, self.until_seconds - start_seconds)
        share = min(1.0, _PLANNED * max(0, self._left) / expected)
        least = 1 if steady else max(1, int(share * _LEAST_FRAMES))
        step = STRETCH_SECONDS / (count * share) if share else float("inf")
        self._open = _Open(start_seconds, opens, step, least)
        if opens:
            self.dense_until_seconds = start_seconds + DENSE_SECONDS

    def _learn(self, one: _Open[T], seconds: float) -> None:
        """Many short shots want more frames a second than a long one; expect more of what was lately."""
        wanted = self._frames_of_stretch(steady=not one.opens) * seconds / STRETCH_SECONDS
        if one.opens and seconds >= TOO_SHORT_SECONDS:
            wanted = max(wanted, _LEAST_FRAMES)
        kept = math.exp(-seconds / _MEMORY_SECONDS)
        self._rate = kept * self._rate + (1 - kept) * wanted / max(seconds, 1e-3)

    def _frames_of_stretch(self, *, steady: bool = False) -> int:
        """How many frames are kept of a full stretch."""
        count = min(self.settings.frames, max(2, self.most_held // 3))
        count = math.ceil(_CUT_SHARE * count) if self._cut else count
        return min(count, self.settings.steady_frames) if steady else count

    def _end_shot(self, end_seconds: float) -> list[Taken[T]]:
        if self._open is None:
            return []
        last, full = self._close(self._open, end_seconds), self._full
        self._open, self._full = None, None
        if full is None:
            return [last]
        if last.end_seconds - last.start_seconds >= _SHORTEST_REST:
            return [full, last]
        frames = full.frames + last.frames
        return [Taken(frames, full.opens_shot, full.start_seconds, end_seconds, full.why_skipped)]

    def _close(self, one: _Open[T], end_seconds: float) -> Taken[T]:
        why = None
        frames = one.chosen()
        if one.opens and end_seconds - one.start_seconds < TOO_SHORT_SECONDS:
            frames, why = (), "too short to judge"
        elif self._left <= 0:
            frames, why = (), "the limit of frames is reached (max_frames)"
        elif not frames:
            why = "only a dissolve"
        self._left -= len(frames)
        self._learn(one, end_seconds - one.start_seconds)
        return Taken(frames, one.opens, one.start_seconds, end_seconds, why)


@dataclass(slots=True)
class _Open(Generic[T]):
    """A stretch that is still running: frames on a grid, and at the beginning of a shot more of them."""

    start_seconds: float
    opens: bool
    step_seconds: float
    least: int
    grid: list[Held[T]] = field(default_factory=list)
    dense: list[Held[T]] = field(default_factory=list)
    _stride: int = 1
    _came: int = 0

    def add(self, time_seconds: float, frame: T) -> None:
        if time_seconds >= self.start_seconds + (len(self.grid) + 0.5) * self.step_seconds:
            self.grid.append((time_seconds, frame))
        if len(self.grid) >= self.least:
            self.dense.clear()
            return
        if self._came % self._stride == 0:
            self.dense.append((time_seconds, frame))
        self._came += 1
        if len(self.dense) > 2 * self.least:
            self.dense = self.dense[::2]
            self._stride *= 2

    def drop(self, since_seconds: float) -> None:
        self.grid = [held for held in self.grid if held[0] < since_seconds]
        self.dense = [held for held in self.dense if held[0] < since_seconds]

    def chosen(self) -> tuple[Held[T], ...]:
        if len(self.grid) >= min(self.least, max(1, len(self.dense))):
            return tuple(self.grid)
        return tuple(_spread(self.dense, self.least))


def _spread(frames: Sequence[Held[T]], count: int) -> list[Held[T]]:
    """So many of them, evenly spread in time, or all."""
    by_time = {round(seconds * 1e6): (seconds, frame) for seconds, frame in frames}
    return [by_time[time] for time in pick_times(sorted(by_time), count)]
