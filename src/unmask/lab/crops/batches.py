"""Stored people as tensors: one item is a person in a clip, T crops of one size, with label and original.

`StoredPeople` reads any item at any time, through the index of offsets; ``order`` says in which order an
epoch wants them, and ``stream`` reads shards from front to back instead.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from unmask.config import CropSettings
from unmask.errors import DataError, SettingsError
from unmask.lab.crops.framing import view_centre
from unmask.lab.crops.samples import Sample
from unmask.lab.crops.shards import CropReader, check_shards, read_index
from unmask.types import Image

LABELS = {"REAL": 0, "FAKE": 1, "": -1}


@dataclass(frozen=True, slots=True)
class ViewSettings:
    """What becomes of a stored person.

    Attributes:
        frames: Crops of an item, evenly spread over those that are stored; some come twice where fewer are.
        crop: Size and margin, as inference cuts them.
    """

    frames: int = 30
    crop: CropSettings = field(default_factory=CropSettings)

    def __post_init__(self) -> None:
        if self.frames < 1:
            raise SettingsError(f"frames must be 1 or more, got {self.frames}")


class StoredPerson(NamedTuple):
    """One person in one clip; the default collation of a DataLoader stacks them.

    Attributes:
        crops: Shape (T, 3, S, S), uint8, RGB.
        label: 1 for a fake, 0 for a real, -1 where nobody knows.
        times_seconds: Container time of each crop, shape (T,), float64.
        key: Of the sample.
        original: Key of the clip that it goes back to.
    """

    crops: Tensor
    label: int
    times_seconds: Tensor
    key: str
    original: str


def pick_crops(stored: int, frames: int) -> NDArray[np.int64]:
    """Evenly spread crops, in order; some twice where fewer are stored.

    >>> pick_crops(5, 3).tolist(), pick_crops(2, 4).tolist()
    ([0, 2, 4], [0, 0, 1, 1])
    """
    return ((np.arange(frames) + 0.5) * stored / frames).astype(np.int64)


class StoredPeople(Dataset[StoredPerson]):
    """Map-style: item ``i`` is the ``i``-th sample.

    Args:
        folder: Of shards.
        view: What becomes of a person.
        keep: Which samples to take; all by default.

    Raises:
        DataError: A shard is missing or cut short, or no sample is left.

    Example:
        >>> people = StoredPeople(Path("crops"), keep=lambda s: s.split == "train")  # doctest: +SKIP
        >>> order = draw_order(people.samples, by="class", seed=0, epoch=3)  # doctest: +SKIP
        >>> loader = DataLoader(people, batch_size=8, sampler=order.tolist())  # doctest: +SKIP
    """

    def __init__(
        self,
        folder: Path,
        view: ViewSettings | None = None,
        *,
        keep: Callable[[Sample], bool] = lambda sample: True,
    ) -> None:
        self.samples = _read_samples(folder, keep)
        self._view = view or ViewSettings()
        self._reader = CropReader(folder)

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, number: int) -> StoredPerson:
        sample = self.samples[number]
        chosen = pick_crops(len(sample), self._view.frames)
        crops = {int(i): self._reader.read(sample, int(i))[0] for i in np.unique(chosen)}
        return show_person(sample, crops, self._view)


def _read_samples(folder: Path, keep: Callable[[Sample], bool]) -> list[Sample]:
    stored = read_index(folder)
    check_shards(folder, stored)
    samples = [sample for sample in stored if len(sample) and keep(sample)]
    if not samples:
        raise DataError(f"{folder} must hold samples to take, got none of {len(stored)}")
    return samples


def show_person(sample: Sample, crops: dict[int, Image], view: ViewSettings) -> StoredPerson:
    """An item from a sample and those of its crops that `pick_crops` chose, by their number."""
    chosen = pick_crops(len(sample), view.frames)
    views = {
        number: view_centre(image, view.crop, stored_margin=sample.margin_fraction)
        for number, image in crops.items()
    }
    stacked = np.stack([views[int(number)] for number in chosen])
    return StoredPerson(
        torch.from_numpy(stacked).permute(0, 3, 1, 2).contiguous(),
        LABELS[sample.label],
        torch.from_numpy(sample.times_seconds[chosen]),
        sample.key,
        sample.original,
    )
