"""Stored people as tensors: one item is a person in a clip, T crops of one size, with label and original.

`StoredPeople` reads any item at any time, through the index of offsets; `draw_order` says in which order an
epoch wants them. `StreamedPeople` reads shards from front to back, as object stores and hard disks like it.
Everything is a function of seed, epoch and rank: a run that was stopped goes on with what it would have seen.
"""

from __future__ import annotations

import hashlib
import json
import tarfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset, IterableDataset, get_worker_info

from unmask.config import CropSettings
from unmask.crops.framing import view_centre
from unmask.crops.shards import CropReader, Sample, check_shards, decode_crop, parse_sample, read_index
from unmask.errors import DataError, SettingsError
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
        return _show(sample, crops, self._view)


def _read_samples(folder: Path, keep: Callable[[Sample], bool]) -> list[Sample]:
    stored = read_index(folder)
    check_shards(folder, stored)
    samples = [sample for sample in stored if len(sample) and keep(sample)]
    if not samples:
        raise DataError(f"{folder} must hold samples to take, got none of {len(stored)}")
    return samples


def _show(sample: Sample, crops: dict[int, Image], view: ViewSettings) -> StoredPerson:
    chosen = pick_crops(len(sample), view.frames)
    views = {number: view_centre(image, view.crop) for number, image in crops.items()}
    stacked = np.stack([views[int(number)] for number in chosen])
    return StoredPerson(
        torch.from_numpy(stacked).permute(0, 3, 1, 2).contiguous(),
        LABELS[sample.label],
        torch.from_numpy(sample.times_seconds[chosen]),
        sample.key,
        sample.original,
    )


def _alike(samples: Sequence[Sample]) -> NDArray[np.float64]:
    return np.ones(len(samples))


def _by_class(samples: Sequence[Sample]) -> NDArray[np.float64]:
    return _rarity([sample.label for sample in samples])


def _by_original(samples: Sequence[Sample]) -> NDArray[np.float64]:
    """Every original counts the same within its class, and the classes count the same."""
    return _rarity([f"{sample.label} {sample.original}" for sample in samples], within=samples)


def _rarity(groups: Sequence[str], within: Sequence[Sample] | None = None) -> NDArray[np.float64]:
    _, place, count = np.unique(np.array(groups), return_inverse=True, return_counts=True)
    weights = 1 / count[place]
    if within is not None:
        labels = np.array([sample.label for sample in within])
        for label in np.unique(labels):
            weights[labels == label] /= weights[labels == label].sum()
    return np.asarray(weights, np.float64)


BALANCES: dict[str, Callable[[Sequence[Sample]], NDArray[np.float64]]] = {
    "none": _alike,
    "class": _by_class,
    "original": _by_original,
}
"""How often a sample is drawn: all alike; every class the same; every class, and every original in it."""


def weigh(samples: Sequence[Sample], by: str) -> NDArray[np.float64]:
    """How often each sample should be drawn, shape (N,), with the most frequent at 1.

    Raises:
        SettingsError: ``by`` is no key of `BALANCES`.
    """
    if by not in BALANCES:
        raise SettingsError(f"by must be one of {', '.join(BALANCES)}, got {by!r}")
    weights = BALANCES[by](samples)
    return np.asarray(weights / weights.max(), np.float64)


def draw_order(
    samples: Sequence[Sample], *, by: str = "none", seed: int, epoch: int, rank: int = 0, world: int = 1
) -> NDArray[np.int64]:
    """The samples of one epoch for one rank, as numbers; every rank gets as many.

    With ``none`` every sample comes once (a few twice, so that the ranks come out even). Else as many are
    drawn as there are, the rare ones several times; never the same way twice in a row, so that over the
    epochs all of the frequent ones come too.

    Args:
        samples: Of `StoredPeople`.
        by: A key of `BALANCES`.
        seed: Of the run.
        epoch: From 0.
        rank: Number of this process of ``world``.
        world: How many processes train together.

    Returns:
        Shape (ceil(N / world),), int64.
    """
    weights = weigh(samples, by)
    rng = np.random.default_rng([seed, epoch])
    total = -(-len(samples) // world) * world
    if by == "none":
        order = np.resize(rng.permutation(len(samples)), total)
    else:
        # Evenly spaced points on the summed weights: each sample comes as often as its weight says, give or
        # take one, which independent draws would not do.
        shuffled = rng.permutation(len(samples))
        ends = np.cumsum(weights[shuffled] / weights.sum())
        points = (np.arange(total) + rng.random()) / total
        order = rng.permutation(shuffled[np.minimum(np.searchsorted(ends, points), len(samples) - 1)])
    return np.asarray(order[rank::world], np.int64)


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """How a stream is drawn.

    Attributes:
        by: A key of `BALANCES`; samples that are too frequent are passed over, others in each epoch.
        seed: Of the run.
        rank: Number of this process of ``world``.
        world: How many processes train together.
        shuffle: People that are held to be mixed; 1 keeps the order of the shards.
    """

    by: str = "none"
    seed: int = 0
    rank: int = 0
    world: int = 1
    shuffle: int = 64

    def __post_init__(self) -> None:
        if not 0 <= self.rank < self.world:
            raise SettingsError(f"rank must be 0 to below world, got {self.rank} of {self.world}")
        if self.shuffle < 1:
            raise SettingsError(f"shuffle must be 1 or more, got {self.shuffle}")


class StreamedPeople(IterableDataset[StoredPerson]):
    """Streaming: whole shards from front to back, in another order each epoch, mixed in a buffer.

    What each rank gets is fixed beforehand, as many for each; within a rank the workers of a DataLoader share
    the shards. Each shard is counted against the index: one that ends early is named, not passed over.

    Args:
        folder: Of shards; its index is read, its shards may also be opened elsewhere.
        view: What becomes of a person.
        stream: Order, balance and rank.
        keep: Which samples to take; all by default.
        open_shard: Gives a shard by its file name to read from front to back, such as from an object store.

    Raises:
        DataError: No sample is left. While it is read: a shard is cut short or is not what the index says.
    """

    def __init__(
        self,
        folder: Path,
        view: ViewSettings | None = None,
        stream: StreamSettings | None = None,
        *,
        keep: Callable[[Sample], bool] = lambda sample: True,
        open_shard: Callable[[str], IO[bytes]] | None = None,
    ) -> None:
        self._view, self._stream = view or ViewSettings(), stream or StreamSettings()
        self._open = open_shard or (lambda name: cast(IO[bytes], (folder / name).open("rb")))
        stored = read_index(folder)
        self._held: dict[str, int] = {}
        for sample in stored:
            self._held[sample.shard] = self._held.get(sample.shard, 0) + 1
        self.samples = [sample for sample in stored if len(sample) and keep(sample)]
        if not self.samples:
            raise DataError(f"{folder} must hold samples to take, got none of {len(stored)}")
        self._weights = weigh(self.samples, self._stream.by)
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch, before a DataLoader's workers start."""
        self.epoch = epoch

    def chosen(self) -> list[Sample]:
        """What this rank gets in this epoch, shard by shard; every rank gets as many."""
        stream = self._stream
        shards = sorted({sample.shard for sample in self.samples})
        order = np.random.default_rng([stream.seed, self.epoch]).permutation(len(shards))
        place = {shards[int(number)]: at for at, number in enumerate(order)}
        taken = [
            sample
            for sample, weight in zip(self.samples, self._weights, strict=True)
            if weight >= 1 or _chance(stream.seed, self.epoch, sample.key) < weight
        ]
        taken.sort(key=lambda sample: place[sample.shard])
        share = -(-len(taken) // stream.world)
        start = stream.rank * share
        return [taken[number % len(taken)] for number in range(start, start + share)]

    def __iter__(self) -> Iterator[StoredPerson]:
        info = get_worker_info()
        worker, workers = (info.id, info.num_workers) if info else (0, 1)
        chosen = self.chosen()
        shards = list(dict.fromkeys(sample.shard for sample in chosen))
        mine = shards[worker::workers]
        wanted = {shard: {s.key for s in chosen if s.shard == shard} for shard in mine}
        rng = np.random.default_rng([self._stream.seed, self.epoch, self._stream.rank, worker])
        held: list[StoredPerson] = []
        for shard in mine:
            for person in self._read(shard, wanted[shard]):
                held.append(person)
                if len(held) >= self._stream.shuffle:
                    yield held.pop(int(rng.integers(len(held))))
        while held:
            yield held.pop(int(rng.integers(len(held))))

    def _read(self, shard: str, wanted: set[str]) -> Iterator[StoredPerson]:
        """The wanted people of a shard, which is read to its end and counted."""
        whole, left = 0, set(wanted)
        problem = ""
        with self._open(shard) as file:
            people = _read_people(file)
            while True:
                try:
                    key, plain, files = next(people)
                except StopIteration:
                    break
                except (tarfile.TarError, OSError, EOFError, ValueError) as error:
                    problem = f" ({error})"
                    break
                whole += 1
                if key in left:
                    left.discard(key)
                    yield _decode(shard, plain, files, self._view)
        if whole != self._held[shard] or left:
            raise DataError(
                f"{shard} must hold {self._held[shard]} people, {whole} could be read{problem}: it is cut"
                " short, or not the one that the index describes"
            )


def _read_people(file: IO[bytes]) -> Iterator[tuple[str, dict[str, Any], dict[int, bytes]]]:
    """Key, description and pictures of each person of a tar; one without its end is not given."""
    files: dict[int, bytes] = {}
    with tarfile.open(fileobj=file, mode="r|") as tar:
        for member in tar:
            key, _, ending = member.name.partition(".")
            opened = tar.extractfile(member)
            data = opened.read() if opened else b""
            if len(data) != member.size:
                raise EOFError(f"{member.name} is cut short")
            if ending == "json":
                yield key, json.loads(data), files
                files = {}
            else:
                files[int(ending.partition(".")[0])] = data


def _decode(shard: str, plain: dict[str, Any], files: dict[int, bytes], view: ViewSettings) -> StoredPerson:
    spans = [[0, len(files[number])] for number in sorted(files)]
    sample = parse_sample(plain | {"shard": shard, "spans": spans})
    crops = {}
    for number in np.unique(pick_crops(len(sample), view.frames)):
        image = decode_crop(files[int(number)])
        if image is None:
            raise DataError(f"{shard}: crop {number} of {sample.key} is damaged")
        crops[int(number)] = image
    return _show(sample, crops, view)


def _chance(seed: int, epoch: int, key: str) -> float:
    """A number from 0 to 1 for a sample, another in each epoch."""
    digest = hashlib.sha256(f"{seed} {epoch} {key}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
