"""Which files there are, in which order they are done, and in which shard each is kept.

Everything here is a function of the list of files, so that every run of the same command has the same plan.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from unmask.archive.sources import SourceFile
from unmask.archive.table import import_arrow, release_unused, table_of
from unmask.errors import DataError

FILES_PER_SHARD = 1000
PLAN_NAME = "files.parquet"
_ROWS = 10_000  # that are turned into columns, or back, at a time
EMPTY = "the file is empty"


def share_out(families: Iterable[int], *, per_shard: int) -> Iterator[int]:
    """The shard of each family, so that none is parted.

    Args:
        families: How many files each has, in order.
        per_shard: How many files share a shard; a larger family has one for itself.

    >>> list(share_out([1, 2, 1, 5, 1], per_shard=3))
    [0, 0, 1, 2, 3]
    """
    shard, room = 0, per_shard
    for members in families:
        if members > room and room < per_shard:
            shard, room = shard + 1, per_shard
        yield shard
        room -= members


@dataclass(frozen=True, slots=True)
class Plan:
    """All files of a scan, the largest first, so that the last ones end together.

    Files of one size may be the same and share a shard, so that those that are get known there.

    Attributes:
        files: In order.
        shards: For each file the number of its shard, rising.
        families: For each file the number of the first one of its size; its own where none can be the same.
    """

    files: tuple[SourceFile, ...]
    shards: tuple[int, ...]
    families: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.files)

    @property
    def digest(self) -> str:
        """SHA-256 of the list, not of where the files lie."""
        digest = hashlib.sha256()
        for file in self.files:
            digest.update(json.dumps([file.inner, file.size_bytes, file.problem]).encode() + b"\n")
        return digest.hexdigest()


def make_plan(files: Sequence[SourceFile], *, per_shard: int = FILES_PER_SHARD) -> Plan:
    """Order files by size and share them out.

    Args:
        files: In any order.
        per_shard: How many records share a file.

    Raises:
        DataError: There are no files, or two with one name.

    >>> files = [SourceFile("/a", "a", 5), SourceFile("/b", "b", 7), SourceFile("/c", "c", 5)]
    >>> plan = make_plan(files, per_shard=2)
    >>> [file.inner for file in plan.files], plan.shards, plan.families
    (['b', 'a', 'c'], (0, 1, 1), (0, 1, 1))
    """
    if not files:
        raise DataError("a scan needs at least one video or image, found none")
    files = [_told_empty(file) for file in files]
    ordered = sorted(files, key=lambda file: (bool(file.problem), -file.size_bytes, file.inner))
    families: list[int] = []
    sizes: list[int] = []
    for alike, members in groupby(enumerate(ordered), key=lambda item: _family(*item)):
        count = sum(1 for _ in members)
        families += [len(families) if alike[0] == "size" else alike[1]] * count
        sizes.append(count)
    shards = [
        shard
        for shard, count in zip(share_out(sizes, per_shard=per_shard), sizes, strict=True)
        for _ in range(count)
    ]
    names = {file.inner for file in ordered}
    if len(names) < len(ordered):
        raise DataError(f"files must have different names, got {len(ordered) - len(names)} more than once")
    return Plan(tuple(ordered), tuple(shards), tuple(families))


def plan_bytes(plan: Plan) -> bytes:
    """The plan as a Parquet table of ``name``, ``path``, ``size_bytes``, ``problem`` and ``shard``.

    The bytes of a path that is no UTF-8 are in ``path_hex``, too.
    """
    arrow, parquet = import_arrow()
    text = arrow.string()
    schema = arrow.schema(
        [("name", text), ("path", text), ("path_hex", text), ("size_bytes", arrow.int64()), ("problem", text)]
    ).append(arrow.field("shard", arrow.int32()))
    data = io.BytesIO()
    with parquet.ParquetWriter(data, schema) as writer:
        for start in range(0, len(plan), _ROWS):
            end = start + _ROWS
            rows = zip(plan.files[start:end], plan.shards[start:end], strict=True)
            writer.write_table(table_of([_row(file, shard) for file, shard in rows], schema))
    release_unused()  # or it would stay beside the plan
    return data.getvalue()


def _row(file: SourceFile, shard: int) -> dict[str, Any]:
    told = {"name": file.inner, "path": _text(file.path), "path_hex": _odd_hex(file.path), "shard": shard}
    return told | {"size_bytes": file.size_bytes, "problem": file.problem}


def plan_of(data: bytes, *, per_shard: int, where: str) -> Plan:
    """The plan that `plan_bytes` stored.

    Raises:
        DataError: It is none.
    """
    arrow, parquet = import_arrow()
    try:
        names = ["path", "path_hex", "name", "size_bytes", "problem"]
        batches = parquet.ParquetFile(io.BytesIO(data)).iter_batches(_ROWS, columns=names)
        files = [
            SourceFile(path if odd is None else bytes.fromhex(odd).decode("utf-8", "surrogateescape"), *rest)
            for batch in batches
            for path, odd, *rest in zip(*(batch.column(name).to_pylist() for name in names), strict=True)
        ]
    except (arrow.ArrowException, KeyError, TypeError, ValueError) as error:
        raise DataError(f"{where}: {PLAN_NAME} cannot be read: {error}") from error
    release_unused()
    return make_plan(files, per_shard=per_shard)


def _text(path: str) -> str:
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _odd_hex(path: str) -> str | None:
    data = path.encode("utf-8", "surrogateescape")
    return None if data.decode("utf-8", "replace") == path else data.hex()


def _told_empty(file: SourceFile) -> SourceFile:
    if file.size_bytes or file.problem:
        return file
    return SourceFile(file.path, file.inner, 0, EMPTY)


def _family(number: int, file: SourceFile) -> tuple[str, int]:
    """What files that may be the same have in common; a size below 0 is not known."""
    if file.problem or file.size_bytes < 0:
        return "number", number
    return "size", file.size_bytes
