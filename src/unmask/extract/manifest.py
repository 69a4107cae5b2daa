"""The manifest: for every video of an extraction, what came of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from unmask.errors import DataError, MissingExtraError

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
        By ``name``: ``status`` (``done``, ``no_face``, ``unreadable``), ``reason``, number of ``people``,
        ``crops`` and sampled ``frames``, ``damage`` met, whose ``boxes`` it was cut by, and its ``shard``.

    Raises:
        DataError: There is none, or a line of it is no record.
        MissingExtraError: pandas is not installed.
    """
    try:
        import pandas
    except ModuleNotFoundError as error:
        raise MissingExtraError("pandas", extra="data") from error
    file = folder / MANIFEST_NAME
    if not file.is_file():
        raise DataError(
            f"{folder} must hold {MANIFEST_NAME}; an extraction writes it at its end: run it again"
        )
    try:
        frame = pandas.read_json(file, lines=True, dtype=COLUMNS, convert_dates=False)
        return frame[list(COLUMNS)].set_index("name")
    except (ValueError, KeyError) as error:
        raise DataError(f"{file} is no manifest: {error}") from error
