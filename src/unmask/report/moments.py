"""The film as a row of moments with their most suspicious faces, and frames that stand for its parts."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby, pairwise
from statistics import fmean

from unmask.report.standing import judged_people
from unmask.verdicts import Appearance, Person, PersonFrame, Segment, Verdict

FACES = 8
"""Faces along a film, one for each part of it."""

ONE_SHOT_FACES = 3
"""People of a single shot who have a picture each instead."""

STRETCHES = 12
"""Suspicious stretches that are shown with a frame each."""

BINS = 400
"""Moments of a film: as many as can be told apart across a page."""


@dataclass(frozen=True, slots=True)
class Moment:
    """The most suspicious face in a short part of a film.

    Attributes:
        start_seconds: Where it begins, container time.
        end_seconds: Where it ends.
        person: Whose face; None where nobody is judged.
        p_fake: Of the look at it; 0 without anybody.
    """

    start_seconds: float
    end_seconds: float
    person: int | None = None
    p_fake: float = 0.0


@dataclass(frozen=True, slots=True)
class Spot:
    """A frame that stands for a part of a film.

    Attributes:
        person: Who is seen in it.
        p_fake: Of the look that it is from, not of the frame alone.
        frame: Where and when.
    """

    person: int
    p_fake: float
    frame: PersonFrame


def moments(verdict: Verdict, *, count: int = BINS) -> list[Moment]:
    """Equal parts of the film, each with who looks most suspicious in it.

    Where somebody is not clearly real, the look itself says how suspicious; elsewhere the mean over the shot.
    """
    start, end = verdict.start_seconds, verdict.end_seconds
    step = (end - start) / count
    if step <= 0:
        return []
    found = [Moment(start + i * step, start + (i + 1) * step) for i in range(count)]
    for person, first, last, p_fake in _looks(verdict):
        low = max(0, min(count - 1, int((first - start) / step)))
        high = max(low, min(count - 1, int((last - start) / step - 1e-9)))
        for i in range(low, high + 1):
            if found[i].person is None or p_fake > found[i].p_fake:
                found[i] = Moment(found[i].start_seconds, found[i].end_seconds, person, p_fake)
    return found


def _looks(verdict: Verdict) -> Iterator[tuple[int, float, float, float]]:
    """Who was looked at from when to when, with what result."""
    suspected: dict[tuple[int, int], list[Segment]] = {}
    for segment in verdict.segments:
        suspected.setdefault((segment.person, segment.shot), []).append(segment)
        yield segment.person, segment.start_seconds, segment.end_seconds, segment.p_fake
    for person in verdict.people:
        for one in person.appearances:
            if one.p_fake is None:
                continue
            segments = suspected.get((person.id, one.shot))
            if segments is None:
                yield person.id, one.start_seconds, one.end_seconds, one.p_fake
            else:
                yield from _calm_parts(person, one, segments)


def _calm_parts(
    person: Person, shown: Appearance, segments: Sequence[Segment]
) -> Iterator[tuple[int, float, float, float]]:
    """What lies between the suspicious parts of a shot: the mean of its frames, as its looks are not kept."""
    edges = [shown.start_seconds]
    for one in sorted(segments, key=lambda one: one.start_seconds):
        edges += [one.start_seconds, one.end_seconds]
    edges.append(shown.end_seconds)
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        scored = [one.p_fake for one in frames_within(person, start, end) if one.p_fake is not None]
        if end > start and scored:
            yield person.id, start, end, fmean(scored)


def frames_within(person: Person, start: float, end: float) -> tuple[PersonFrame, ...]:
    """Frames of a person from one time to another, both included."""
    at = partial(bisect_left, person.frames, key=lambda one: one.time_seconds)
    return person.frames[at(start - 1e-6) : at(end + 1e-6)]


def faces_along(verdict: Verdict) -> list[Spot]:
    """For each part of the film the frame in which its most suspicious face looks worst, in order of time.

    A look stands in the part that most of it lies in, and in every other of which it fills half: the last
    tenth of a second before a cut does not speak for what comes after it. Of a single shot its people
    have one picture each, the most suspicious three.
    """
    if len(verdict.shots) == 1:
        return _of_people(verdict)
    found = moments(verdict)
    people = {person.id: person for person in verdict.people}
    edges = [part * len(found) // FACES for part in range(FACES + 1)]
    runs = _runs(found)
    spots: list[Spot] = []
    for start, end in pairwise(edges):
        own = [run for run in runs if run.within(start, end)]
        fitting = [
            run for run in own if 2 * run.within(start, end) >= end - start or run.most_in(edges) == start
        ]
        top = max(fitting or own, key=lambda run: found[run.first].p_fake, default=None)
        if top is None:
            continue
        one, first, last = found[top.first], found[max(top.first, start)], found[min(top.end, end) - 1]
        assert one.person is not None  # runs are of somebody
        frame = _worst(people[one.person], first.start_seconds, last.end_seconds)
        if frame is not None:
            spots.append(Spot(one.person, one.p_fake, frame))
    return spots


def _of_people(verdict: Verdict) -> list[Spot]:
    worst = [
        (one, _worst(one, verdict.start_seconds, verdict.end_seconds))
        for one in judged_people(verdict)[:ONE_SHOT_FACES]
    ]
    spots = [Spot(one.id, one.p_fake or 0.0, frame) for one, frame in worst if frame is not None]
    return sorted(spots, key=lambda spot: spot.frame.time_seconds)


@dataclass(frozen=True, slots=True)
class _Run:
    """Moments in a row of one look, by their places; ``end`` is the first one after it."""

    first: int
    end: int

    def within(self, start: int, end: int) -> int:
        """How many of them lie there."""
        return max(0, min(self.end, end) - max(self.first, start))

    def most_in(self, edges: Sequence[int]) -> int:
        """Where the part begins that most of it lies in."""
        return max(pairwise(edges), key=lambda part: self.within(*part))[0]


def _runs(found: Sequence[Moment]) -> list[_Run]:
    runs, first = list[_Run](), 0
    for (person, _), group in groupby(found, key=lambda one: (one.person, one.p_fake)):
        end = first + sum(1 for _ in group)
        if person is not None:
            runs.append(_Run(first, end))
        first = end
    return runs


def frames_of_stretches(verdict: Verdict) -> list[Spot | None]:
    """For each of the most suspicious stretches the frame in which it looks worst."""
    people = {person.id: person for person in verdict.people}
    return [_of_stretch(people.get(one.person), one) for one in verdict.segments[:STRETCHES]]


def _of_stretch(person: Person | None, one: Segment) -> Spot | None:
    frame = None if person is None else _worst(person, one.start_seconds, one.end_seconds)
    return None if frame is None else Spot(one.person, one.p_fake, frame)


def _worst(person: Person, start: float, end: float) -> PersonFrame | None:
    middle = (start + end) / 2
    nearest = sorted(person.frames, key=lambda one: abs(one.time_seconds - middle))[:1]
    frames = frames_within(person, start, end) or nearest  # a moment may lie between two frames
    return max(frames, key=lambda one: one.p_fake or 0.0, default=None)
