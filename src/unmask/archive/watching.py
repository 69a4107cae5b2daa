"""A place where files arrive: those that are whole are scanned together, one batch after the other.

Each batch is an output of its own, ``OUT/00001`` and so on, so that one that a stop interrupted goes on like
any other scan. What is the same as a file of an earlier batch takes its record.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from unmask.archive.listing import list_files
from unmask.archive.places import Folder, Place
from unmask.archive.plan import PLAN_NAME, plan_of
from unmask.archive.records import MANIFEST_NAME, RecordStore
from unmask.archive.sources import SourceFile
from unmask.errors import DataError

SETTLE_SECONDS, POLL_SECONDS = 5.0, 2.0


@dataclass(slots=True)
class Inbox:
    """Files that have arrived.

    Attributes:
        source: A folder, or an address.
        settle_seconds: How long a file must stay as it is to count as whole; objects of a store always are.
        known: Name and size of files that were taken.
    """

    source: str
    settle_seconds: float = SETTLE_SECONDS
    known: set[tuple[str, int]] = field(default_factory=set)
    _seen: dict[str, tuple[tuple[int, int], float]] = field(default_factory=dict)

    def whole(self, *, most: int) -> list[SourceFile]:
        """Files that are new and whole, at most so many.

        Raises:
            DataError: The place cannot be listed.
        """
        now = time.monotonic()
        found = []
        for file in self._list():
            if (file.inner, file.size_bytes) not in self.known and self._is_whole(file, now):
                found.append(file)
                if len(found) == most:
                    break
        return found

    def _list(self) -> list[SourceFile]:
        try:
            return list_files([self.source])
        except DataError:
            if "://" in self.source:  # an empty place in a store of objects is none
                return []
            raise

    def _is_whole(self, file: SourceFile, now: float) -> bool:
        if file.problem or file.size_bytes <= 0:
            return False
        if "://" in file.path:
            return True
        try:
            facts = os.stat(file.path)  # noqa: PTH116  for speed
        except OSError:
            return False
        state = facts.st_size, facts.st_mtime_ns
        before, since = self._seen.get(file.path, (None, now))
        if before != state:
            self._seen[file.path] = state, now
            return False
        return facts.st_size == file.size_bytes and now - since >= self.settle_seconds


@dataclass(slots=True)
class Earlier:
    """Records of earlier batches, by SHA-256.

    Attributes:
        names: Of the file that was judged, with the batch that has its record.
    """

    names: dict[str, tuple[str, Place]] = field(default_factory=dict)

    def add(self, batch: Place) -> Iterator[dict[str, Any]]:
        """Take note of the records of a batch, and give them."""
        for name in sorted(batch.sizes()):
            if name.startswith("records-") and name.endswith(".jsonl"):
                for line in batch.read(name).splitlines():
                    record = json.loads(line)
                    if record["sha256"]:
                        self.names.setdefault(record["sha256"], (record["name"], batch))
                    yield record

    def record(self, sha256: str) -> dict[str, Any] | None:
        """The record of the file with this SHA-256, with that file's name, or None."""
        if sha256 not in self.names:
            return None
        name, batch = self.names[sha256]
        found = next((one for one in Earlier().add(batch) if one["name"] == name), None)
        return found and found | {"duplicate_of": name}


def watch_place(
    inbox: Inbox,
    output: Path,
    *,
    open_batch: Callable[[str, Sequence[SourceFile]], RecordStore],
    scan: Callable[[RecordStore, Earlier], object],
    files_per_batch: int,
    poll_seconds: float = POLL_SECONDS,
) -> Iterator[list[dict[str, Any]]]:
    """Scan what arrives, until it is closed or interrupted.

    Args:
        inbox: Where files arrive.
        output: A folder for the batches; held by one run at a time.
        open_batch: Opens the output of a batch of these files.
        scan: Scans it.
        files_per_batch: At most.
        poll_seconds: How often to look.

    Yields:
        The records of each batch that is done.

    Raises:
        DataError: Another run works there, or the disk is full.
    """
    place, earlier = Folder(output), Earlier()
    with place.errors():
        place.make_folder("")
        held = place.hold(".lock")
    try:
        batches = sorted(folder.name for folder in output.iterdir() if folder.name.isdecimal())
        begun = []
        for name in batches:
            batch = Folder(output / name)
            if batch.has(PLAN_NAME):
                plan = plan_of(batch.read(PLAN_NAME), per_shard=files_per_batch, where=str(batch))
                inbox.known.update((file.inner, file.size_bytes) for file in plan.files)
            if batch.has(MANIFEST_NAME):
                for _ in earlier.add(batch):
                    pass
            else:
                begun.append(name)
        while True:
            name = begun[0] if begun else f"{int(batches[-1]) + 1 if batches else 1:05d}"
            there = Folder(output / name).has(PLAN_NAME)
            files = [] if there else inbox.whole(most=files_per_batch)
            if not there and not files:
                time.sleep(poll_seconds)
                continue
            with open_batch(str(output / name), files) as store:
                scan(store, earlier)
                inbox.known.update((file.inner, file.size_bytes) for file in store.plan.files)
                complete = store.complete
            begun = begun[1:]
            batches = sorted({*batches, name})
            if complete:
                yield list(earlier.add(Folder(output / name)))
    finally:
        held.close()
