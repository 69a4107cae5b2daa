"""Which frames to take, and which packets that needs: pure functions over a clip's packet list."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


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
