"""Stored people read from front to back, shard by shard, as object stores and hard disks like it.

Which people come is a function of seed, epoch and rank, as in ``order``.
"""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import numpy as np
from torch.utils.data import IterableDataset, get_worker_info

from unmask.errors import DataError, SettingsError
from unmask.lab.crops.batches import StoredPerson, ViewSettings, pick_crops, show_person
from unmask.lab.crops.order import weigh
from unmask.lab.crops.samples import Sample
from unmask.lab.crops.shards import decode_crop, is_whole, read_index


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
        wanted = {shard: {s.key: s for s in chosen if s.shard == shard} for shard in mine}
        rng = np.random.default_rng([self._stream.seed, self.epoch, self._stream.rank, worker])
        held: list[StoredPerson] = []
        for shard in mine:
            for person in self._read(shard, wanted[shard]):
                held.append(person)
                if len(held) >= self._stream.shuffle:
                    yield held.pop(int(rng.integers(len(held))))
        while held:
            yield held.pop(int(rng.integers(len(held))))

    def _read(self, shard: str, wanted: dict[str, Sample]) -> Iterator[StoredPerson]:
        """The wanted people of a shard, which is read to its end and counted."""
        whole, left = 0, set(wanted)
        problem = ""
        with self._open(shard) as file:
            people = _read_people(file)
            while True:
                try:
                    key, files = next(people)
                except StopIteration:
                    break
                except (tarfile.TarError, OSError, EOFError, ValueError) as error:
                    problem = f" ({error})"
                    break
                whole += 1
                if key in left:
                    left.discard(key)
                    yield _decode(wanted[key], files, self._view)
        if whole != self._held[shard] or left:
            raise DataError(
                f"{shard} must hold {self._held[shard]} people, {whole} could be read{problem}: it is cut"
                " short, or not the one that the index describes"
            )


def _read_people(file: IO[bytes]) -> Iterator[tuple[str, dict[int, bytes]]]:
    """Key and pictures of each person of a tar; one without its end is not given."""
    files: dict[int, bytes] = {}
    with tarfile.open(fileobj=file, mode="r|") as tar:
        for member in tar:
            key, _, ending = member.name.partition(".")
            opened = tar.extractfile(member)
            data = opened.read() if opened else b""
            if len(data) != member.size:
                raise EOFError(f"{member.name} is cut short")
            if ending == "json":
                yield key, files
                files = {}
            else:
                files[int(ending.partition(".")[0])] = data


def _decode(sample: Sample, files: dict[int, bytes], view: ViewSettings) -> StoredPerson:
    crops = {}
    for number in map(int, np.unique(pick_crops(len(sample), view.frames))):
        data = files.get(number, b"")
        image = decode_crop(data) if is_whole(sample, number, data) else None
        if image is None:
            raise DataError(f"{sample.shard}: crop {number} of {sample.key} is damaged")
        crops[int(number)] = image
    return show_person(sample, crops, view)


def _chance(seed: int, epoch: int, key: str) -> float:
    """A number from 0 to 1 for a sample, another in each epoch."""
    digest = hashlib.sha256(f"{seed} {epoch} {key}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
