"""Verdicts as CSV for a spreadsheet: a row for each file, person or suspicious stretch."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from unmask.errors import SettingsError, require
from unmask.files import whole_file
from unmask.judge.reasons import most_suspicious
from unmask.reasons import shown_number
from unmask.verdicts import Person, Segment, Verdict

ROWS = ("file", "person", "segment")
"""What a row can be."""

CSV_COLUMNS = (
    "path", "outcome", "p_fake", "reason", "damaged", "people", "sha256", "model", "model_sha256", "unmask",
    "seconds", "log_odds", "looks",
)  # fmt: skip
PERSON_COLUMNS = (
    "path", "outcome", "p_fake", "person", "person_p_fake", "kept", "why_dropped", "start_seconds",
    "end_seconds", "suspicious_from_seconds", "suspicious_to_seconds", "shots", "frames", "detail_px",
    "drawn", "picture", "sha256", "model", "model_sha256", "unmask",
)  # fmt: skip
SEGMENT_COLUMNS = (
    "path", "outcome", "p_fake", "looks", "person", "shot", "start_seconds", "end_seconds", "segment_p_fake",
    "segment_outcome", "sha256", "model", "model_sha256", "unmask",
)  # fmt: skip


def check_rows(rows: str, csv: Path | None) -> None:
    """Fail before hours of work.

    Raises:
        SettingsError: There are no such rows, or there is no table to have them.
    """
    require(rows in ROWS, f"--csv-rows must be one of {', '.join(ROWS)}", rows)
    if csv is None:
        raise SettingsError(f"--csv-rows {rows} says what is in the table, so it needs --csv FILE")


def write_csv(path: Path, verdicts: Sequence[Verdict], *, rows: str = ROWS[0]) -> None:
    """Write all rows or leave the old file: a new file takes its place when it is complete.

    A file without a person or a segment has a row all the same, with these columns empty: nobody is to take
    a file that could not be judged for one in which nothing was found.

    Args:
        path: The table.
        verdicts: One for each file.
        rows: One of `ROWS`. People and shots count from 1, as in reports.

    Raises:
        OSError: It cannot be written.
    """
    columns, row = {
        "file": (CSV_COLUMNS, _of_file),
        "person": (PERSON_COLUMNS, _of_people),
        "segment": (SEGMENT_COLUMNS, _of_segments),
    }[rows]
    # Bytes of a path that are no UTF-8 go out as they came in.
    with (
        whole_file(path) as draft,
        draft.open("w", newline="", encoding="utf-8", errors="surrogateescape") as file,
    ):
        table = csv.writer(file)
        table.writerow(columns)
        for verdict in verdicts:
            table.writerows(row(verdict))


def _of_file(verdict: Verdict) -> Iterator[list[object]]:
    yield [
        verdict.path,
        verdict.outcome.value,
        _or_empty(verdict.p_fake),
        verdict.reason,
        _flag(verdict.damaged),
        sum(person.kept for person in verdict.people),
        *_origin(verdict),
        verdict.seconds.get("total", ""),
        _or_empty(verdict.log_odds),
        verdict.looks,
    ]


def _of_people(verdict: Verdict) -> Iterator[list[object]]:
    start = [verdict.path, verdict.outcome.value, _or_empty(verdict.p_fake)]
    for person in verdict.people:
        yield [*start, *_person(person), *_origin(verdict)]
    if not verdict.people:
        yield [*start, *[""] * (len(PERSON_COLUMNS) - len(start) - 4), *_origin(verdict)]


def _person(person: Person) -> list[object]:
    times = [frame.time_seconds for frame in person.frames]
    suspicious = most_suspicious(person.frames) if person.p_fake is not None and times else ("", "")
    return [
        shown_number(person.id),
        _or_empty(person.p_fake),
        _flag(person.kept),
        person.why_dropped or "",
        *((times[0], times[-1]) if times else ("", "")),
        *suspicious,
        len({one.shot for one in person.appearances}),
        len(times),
        _or_empty(person.detail_px),
        _flag(person.drawn),
        _flag(person.picture),
    ]


def _of_segments(verdict: Verdict) -> Iterator[list[object]]:
    start = [verdict.path, verdict.outcome.value, _or_empty(verdict.p_fake), verdict.looks]
    for one in verdict.segments:
        yield [*start, *_segment(one), *_origin(verdict)]
    if not verdict.segments:
        yield [*start, *[""] * (len(SEGMENT_COLUMNS) - len(start) - 4), *_origin(verdict)]


def _segment(one: Segment) -> list[object]:
    number = shown_number(one.person), one.shot + 1
    return [*number, one.start_seconds, one.end_seconds, one.p_fake, one.outcome.value]


def _origin(verdict: Verdict) -> list[object]:
    return [verdict.sha256 or "", verdict.model.name, verdict.model.sha256, verdict.unmask]


def _flag(value: bool) -> str:
    return str(value).lower()


def _or_empty(value: float | None) -> object:
    return "" if value is None else value
