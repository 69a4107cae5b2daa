"""The manifest: for every video of an extraction, what came of it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unmask.errors import DataError, MissingExtraError
from unmask.lab.crops.sums import check_sum

if TYPE_CHECKING:
    from pandas import DataFrame

MANIFEST_NAME = "manifest.jsonl"
COLUMNS = {
    "name": "str",
    "status": "str",
    "reason": "str",
    "people": "int64",
    "crops": "int64",
    "frames": "int64",
    "damage": "str",
    "boxes": "str",
    "shard": "str",
}


def read_manifest(folder: Path) -> DataFrame:
    """What came of every video, by its name in the video index, in the order of the shards.

    Args:
        folder: What ``unmask extract`` filled.

    Returns:
        By ``name``: ``status`` (``done``, ``no_face``, ``unreadable``, ``error`` where unmask itself failed,
        or ``left_out`` of faces that came cut out already), ``reason``, number of ``people``, ``crops`` and
        sampled ``frames``, ``damage`` met, whose ``boxes`` it was cut by, and its ``shard``.

    Raises:
        DataError: There is none, or a line of it is no record.
        MissingExtraError: pandas is not installed.
    """
    try:
        import pandas
    except ModuleNotFoundError as error:
        raise MissingExtraError("pandas", extra="data") from error
    try:
        return pandas.DataFrame(_records(folder))[list(COLUMNS)].astype(COLUMNS).set_index("name")
    except KeyError as error:
        raise DataError(f"{folder / MANIFEST_NAME} is no manifest: {error}") from error


def count_manifest(folder: Path) -> dict[str, Any]:
    """Numbers of videos by status, of people and of crops.

    Raises:
        DataError: There is no manifest, or a line of it is no record.
    """
    status: Counter[str] = Counter()
    people = crops = 0
    for record in _records(folder):
        status[record["status"]] += 1
        people, crops = people + record["people"], crops + record["crops"]
    return {"videos": status.total(), "status": dict(status), "people": people, "crops": crops}


def _check_kinds(record: dict[str, Any]) -> None:
    for name, kind in COLUMNS.items():
        value = record[name]
        ok = _is_text(value) if kind == "str" else type(value) is int and 0 <= value < 1 << 63
        if not ok:
            raise ValueError(f"{name} must be {'a text' if kind == 'str' else 'a count'}, got {value!r:.80}")


def _is_text(value: object) -> bool:
    """Whether it is one that UTF-8 can hold, too; JSON can name halves of characters."""
    return isinstance(value, str) and not any("\ud800" <= letter <= "\udfff" for letter in value)


def _records(folder: Path) -> Iterator[dict[str, Any]]:
    file = folder / MANIFEST_NAME
    if not file.is_file():
        raise DataError(f"{folder} must hold {MANIFEST_NAME}, which the end of an extraction writes")
    check_sum(folder, MANIFEST_NAME)
    with file.open("rb") as lines:  # what is no text is found where its line is read
        for number, line in enumerate(lines, start=1):
            try:
                record: dict[str, Any] = json.loads(line)
                if not set(COLUMNS) <= record.keys():
                    raise ValueError("it lacks a field")
                _check_kinds(record)
            except (ValueError, AttributeError, RecursionError) as error:
                raise DataError(f"{file}: line {number} is no record: {error}") from error
            yield {name: record[name] for name in COLUMNS}
