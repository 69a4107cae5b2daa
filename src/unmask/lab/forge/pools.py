"""Real faces to draw from: by source, then by person, and the donor whose pose fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unmask.errors import DataError
from unmask.lab.crops.samples import Sample
from unmask.lab.crops.shards import read_index
from unmask.lab.forge.settings import PairSettings
from unmask.lab.forge.swap import describe_pose
from unmask.types import Floats

DONOR_CANDIDATES = 64


@dataclass(frozen=True, slots=True)
class Pool:
    """Crops to draw from, with what finding donors needs.

    Attributes:
        samples: One a person and clip.
        identities: For each identity its samples, so that a crowd in one clip weighs no more than one person.
        poses: Pose of every crop of every sample, shape (N, 10).
        owners: Sample of every crop, shape (N,).
        numbers: Number within its sample of every crop, shape (N,).
    """

    samples: Sequence[Sample]
    identities: Sequence[Sequence[Sample]]
    poses: Floats
    owners: NDArray[np.int64]
    numbers: NDArray[np.int64]

    @classmethod
    def of(cls, samples: Sequence[Sample]) -> Pool:
        """Build a pool; raises `DataError` when there is nothing in it."""
        if not samples:
            raise DataError("a pool needs at least one sample, got 0; check the recipe's sources")
        blind = next((sample for sample in samples if not sample.has_points), None)
        if blind is not None:
            raise DataError(
                f"pseudo-fakes need key points, {blind.key} has none, as it came cut out already; name it in "
                "[aligned] or [labelled] instead of source_weights"
            )
        points = np.concatenate([np.array(sample.points, np.float32) for sample in samples])
        owners = np.repeat(np.arange(len(samples)), [len(sample) for sample in samples])
        numbers = np.concatenate([np.arange(len(sample)) for sample in samples])
        identities: dict[str, list[Sample]] = {}
        for sample in samples:
            identities.setdefault(sample.identity, []).append(sample)
        return cls(samples, list(identities.values()), describe_pose(points), owners, numbers)

    def draw_crop(self, rng: np.random.Generator) -> tuple[Sample, int]:
        """A random identity, one of its samples, and a crop of that."""
        samples = self.identities[int(rng.integers(len(self.identities)))]
        sample = samples[int(rng.integers(len(samples)))]
        return sample, int(rng.integers(len(sample)))

    def find_donor(self, points: Floats, identity: str, rng: np.random.Generator) -> tuple[Sample, int]:
        """Another person in about the same pose, from a random few."""
        chosen = rng.integers(0, len(self.owners), DONOR_CANDIDATES)
        distance = np.abs(self.poses[chosen] - describe_pose(points)).sum(axis=1)
        order = chosen[np.argsort(distance)]
        others = [index for index in order if self.samples[self.owners[index]].identity != identity]
        index = others[0] if others else order[0]
        return self.samples[self.owners[index]], int(self.numbers[index])


def open_pools(folder: Path, settings: PairSettings) -> list[tuple[Pool, float]]:
    """The real faces of packed crops by source, each pool with its weight; who is held out is left out.

    Raises:
        DataError: The folder has no index, or a source of the settings has no sample.
    """
    samples = [
        s for s in read_index(folder) if s.label == "REAL" and not s.identity.startswith(settings.held_out)
    ]
    return [
        (Pool.of([s for s in samples if s.source in sources.split("+")]), weight)
        for sources, weight in settings.source_weights.items()
    ]
