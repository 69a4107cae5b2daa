"""What the user names - files, folders, patterns - becomes a list of files."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from unmask.errors import SettingsError
from unmask.reasons import Reason, because
from unmask.suffixes import SUFFIXES

LabelledSources = Annotated[
    list[Path],
    typer.Argument(
        metavar="INDEX...",
        help="An index (.parquet, .csv), a .csv with path and label, or folders in DFDC's layout.",
    ),
]
"""What commands that need the truth take."""


@dataclass(frozen=True, slots=True)
class Input:
    """One thing to give a verdict on.

    Attributes:
        path: As it was given, or as it was found in a folder or by a pattern.
        problem: Why there is nothing to scan, or None.
    """

    path: str
    problem: Reason | None = None


def expand(given: Iterable[str]) -> list[Input]:
    """Find the files behind what was given.

    A name that exists is taken as it is, also when it looks like a pattern. Folders are searched with
    their subfolders for `SUFFIXES`, in sorted order, without hidden files and without following links to
    folders. Whatever leads nowhere stays in the list with its problem, so that it gets a verdict too.
    """
    return [item for path in given for item in _expand_one(path)]


def _expand_one(path: str) -> Iterator[Input]:
    if _is_folder(path):
        yield from _folder(path)
    elif not os.path.lexists(path) and glob.has_magic(path):
        found = sorted(glob.glob(path, recursive=True))  # noqa: PTH207  Path.glob takes no absolute pattern
        for match in found:
            yield from _folder(match) if _is_folder(match) else [Input(match)]
        if not found:
            yield Input(path, because("no_match"))
    else:
        yield Input(path)


def _is_folder(path: str) -> bool:
    return os.path.isdir(path)  # noqa: PTH112  Path.is_dir raises for a name that is too long


def _folder(path: str) -> Iterator[Input]:
    closed: list[OSError] = []
    empty = True
    for folder, subfolders, names in os.walk(path, onerror=closed.append):
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        for name in sorted(names):
            if name.lower().endswith(SUFFIXES) and not name.startswith("."):
                empty = False
                yield Input(os.path.join(folder, name))  # noqa: PTH118  keeps ./-x.mp4 as it is
    for error in closed:
        yield Input(str(error.filename), because("closed_folder", error=error.strerror or str(error)))
    if empty and not closed:
        yield Input(path, because("empty_folder"))


def read_time(text: str, *, option: str) -> float:
    """Seconds of a time as people write it.

    Args:
        text: Seconds, ``m:ss`` or ``h:mm:ss``, the last with a fraction if need be.
        option: Which option it came with.

    Raises:
        SettingsError: It is none.

    Example:
        >>> read_time("83.5", option="--from"), read_time("1:02:03", option="--from")
        (83.5, 3723.0)
    """
    if not re.fullmatch(r"(\d{1,4}:)?(\d{1,4}:)?\d{1,9}(\.\d{1,6})?", text, re.ASCII):
        raise SettingsError(f"{option} must be seconds, m:ss or h:mm:ss, got {text!r}")
    seconds = 0.0
    for part in text.split(":"):
        seconds = 60 * seconds + float(part)
    return seconds
