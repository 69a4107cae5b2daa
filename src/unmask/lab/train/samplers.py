"""Which labelled sample comes next, so that the many fakes do not drown the few reals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unmask.errors import DataError
from unmask.lab.crops.samples import Sample
from unmask.lab.crops.shards import CropReader

Stored = tuple[CropReader, Sample]
Indices = NDArray[np.int64]


class People:
    """Labelled samples by class and original.

    Args:
        stored: Samples with their readers.

    Raises:
        DataError: One of the classes is missing.
    """

    def __init__(self, stored: Sequence[Stored]) -> None:
        self.stored = stored
        fake = np.array([sample.label == "FAKE" for _, sample in stored], bool)
        self.classes: tuple[Indices, Indices] = (np.flatnonzero(~fake), np.flatnonzero(fake))
        if not all(len(members) for members in self.classes):
            raise DataError(
                f"labelled crops need both classes, got {int(fake.sum())} fakes of {len(stored)}; "
                "add a folder with the other one, or leave [labelled] out"
            )
        by_original: dict[str, tuple[list[int], list[int]]] = {}
        for number, (_, sample) in enumerate(stored):
            by_original.setdefault(sample.original, ([], []))[sample.label == "FAKE"].append(number)
        self.originals = list(by_original.values())
        by_source: tuple[dict[str, dict[str, list[int]]], ...] = ({}, {})
        for number, (_, sample) in enumerate(stored):
            persons = by_source[sample.label == "FAKE"].setdefault(sample.source, {})
            persons.setdefault(sample.identity, []).append(number)
        # For each class its sources, each with its people's samples.
        self.sources = [[list(persons.values()) for persons in each.values()] for each in by_source]

    def draw_of_class(self, fake: bool, rng: np.random.Generator) -> int:
        """Any sample of one class."""
        members = self.classes[fake]
        return int(members[rng.integers(len(members))])


class Draw(NamedTuple):
    """A labelled sample that was drawn, by its number, and what its loss counts."""

    number: int
    weight: float


class Dice(NamedTuple):
    """Random numbers for one crop: its own, and those it shares with the crop beside it."""

    turn: int
    own: np.random.Generator
    shared: np.random.Generator


def throw_dice(seed: int, step: int, turn: int) -> Dice:
    """The random numbers of crop number ``turn`` of a step; crops 0 and 1, 2 and 3, … share some."""
    own = np.random.default_rng([seed, step, turn, 1])
    return Dice(turn, own, np.random.default_rng([seed, step, turn // 2, 2]))


def upsample_rare(people: People, dice: Dice) -> Draw:
    """Reals and fakes in turn, so that the rare class is seen more often than it is there."""
    return Draw(people.draw_of_class(dice.turn % 2 == 1, dice.own), 1.0)


def balance_originals(people: People, dice: Dice) -> Draw:
    """Any original, and in turn its real and one of its fakes; every original counts the same.

    An original whose other side is not there stands beside a random sample of that class.
    """
    fake = dice.turn % 2 == 1
    mine = people.originals[int(dice.shared.integers(len(people.originals)))][fake]
    number = mine[int(dice.own.integers(len(mine)))] if mine else people.draw_of_class(fake, dice.own)
    return Draw(number, 1.0)


def balance_sources(people: People, dice: Dice) -> Draw:
    """Reals and fakes in turn; any source of the class, then any person of it, so that all count."""
    sources = people.sources[dice.turn % 2 == 1]
    persons = sources[int(dice.own.integers(len(sources)))]
    mine = persons[int(dice.own.integers(len(persons)))]
    return Draw(mine[int(dice.own.integers(len(mine)))], 1.0)


def weight_loss(people: People, dice: Dice) -> Draw:
    """Any sample as often as it is there; its class's loss is weighted so that both count the same."""
    number = int(dice.own.integers(len(people.stored)))
    fake = people.stored[number][1].label == "FAKE"
    return Draw(number, len(people.stored) / (2 * len(people.classes[fake])))


SAMPLERS: dict[str, Callable[[People, Dice], Draw]] = {
    "upsample_rare": upsample_rare,
    "balance_originals": balance_originals,
    "balance_sources": balance_sources,
    "weight_loss": weight_loss,
}
