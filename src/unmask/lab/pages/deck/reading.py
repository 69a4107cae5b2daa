"""Files that a deck is made from, read with limits: whatever is in them, the end is data or one sentence."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from unmask.errors import DataError, SettingsError
from unmask.judge.strict import read_json

MOST_BYTES = 256 * 2**20
"""Of one file; the log of 100,000 steps has 20 MiB, the scores of 4,000 clips 1 MiB."""
MOST_ROWS = 1_000_000
_MOST_LINE = 2**16


def read_object(file: Path) -> dict[str, Any]:
    """The object of a JSON file.

    Raises:
        DataError: It cannot be read, is too large, no JSON, or no object.
    """
    with _text(file) as text:
        return _object(text.read(), str(file))


def read_lines(file: Path) -> list[dict[str, Any]]:
    """The objects of a file with one on each line; a last line that was cut short by a kill is passed over.

    Raises:
        DataError: It cannot be read, is too large, or a line is no object.
    """
    found: list[dict[str, Any]] = []
    with _text(file) as text:
        number = 0
        while line := text.readline(_MOST_LINE):
            number += 1
            if len(line) == _MOST_LINE or number > MOST_ROWS:
                raise DataError(
                    f"{file}: a line may have {_MOST_LINE:,} characters and a file {MOST_ROWS:,} lines"
                )
            if line.endswith("\n"):
                found.append(_object(line, f"{file}: line {number}"))
    return found


def read_table(file: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """The rows of a CSV file, by column.

    Args:
        file: UTF-8, with a header.
        columns: These must be there; others are dropped.

    Raises:
        DataError: It cannot be read, is too large, lacks a column, or a row is shorter than the header.
    """
    rows: list[dict[str, str]] = []
    with _text(file) as text:
        try:
            table = csv.DictReader(text)
            absent = [name for name in columns if name not in (table.fieldnames or ())]
            if absent:
                raise DataError(
                    f"{file} must have the columns {', '.join(columns)}, lacks {', '.join(absent)}"
                )
            for row in table:
                if len(rows) >= MOST_ROWS:
                    raise DataError(f"{file} may have {MOST_ROWS:,} rows, and has more")
                short = [name for name in columns if row[name] is None]
                if short:
                    raise DataError(f"{file}: line {table.line_num} must have a value for {short[0]}")
                rows.append({name: row[name] for name in columns})
        except csv.Error as error:
            raise DataError(f"{file} is no table: {error}") from error
    return rows


def first_line(file: Path) -> str:
    """What a text file begins with, to tell what it is; empty where that is no text."""
    try:
        with file.open(encoding="utf-8-sig") as text:
            return text.readline(_MOST_LINE).rstrip("\r\n")
    except (OSError, UnicodeDecodeError):
        return ""


def as_text(value: object, name: str) -> str:
    """A text; raises SettingsError for anything else, as those below do."""
    if not isinstance(value, str):
        raise SettingsError(f"{name} must be a text, got {value!r}")
    return value


def as_number(value: object, name: str) -> float:
    """A finite number; true and false are none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SettingsError(f"{name} must be a number, got {value!r}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):  # 1e999 passes JSON as infinity
        raise SettingsError(f"{name} must be a finite number")
    return number


def as_whole(value: object, name: str) -> int:
    """A whole number of 0 or more."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise SettingsError(f"{name} must be a whole number of 0 or more, got {value!r}")
    return value


@contextmanager
def _text(file: Path) -> Iterator[IO[str]]:
    try:
        # A pipe or a device would never end.
        if not file.is_file():
            raise DataError(f"{file} must be a file, and there is none")
        size = file.stat().st_size
        if size > MOST_BYTES:
            raise DataError(f"{file} may have {MOST_BYTES:,} bytes, has {size:,}")
        with file.open(encoding="utf-8-sig", newline="") as text:
            yield text
    except OSError as error:
        raise DataError(f"{file} cannot be read ({error.strerror or error})") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{file} must be text in UTF-8: {error.reason} at byte {error.start}") from error


def _object(text: str, where: str) -> dict[str, Any]:
    try:
        found = read_json(text)
    except RecursionError as error:
        raise DataError(f"{where} is nested too deeply") from error
    except SettingsError as error:
        raise DataError(f"{where}: {error}") from error
    except ValueError as error:
        raise DataError(f"{where} is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise DataError(f"{where} must be an object, got {type(found).__name__}")
    return found
