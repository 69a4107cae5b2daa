"""The SHA-256 of every file of a folder of packed crops, in the format of ``sha256sum``.

Index and manifest are held against it whenever they are read. Shards are too large for that: the index has a
check sum of every crop, and ``unmask extract`` on a finished folder, or ``sha256sum -c``, reads them whole.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from unmask.errors import DataError
from unmask.files import fingerprint

SUMS_NAME = "sha256.txt"
_LISTED = (".tar", ".jsonl")  # shards, index and manifest: all of them, or the list was cut short
_LINE = re.compile(r"([0-9a-f]{64})  ([\w.-]+)\n", re.ASCII)


def list_sums(sums: Mapping[str, str]) -> str:
    """The list as it is stored, from SHA-256 by the file's name.

    >>> list_sums({"b.tar": "2" * 64, "a.tar": "1" * 64}).splitlines()[0][60:]
    '1111  a.tar'
    """
    return "".join(f"{sums[name]}  {name}\n" for name in sorted(sums))


def check_sum(folder: Path, name: str) -> None:
    """Hold a file against the list; folders of an earlier version have none, which is no fault.

    Raises:
        DataError: A byte of the file, or of the list, was changed.
    """
    sums = _read_sums(folder)
    if sums is None:
        return
    if name not in sums:
        raise DataError(f"{folder / SUMS_NAME} must list {name}: it was changed")
    try:
        found = fingerprint(folder / name)
    except OSError as error:
        raise DataError(f"{folder / name}: listed in {SUMS_NAME}, but {error.strerror}") from error
    if found != sums[name]:
        raise DataError(
            f"{folder / name}: SHA-256 must be {sums[name]} as in {SUMS_NAME}, got {found}: one of both was "
            "changed; extract again into an empty folder"
        )


def check_sums(folder: Path) -> None:
    """Hold every file against the list, which reads all of them.

    Raises:
        DataError: A byte of any of them was changed, or a file is missing or was added.
    """
    sums = _read_sums(folder)
    if sums is None:
        return
    listed = {name for name in sums if name.endswith(_LISTED)}
    there = {file.name for file in folder.iterdir() if file.name.endswith(_LISTED)}
    if listed != there:
        odd = min(listed ^ there)
        raise DataError(f"{folder / SUMS_NAME} must list what is there, {odd} is only in one")
    for name in sums:
        check_sum(folder, name)


def _read_sums(folder: Path) -> dict[str, str] | None:
    file = folder / SUMS_NAME
    try:
        text = file.read_bytes().decode("ascii")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{file} cannot be read: {error}") from error
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(keepends=True) or [""], start=1):
        match = _LINE.fullmatch(line)
        if match is None or match[2] in found:
            raise DataError(f"{file}: line {number} must be a SHA-256 and a name, each once: it was changed")
        found[match[2]] = match[1]
    return found
