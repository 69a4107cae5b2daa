"""What a scan of an archive is given - folders, zips, addresses, lists, indexes - becomes a list of files."""

from __future__ import annotations

import io
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from unmask.archive.entries import list_entries
from unmask.archive.sources import Opener, SourceFile, open_address
from unmask.errors import DataError, MissingExtraError
from unmask.suffixes import SUFFIXES

MAX_LIST_BYTES = 4 * 2**30
UNKNOWN_SIZE = -1
_READABLE = ("ok", "unlisted", "")
_REMOTE_THREADS = 16  # waiting for a store's answers takes longer than working on them


def list_files(sources: Sequence[str]) -> list[SourceFile]:
    """All videos and images of some sources.

    Args:
        sources: Folders, zip files, addresses such as ``s3://bucket/2026``, single files; ``.txt`` with a
            path or address on each line; ``.parquet`` or ``.csv`` with a column ``path`` and perhaps
            ``name``, ``size_bytes`` and ``status``, as ``unmask data index`` writes them.

    Returns:
        Files with different names: their places within the source. Whatever cannot be read comes with its
        problem.

    Raises:
        DataError: A source is absent, or a list is broken.
        MissingExtraError: What an address or a table needs is not installed.
    """
    found = [file for source in sources for file in _list_one(source)]
    seen: set[str] = set()
    again: Counter[str] = Counter()
    for number, file in enumerate(found):
        name = file.inner
        if not name.isascii():  # bytes of a name that are no UTF-8 can stand in no table
            name = name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        if name in seen:
            again[name] += 1
            name = f"{name}#{again[name] + 1}"
        else:
            seen.add(name)
        if name != file.inner:
            found[number] = replace(file, inner=name)
    return found


def _list_one(source: str) -> Iterator[SourceFile]:
    ending = source.rpartition(".")[2].lower()
    if ending in ("parquet", "csv"):
        yield from _list_table(source, ending)
    elif ending == "txt":
        lines = _read(source).decode("utf-8", "surrogateescape").splitlines()
        paths = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
        yield from _with_sizes([SourceFile(path, path, UNKNOWN_SIZE) for path in paths])
    else:
        entries = list_entries(source, keep_broken=True)
        named = len(entries) == 1 and "/" not in entries[0].inner
        for entry in entries:
            if named or entry.problem or entry.name.lower().endswith(SUFFIXES):
                yield entry


def _list_table(source: str, ending: str) -> Iterator[SourceFile]:
    try:
        import pyarrow
        from pyarrow import csv, parquet
    except ModuleNotFoundError as error:
        raise MissingExtraError("pyarrow", extra="data") from error
    data = io.BytesIO(_read(source))
    try:
        table = parquet.read_table(data) if ending == "parquet" else csv.read_csv(data)
    except (pyarrow.ArrowException, ValueError) as error:
        raise DataError(f"{source} cannot be read as a table: {error}") from error
    if "path" not in table.column_names:
        raise DataError(f"{source} must have a column path, has {', '.join(table.column_names)}")
    columns: dict[str, list[Any]] = {
        name: table.column(name).to_pylist() if name in table.column_names else [None] * len(table)
        for name in ("path", "name", "size_bytes", "status")
    }
    files = []
    for path, name, size, status in zip(*columns.values(), strict=True):
        problem = "" if (status or "") in _READABLE else str(status)
        known = UNKNOWN_SIZE if size is None else int(size)
        files.append(SourceFile(str(path), str(name or path), 0 if problem else known, problem))
    yield from _with_sizes(files)


def _with_sizes(files: Sequence[SourceFile]) -> list[SourceFile]:
    """Files of a list with the sizes that are not known; one that is not there is told so."""
    with ThreadPoolExecutor(_REMOTE_THREADS) as threads:
        return list(threads.map(_with_size, files))


def _with_size(file: SourceFile) -> SourceFile:
    if file.size_bytes >= 0 or file.problem or file.path.startswith("zip://"):
        return file
    try:
        if "://" in file.path:
            return replace(file, size_bytes=int(open_address(file.path).size(file.path)))
        return replace(file, size_bytes=os.stat(file.path).st_size)  # noqa: PTH116  for speed
    except (FileNotFoundError, NotADirectoryError):
        return replace(file, size_bytes=0, problem="no such file")
    except OSError:  # whoever does it will see
        return file


def _read(source: str) -> bytes:
    if "://" in source:
        with Opener() as opener:
            return opener.read(source, limit_bytes=MAX_LIST_BYTES)
    try:
        return Path(source).read_bytes()
    except OSError as error:
        raise DataError(f"{source}: {error.strerror or error}") from error
