"""What stands out by itself, apart from that of which it cannot be told; and the one time that is cited."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from unmask.judge.reasons import most_suspicious
from unmask.report.sections import Story
from unmask.report.standing import ALONE, is_long, judged_people
from unmask.verdicts import Outcome, Person, Segment

Parted = TypeVar("Parted", Segment, Person)
STANDS_OUT = (Outcome.FAKE.value, ALONE)
"""What is manipulated, or would be called so if it were all there is."""


def parted_stretches(story: Story) -> tuple[list[Segment], list[Segment]]:
    """Stretches that stand out by themselves, and those of which it cannot be told; in their order."""
    return _parted(story.verdict.segments, lambda one: kind_of(story, one))


def parted_people(story: Story) -> tuple[list[Person], list[Person]]:
    """The same of the people who were judged, most suspicious first; who shows no sign is in neither."""
    judged = judged_people(story.verdict)
    kinds = {one.id: kind_of_person(story, one) for one in judged}
    return _parted([one for one in judged if kinds[one.id] != Outcome.REAL], lambda one: kinds[one.id])


def _parted(some: Sequence[Parted], kind: Callable[[Parted], str]) -> tuple[list[Parted], list[Parted]]:
    alone = [one for one in some if kind(one) in STANDS_OUT]
    return alone, [one for one in some if kind(one) not in STANDS_OUT]


def kind_of(story: Story, one: Segment) -> str:
    """How a stretch stands in its film: an outcome, or `ALONE`."""
    return one.outcome.value if story.film is None else story.film.standing(one.person, one.p_fake).kind


def kind_of_person(story: Story, one: Person) -> str:
    """How somebody who was judged stands in the film; without a card that cannot be told."""
    if story.film is None or one.p_fake is None:
        return Outcome.UNSURE.value
    return story.film.standing(one.id, one.p_fake).kind


def cited(story: Story, person: Person) -> tuple[float, float]:
    """The one time by which somebody is cited: the stretch, or where a short clip stands out most."""
    first = next((one for one in story.verdict.segments if one.person == person.id), None)
    if first is not None and is_long(story.verdict):
        return first.start_seconds, first.end_seconds
    return most_suspicious(person.frames)
