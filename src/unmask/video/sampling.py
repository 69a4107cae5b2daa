"""Which frames to take, of a clip or of a shot while it runs, and which packets that needs.

`pick_times` and `plan_packets` look at a list of all packets. `StretchSampler` decides while a shot runs,
when nobody knows yet how long it will be. Nothing here touches a file.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from unmask.config import DecodeSettings
from unmask.reasons import Reason, because

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


def pick_times(times: Sequence[int], count: int, *, end: int | None = None) -> list[int]:
    """Choose frames evenly spread over a clip by presentation time.

    The clip, from its first frame to the end of its last, is cut into ``count`` equal parts; from each part
    comes the frame on the screen at its middle. A frame that stands so long that it would come twice comes
    once, and unseen frames, evenly spread over the rest, take the places that this frees.

    Args:
        times: Presentation time of every frame in any unit, rising, no two the same.
        count: Frames wanted, 1 or more.
        end: When the last frame leaves the screen; by default it stands as long as the one before it.

    Returns:
        Rising times out of ``times``: ``count`` of them, or all when there are no more.

    Example:
        >>> pick_times([0, 10, 20, 30, 40, 50], 3)
        [10, 30, 50]
        >>> pick_times([0, 1, 2, 3, 100], 3, end=120)
        [1, 3, 100]
    """
    if len(times) <= count:
        return list(times)
    if end is None:
        end = times[-1] + (times[-1] - times[-2])
    span = max(end - times[0], 1)
    picked = set()
    for part in range(count):
        # Twice the time keeps the middle of a part exact in integers of any size.
        middle = times[0] + ((2 * part + 1) * span) // (2 * count)
        picked.add(bisect.bisect_right(times, middle) - 1)
    if len(picked) < count:
        rest = [index for index in range(len(times)) if index not in picked]
        missing = count - len(picked)
        picked.update(rest[((2 * k + 1) * len(rest)) // (2 * missing)] for k in range(missing))
    return [times[index] for index in sorted(picked)]


def pick_shown(frames: Iterable[tuple[int, T]], wanted: Sequence[int]) -> list[tuple[int, T]]:
    """For each wanted time take the frame on the screen then, or the first one for times before it.

    Args:
        frames: Times and frames in order of presentation; consumed no further than needed.
        wanted: Rising times.

    Returns:
        Times and frames, rising, each frame once.

    Example:
        >>> pick_shown([(0, "a"), (10, "b"), (30, "d")], [10, 20, 30])
        [(10, 'b'), (30, 'd')]
    """
    picked: dict[int, T] = {}
    current: tuple[int, T] | None = None
    place = 0
    for time, frame in frames:
        while place < len(wanted) and time >= wanted[place]:
            exact = current is None or time == wanted[place]
            chosen = (time, frame) if exact or current is None else current
            picked.setdefault(*chosen)
            place += 1
        current = (time, frame)
        if place == len(wanted):
            break
    if place < len(wanted) and current is not None:
        picked.setdefault(*current)
    return sorted(picked.items(), key=lambda item: item[0])


@dataclass(frozen=True, slots=True)
class PacketFacts:
    """What planning needs to know of one packet.

    Attributes:
        time: Presentation time in ticks of the stream.
        unreferenced: No other frame is predicted from it, so that it can be left out.
        restart: Decoding can begin here and gives the same pixels from here on.
        leading: Follows a restart but is shown before it, and may refer to frames before it.
    """

    time: int
    unreferenced: bool = False
    restart: bool = False
    leading: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """Which packets to decode.

    Attributes:
        send: For each packet, in order of the file, whether the decoder gets it.
        restarts: Packets before which the decoder is emptied and reset, because some were jumped over.
    """

    send: bytes
    restarts: frozenset[int]


def plan_packets(packets: Sequence[PacketFacts], wanted: Sequence[int]) -> Plan:
    """Choose the packets that the wanted frames need, and no others where that is safe.

    Args:
        packets: In order of decoding.
        wanted: Presentation times of the frames to be kept.

    Returns:
        A plan under which the wanted frames come out bit for bit as if everything had been decoded.

    Example:
        >>> gop = [PacketFacts(0, restart=True), PacketFacts(2), PacketFacts(1, unreferenced=True)]
        >>> list(plan_packets(gop, [2]).send)
        [1, 1, 0]
    """
    targets = set(wanted)
    is_wanted = [packet.time in targets for packet in packets]
    starts = [0] + [index for index, packet in enumerate(packets) if packet.restart and index > 0]
    ends = [*starts[1:], len(packets)]
    segments = [range(start, end) for start, end in zip(starts, ends, strict=True)]
    needed = [any(is_wanted[index] for index in segment) for segment in segments]
    whole = [any(is_wanted[index] and packets[index].leading for index in segment) for segment in segments]
    for number in range(len(segments) - 1, 0, -1):
        if needed[number] and whole[number]:
            needed[number - 1] = True
            # A leading frame refers back to the segment before, but past that one's own leading frames
            # only if no trailing frame, which ends their use, stands between.
            if all(packets[index].leading or packets[index].restart for index in segments[number - 1]):
                whole[number - 1] = True
    send = bytearray(len(packets))
    restarts = set()
    for number, segment in enumerate(segments):
        if not needed[number]:
            continue
        jumped = number > 0 and not needed[number - 1]
        if jumped:
            restarts.add(segment.start)
        for index in segment:
            lost = jumped and packets[index].leading
            send[index] = not lost and (is_wanted[index] or not packets[index].unreferenced)
    last = max((index for index, hit in enumerate(is_wanted) if hit), default=-1)
    for index in range(last + 1, len(send)):
        send[index] = 0  # No frame refers to one that is decoded after it.
    return Plan(bytes(send), frozenset(restarts))


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
    why_skipped: Reason | None = None


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
        why: Reason | None = None
        frames = one.chosen()
        if one.opens and end_seconds - one.start_seconds < TOO_SHORT_SECONDS:
            frames, why = (), because("too_short")
        elif self._left <= 0:
            frames, why = (), because("frame_limit")
        elif not frames:
            why = because("only_dissolve")
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
