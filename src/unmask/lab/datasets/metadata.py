"""Labels in JSON, read strictly: what plain ``json.load`` lets pass without a word is refused by row.

Duplicate keys (the last label would win), NaN, numbers of thousands of digits, names that lead out of the
folder, and labels that are none.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import Any

from unmask.errors import DataError

MAX_METADATA_BYTES = 64 * 2**20
"""Largest metadata file that is read; a part of DFDC has about 300 kB."""

_MAX_NAME_BYTES = 255
_MAX_DIGITS = 18


@dataclass(frozen=True, slots=True)
class Label:
    """What a metadata file says of one video.

    Attributes:
        label: ``REAL`` or ``FAKE``.
        original: File name of the real video that a fake was made from; None for a real one.
        split: Such as ``train``; None where it says nothing.
    """

    label: str
    original: str | None
    split: str | None


@dataclass(frozen=True, slots=True)
class _Refused:
    """Stands where the parser met what it must not, until the row around it is known."""

    why: str


def parse_metadata(data: bytes, *, where: str) -> dict[str, Label]:
    """Read a ``metadata.json`` as DFDC has it.

    Args:
        data: The file's bytes, UTF-8 or, with a byte-order mark, UTF-16.
        where: Its name, for messages.

    Returns:
        What it says by file name, in its order.

    Raises:
        DataError: It is no such table; the message names the row that was wrong.

    Example:
        >>> parse_metadata(b'{"a.mp4": {"label": "REAL", "split": "train"}}', where="metadata.json")
        {'a.mp4': Label(label='REAL', original=None, split='train')}
        >>> parse_metadata(b'{"../a.mp4": {"label": "REAL"}}', where="metadata.json")
        Traceback (most recent call last):
        unmask.errors.DataError: metadata.json: row '../a.mp4': a name must be a plain file name
    """
    table = parse_json(data, where=where)
    if isinstance(table, _Refused):
        raise DataError(f"{where}: {table.why}")
    if not isinstance(table, dict):
        raise DataError(f"{where} must map file names to tables, got a {type(table).__name__}")
    return {name: _read_row(name, row, where=where) for name, row in table.items()}


def parse_json(data: bytes, *, where: str) -> Any:
    """Parse JSON; what is not allowed comes back as a marker in its place, to be refused by row.

    Raises:
        DataError: It is too large, no JSON, or nested too deep.
    """
    if len(data) > MAX_METADATA_BYTES:
        raise DataError(f"{where} may have {MAX_METADATA_BYTES} bytes, got {len(data)}")
    try:
        return json.loads(
            data.decode(json.detect_encoding(data)),  # Windows writes a byte-order mark, and UTF-16 too
            object_pairs_hook=_unique,
            parse_constant=lambda text: _Refused(f"{text} is no number in JSON"),
            parse_int=_short_integer,
            parse_float=_finite,
        )
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where} is no JSON: {error}{_way_out(data)}") from error


def _way_out(data: bytes) -> str:
    """What to do where the usual mistake is made, which JavaScript allows."""
    found = re.search(rb",\s*[}\]]", data)
    if found is None:
        return ""
    line = data.count(b"\n", 0, found.start()) + 1
    return f"; JSON allows no comma before a closing bracket, as in line {line}: take it out"


def check_name(name: object, *, where: str) -> str:
    """A plain file name, which leads nowhere else.

    Raises:
        DataError: It is anything else.
    """
    ok = (
        isinstance(name, str)
        and 0 < len(name.encode("utf-8", "surrogatepass")) <= _MAX_NAME_BYTES
        and name.isprintable()
        and not set(name) & set("/\\:")
        and name not in (".", "..")
    )
    if not ok:
        shown = repr(name) if len(repr(name)) < 80 else repr(name)[:77] + "..."
        raise DataError(f"{where}: row {shown}: a name must be a plain file name")
    return str(name)


def _read_row(name: str, row: Any, *, where: str) -> Label:
    check_name(name, where=where)
    place = f"{where}: row {name!r}"
    if isinstance(row, _Refused):
        raise DataError(f"{place}: {row.why}")
    if not isinstance(row, dict):
        raise DataError(f"{place} must be a table with a label, got {row!r}")
    for key, value in row.items():
        if isinstance(value, _Refused):
            raise DataError(f"{place}: {key}: {value.why}")
    label, original, split = row.get("label"), row.get("original"), row.get("split")
    if label not in ("REAL", "FAKE"):
        raise DataError(f"{place}: label must be REAL or FAKE, got {label!r}")
    if original is not None:
        check_name(original, where=f"{place}: original")
    if split is not None and not isinstance(split, str):
        raise DataError(f"{place}: split must be text, got {split!r}")
    return Label(label, original if label == "FAKE" else None, split)


def _unique(pairs: list[tuple[str, Any]]) -> Any:
    table: dict[str, Any] = {}
    for key, value in pairs:
        if key in table:
            return _Refused(f"the key {key!r} comes twice")
        table[key] = value
    return table


def _short_integer(text: str) -> Any:
    return int(text) if len(text) <= _MAX_DIGITS else _Refused(f"a number of {len(text)} digits")


def _finite(text: str) -> Any:
    number = float(text)
    return number if math.isfinite(number) else _Refused(f"{text[:20]} is beyond any number")
