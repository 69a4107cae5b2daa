"""A log of steps in which each line holds the hash of the one before, so that a change is noticed and named.

It tells damage, slips and edits of single lines. It is no signature: whoever rewrites the log from a line on
to its end can hash it anew, which shows only where the last hash was noted elsewhere.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from unmask.errors import DataError
from unmask.files import write_whole

FIRST, LAST = "opened", "closed"
"""Steps that a log begins and ends with."""

MAX_BYTES = 64 << 20
_START = "0" * 64  # what stands for the line before the first one
_KEYS = ("number", "time", "step", "values", "before", "sha256")


def utc_now() -> str:
    """The time now in UTC, to the second, as in ``2026-05-01T12:00:00Z``."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line.

    Attributes:
        number: From 1.
        time: In UTC, as `utc_now` gives it.
        step: What was done, a word.
        values: Of that step, plain JSON types.
        before: Hash of the line before; zeros in the first.
        sha256: Of the others, so that a change in the last line shows too.
    """

    number: int
    time: str
    step: str
    values: dict[str, Any]
    before: str
    sha256: str


class Ledger:
    """A log that is being written, as a whole each time.

    Args:
        file: Where to; whatever lies there is replaced.
        clock: Tells the time.

    Raises:
        OSError: It cannot be written.
    """

    def __init__(self, file: Path, *, clock: Callable[[], str] = utc_now) -> None:
        self._file, self._clock = file, clock
        self._lines: list[str] = []
        self._head = _START

    def add(self, step: str, **values: Any) -> Entry:
        """Write down a step."""
        number = len(self._lines) + 1
        entry = _sealed(Entry(number, self._clock(), step, values, self._head, ""))
        self._lines.append(_line(entry))
        self._head = _digest(self._lines[-1])
        write_whole(self._file, "".join(f"{line}\n" for line in self._lines))
        return entry

    @property
    def lines(self) -> int:
        """How many there are so far."""
        return len(self._lines)

    @property
    def head(self) -> str:
        """Hash of the last line; noted elsewhere, it shows whether the log as a whole was rewritten."""
        return self._head


@dataclass(frozen=True, slots=True)
class Checked:
    """What a log is found to be.

    Attributes:
        entries: Those that can be read.
        problems: A sentence for each; none where all is as it was written.
        head: Hash of the last line.
    """

    entries: tuple[Entry, ...]
    problems: tuple[str, ...]
    head: str


def check_ledger(file: Path) -> Checked:
    """Hold each line of a log against its own hash and against the line before.

    Raises:
        DataError: The file cannot be read, or is too long.
    """
    try:
        if file.stat().st_size > MAX_BYTES:
            raise DataError(f"{file}: a log must have at most {MAX_BYTES} bytes, got {file.stat().st_size}")
        data = file.read_bytes()
    except OSError as error:
        raise DataError(f"{file}: {error.strerror}") from error
    lines = data.decode("utf-8", "surrogateescape").split("\n")
    problems = [] if lines.pop() == "" else ["the last line is cut short"]
    entries: list[Entry] = []
    head, expected = _START, 1
    for place, line in enumerate(lines, 1):
        entry = _entry(line)
        if entry is None:
            problems.append(f"line {place} was changed: it is not what its hash says")
            expected += 1
        else:
            problems += _misplaced(entry, place, expected, head)
            entries.append(entry)
            expected = entry.number + 1
        head = _digest(line)
    if not entries or entries[0].step != FIRST:
        problems.append("the log does not begin with its first line")
    if not entries or entries[-1].step != LAST:
        problems.append(
            "the log does not end with its last line: lines at its end were removed, or never written"
        )
    return Checked(tuple(entries), tuple(problems), head)


def _misplaced(entry: Entry, place: int, expected: int, head: str) -> Iterator[str]:
    if entry.number > expected:
        gone = ", ".join(map(str, range(expected, min(entry.number, expected + 20))))
        yield f"line {place} is entry {entry.number}: entry {gone} was removed before it, or stands elsewhere"
    elif entry.number < expected:
        yield f"line {place} is entry {entry.number}: lines were put into another order, or repeated"
    elif entry.before != head:
        yield f"line {place} does not follow the line before it: that line was changed or replaced"


def _entry(line: str) -> Entry | None:
    """The entry of a line; None where a byte of it is not as it was written."""
    try:
        values = json.loads(line)
        entry = Entry(**values) if isinstance(values, dict) and tuple(values) == _KEYS else None
    except (ValueError, RecursionError, TypeError):
        return None
    good = entry is not None and isinstance(entry.number, int) and _sealed(entry) == entry
    return entry if good and entry is not None and _line(entry) == line else None


def _sealed(entry: Entry) -> Entry:
    values = [getattr(entry, name) for name in _KEYS[:-1]]
    return replace(entry, sha256=_digest(json.dumps(values)))


def _line(entry: Entry) -> str:
    return json.dumps({name: getattr(entry, name) for name in _KEYS})


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def told(entries: Sequence[Entry], step: str) -> list[dict[str, Any]]:
    """The values of every entry of a step."""
    return [entry.values for entry in entries if entry.step == step]
