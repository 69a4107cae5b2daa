"""From times in a film to places across a chart; long times without somebody may be left out."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from unmask.verdicts import Person, Verdict

WIDTH = 1000.0
"""Of a chart, in its own units."""

_GAP = 14.0  # between two pieces
_MOST_PIECES = 12
_SHOWN_SHARE = 0.5  # of a span that is filled so far, nothing is left out
_JOINED_SECONDS = 1.0  # two appearances less far apart are one piece


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of the chart that time runs through evenly.

    Attributes:
        start: Container time at its left end.
        end: Container time at its right end.
        left: Place of its left end, 0 to `WIDTH`.
        right: Place of its right end.
    """

    start: float
    end: float
    left: float
    right: float


class Scale:
    """Times to places.

    Args:
        spans: Times from and to, in order and apart from each other; one of no length takes a second.

    >>> Scale([(0.0, 10.0)]).x(2.5), Scale([(0.0, 1.0), (100.0, 101.0)]).x(100.0)
    (250.0, 507.0)
    """

    def __init__(self, spans: Sequence[tuple[float, float]]) -> None:
        spans = [(a, b) if b - a > 1e-3 else (a - 0.5, a + 0.5) for a, b in spans]
        total = sum(b - a for a, b in spans)
        room, left = WIDTH - _GAP * (len(spans) - 1), 0.0
        pieces = []
        for start, end in spans:
            right = left + room * (end - start) / total
            pieces.append(Piece(start, end, left, right))
            left = right + _GAP
        self.pieces = tuple(pieces)
        self._starts = [piece.start for piece in pieces]

    @property
    def start(self) -> float:
        """First time."""
        return self.pieces[0].start

    @property
    def end(self) -> float:
        """Last time."""
        return self.pieces[-1].end

    @property
    def seconds(self) -> float:
        """How much time is shown."""
        return sum(piece.end - piece.start for piece in self.pieces)

    def piece_at(self, time: float) -> int:
        """Number of the piece in which a time lies, or of the last one before it."""
        return max(0, bisect_right(self._starts, time + 1e-6) - 1)

    def x(self, time: float) -> float:
        """Place of a time, 0 to `WIDTH`; one that is left out is at the end of the piece before it."""
        piece = self.pieces[self.piece_at(time)]
        share = (time - piece.start) / (piece.end - piece.start)
        return piece.left + (piece.right - piece.left) * min(max(share, 0.0), 1.0)

    @property
    def data(self) -> str:
        """For the script of the page: start, end, left and right of each piece, in shares of the width."""
        ends = ((p.start, p.end, p.left / WIDTH, p.right / WIDTH) for p in self.pieces)
        return ";".join(
            ",".join(f"{value:.5g}" if i > 1 else f"{value:.3f}" for i, value in enumerate(one))
            for one in ends
        )


def of_film(verdict: Verdict) -> Scale:
    """All of the film."""
    return Scale([(verdict.start_seconds, verdict.end_seconds)])


def of_person(person: Person) -> Scale:
    """From when to when somebody is seen; with long gaps, only the parts in which."""
    times = [frame.time_seconds for frame in person.frames]
    whole = (times[0], times[-1])
    spans: list[tuple[float, float]] = []
    for one in sorted(person.appearances, key=lambda one: one.start_seconds):
        if spans and one.start_seconds - spans[-1][1] <= _JOINED_SECONDS:
            spans[-1] = (spans[-1][0], max(spans[-1][1], one.end_seconds))
        else:
            spans.append((one.start_seconds, one.end_seconds))
    shown = sum(end - start for start, end in spans)
    if not 1 < len(spans) <= _MOST_PIECES or shown > _SHOWN_SHARE * (whole[1] - whole[0]):
        return Scale([whole])
    return Scale(spans)
