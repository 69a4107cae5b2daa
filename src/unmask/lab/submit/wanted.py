"""Which rows a submission must have, and which file each of them is about."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from unmask.errors import DataError
from unmask.lab.datasets.layouts import VIDEO_SUFFIXES

HEADER = ("filename", "label")
SAMPLE_NAME = "sample_submission.csv"
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Wanted:
    """One row of a submission.

    Attributes:
        name: As the file is called in the submission.
        path: Where it lies; empty when it is absent.
    """

    name: str
    path: str = ""

    @property
    def size_bytes(self) -> int:
        """Of the file, 0 when it is absent."""
        try:
            return Path(self.path).stat().st_size if self.path else 0
        except OSError:
            return 0


def find_sample(folder: Path) -> Path | None:
    """The sample submission in a folder of videos, or beside it, as the competition lays them."""
    return next((f for f in (folder / SAMPLE_NAME, folder.parent / SAMPLE_NAME) if f.is_file()), None)


def list_wanted(folder: Path, sample: Path | None, *, allow_absent: bool = False) -> list[Wanted]:
    """The rows that a submission must have, in the sample's order, or all videos of the folder by name.

    Args:
        folder: Searched with its subfolders, without hidden files.
        sample: A table whose first column is ``filename``; None takes the videos in the folder.
        allow_absent: Keep rows of the sample that no file is there for.

    Raises:
        DataError: Nothing is there, a name comes twice, or the sample names absent files.
    """
    if not folder.is_dir():
        raise DataError(f"the videos must lie in a folder, got {folder}")
    names = None if sample is None else _read_sample(sample)
    found: dict[str, str] = {}
    for path in _walk(folder):
        name = os.path.basename(path)  # noqa: PTH119  keeps odd bytes as they are
        if not (name in names if names is not None else name.lower().endswith(VIDEO_SUFFIXES)):
            continue
        if name in found:
            raise DataError(
                f"{folder}: file names must be unique, got {found[name]} and {path}; give the folder of one"
            )
        found[name] = path
    if names is None:
        if not found:
            raise DataError(f"{folder} must hold videos, found none")
        return [Wanted(name, found[name]) for name in sorted(found)]
    absent = [name for name in names if name not in found]
    if absent and not allow_absent:
        raise DataError(
            f"{sample} must name files of {folder} only, {len(absent)} of {len(names)} are absent "
            f"({_list(absent)}); check the folder, or give them the fallback with --allow-absent"
        )
    return [Wanted(name, found.get(name, "")) for name in names]


def _walk(folder: Path) -> Iterator[str]:
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (os.path.join(root, name) for name in sorted(files) if not name.startswith("."))  # noqa: PTH118


def _read_sample(sample: Path) -> dict[str, None]:
    """The file names of a sample submission, in order."""
    try:
        with sample.open(newline="", encoding="utf-8-sig") as file:
            rows = [row for row in csv.reader(file) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{sample} cannot be read as a table: {error}") from error
    if not rows or rows[0][0].strip() != HEADER[0]:
        got = ",".join(rows[0]) if rows else "an empty file"
        raise DataError(f"{sample} must begin with the column {HEADER[0]}, got {got!r}")
    names: dict[str, None] = {}
    for row in rows[1:]:
        name = row[0].strip()
        if not name or Path(name).name != name:
            raise DataError(f"{sample}: a row must name a file without its folder, got {name!r}")
        if name in names:
            raise DataError(f"{sample}: a file must be named once, {name!r} is named twice")
        names[name] = None
    if not names:
        raise DataError(f"{sample} must name files, names none")
    return names


def _list(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
