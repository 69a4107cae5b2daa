"""What a run keeps: what is done is on disk, whatever happens to the run.

What comes of a file is at once a part. When all parts of a shard are there they are joined, a commit file
says so, and the parts go. At the end the commit files become what is read. So a run that is killed anywhere
loses the files that were in flight and nothing else, and what it leaves in the end does not depend on what
happened on the way.

    OUT/HEADER                    what is done: settings, digest of the plan
    OUT/...                       shards, each there as a whole or not at all
    OUT/LAST                      written last: it is complete
    OUT/.unfinished/parts         files of shards that are not full yet
    OUT/.unfinished/shards        commit files
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from unmask.archive.places import DRAFT_SUFFIX, Held, Place
from unmask.archive.shares import WHOLE, Share
from unmask.errors import DataError
from unmask.version import __version__

STATE = ".unfinished"
PARTS, COMMITS = f"{STATE}/parts", f"{STATE}/shards"


@dataclass(frozen=True, slots=True)
class Header:
    """What an output is of, written before anything else, so that nothing else gets into it.

    Attributes:
        name: Of its file.
        command: What writes it.
        holds: What an output of this command holds, such as ``an extraction of other videos``.
        digest: Of all that decides what comes out; another one is refused.
        told: What else is to be known.
    """

    name: str
    command: str
    holds: str
    digest: str
    told: dict[str, Any] = field(default_factory=dict)


def is_claimed(place: Place, header: Header) -> bool:
    """Whether a place is the output of this run already; False where it is still free.

    Raises:
        DataError: It holds something else.
    """
    foreign = place.holds_more((STATE, header.name))
    if not place.has(header.name):
        if foreign:
            raise DataError(f"{place} holds other files; choose another folder or an empty one")
        return False
    try:
        found = json.loads(place.read(header.name))["digest"]
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{place}: {header.name} is not the file that {header.command} writes") from error
    if found != header.digest:
        raise DataError(
            f"{place} holds {header.holds}, with other settings, or by another version of unmask; "
            "choose another folder"
        )
    return True


def claim(place: Place, header: Header) -> None:
    """Make a place the output of a run, or see that it is; raises as `is_claimed`."""
    if not is_claimed(place, header):
        place.make_folder("")
        told = {"unmask": __version__, "digest": header.digest} | header.told
        place.write(header.name, json.dumps(told, indent=1).encode() + b"\n")


class Store(ABC):
    """An output, held by one run at a time; use it in a ``with`` block.

    Args:
        place: Where; made if absent. One that holds something else is refused.
        header: What it is of.
        shards: For each file the number of its shard, rising.
        last: Name of the file that is written last.
        share: Which shards this run does.

    Raises:
        DataError: The place holds something else, another run works in it, or the disk is full.
    """

    def __init__(
        self, place: Place, header: Header, shards: Sequence[int], *, last: str, share: Share = WHOLE
    ) -> None:
        self.place, self.share = place, share
        self._header, self._shards, self._last = header, shards, last
        self._members: list[list[int]] = [[] for _ in range(shards[-1] + 1 if shards else 0)]
        for number, shard in enumerate(shards):
            self._members[shard].append(number)
        self._mine = [shard for shard in range(len(self._members)) if share.has(shard)]
        self._sealed: set[int] = set()
        self.done: set[int] = set()
        self._held: list[Held] = []

    def __enter__(self) -> Self:
        try:
            with self.place.errors():
                claim(self.place, self._header)
                self._hold()
                if not self.complete:
                    self._load()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while self._held:
            self._held.pop().close()

    @property
    def mine(self) -> Iterable[int]:
        """Numbers of the files that this run does."""
        return (number for shard in self._mine for number in self._members[shard])

    @property
    def complete(self) -> bool:
        """Whether everything is done, by all runs, and what is written last is there."""
        return self.place.has(self._last)

    def put(self, number: int, blob: bytes) -> None:
        """Keep what came of a file.

        Args:
            number: In the plan.
            blob: What a worker gave.

        Raises:
            DataError: The disk is full.
        """
        with self.place.errors():
            self._keep(number, blob)
            self.done.add(number)
            self._seal_if_full(self._shards[number])

    def finish(self) -> None:
        """Write what is written last, and remove what is no longer needed, unless others are still at it.

        Raises:
            DataError: Something is not done, or the disk is full.
        """
        left = sum(1 for _ in self.mine) - len(self.done)
        if left:
            raise DataError(f"{left} files are not done")
        with self.place.errors():
            there = self.place.sizes(COMMITS)
            if all(f"{shard:05d}.json" in there for shard in range(len(self._members))):
                self._sweep()
                try:
                    self._conclude()
                except FileNotFoundError:  # the run of another share has just done the same
                    if not self.complete:
                        raise
                self.clean()

    def clean(self) -> None:
        """Remove what a finished run does not need."""
        self.place.remove_folder(STATE)

    @abstractmethod
    def _join(self, shard: int) -> bytes:
        """Write a shard whose files are all done; gives what its commit file says."""

    @abstractmethod
    def _stands(self, shard: int, commit: bytes) -> bool:
        """Whether a shard is still as its commit file says."""

    @abstractmethod
    def _conclude(self) -> None:
        """Write what is written last."""

    @abstractmethod
    def _known(self) -> Iterable[int]:
        """Numbers of files of which it is known beforehand what comes of them."""

    @abstractmethod
    def _load_parts(self, names: Sequence[str]) -> set[int]:
        """Which files parts are there of, as a whole; others are removed, and those of what is done.

        After a power cut a file that was renamed may still be cut short.
        """

    def _keep(self, number: int, blob: bytes) -> None:
        self.place.write(self._part(number), blob)

    def _hold(self) -> None:
        """Keep other runs out: of the same share, and those that share the work otherwise."""
        self.place.make_folder(PARTS)
        self.place.make_folder(COMMITS)
        lock, alike = self.share.lock, self.share.alike
        self._held.append(self.place.hold(f"{STATE}/{lock}"))
        for name in self.place.sizes(STATE):
            if name.startswith("lock") and not alike(name):
                self.place.hold(f"{STATE}/{name}").close()

    def _load(self) -> None:
        """Find out what is done; throw away what is half done."""
        place = self.place
        if self.share == WHOLE:
            self._sweep()
        commits = place.sizes(COMMITS)
        for shard in self._mine:
            name = self._commit(shard)
            if name.rpartition("/")[2] in commits and self._stands(shard, place.read(name)):
                self._sealed.add(shard)
                self.done.update(self._members[shard])
        parts = [name for name in place.sizes(PARTS) if name.endswith(".part")]
        own = (name for name in parts if self.share.has(self._shards[int(name.removesuffix(".part"))]))
        self.done.update(self._load_parts(list(own)))
        self.done.update(number for number in self._known() if self.share.has(self._shards[number]))
        for shard in self._mine:
            self._seal_if_full(shard)

    def _sweep(self) -> None:
        """Remove what was being written when a run was killed."""
        for folder in ("", PARTS, COMMITS):
            for name in self.place.sizes(folder):
                if name.endswith(DRAFT_SUFFIX):
                    self.place.remove(f"{folder}/{name}" if folder else name)

    def _seal_if_full(self, shard: int) -> None:
        members = self._members[shard]
        if shard in self._sealed or not self.done.issuperset(members):
            return
        self.place.write(self._commit(shard), self._join(shard), sync=True)
        self._sealed.add(shard)
        self._drop_parts(members)

    def _drop_parts(self, members: Sequence[int]) -> None:
        for number in members:
            self.place.remove(self._part(number))

    def _part(self, number: int) -> str:
        return f"{PARTS}/{number:07d}.part"

    def _commit(self, shard: int) -> str:
        return f"{COMMITS}/{shard:05d}.json"


def json_line(plain: dict[str, Any]) -> bytes:
    """A line of JSON, as short as it can be."""
    return json.dumps(plain, separators=(",", ":")).encode() + b"\n"
