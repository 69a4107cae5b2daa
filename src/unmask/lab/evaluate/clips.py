"""The labelled clips that an evaluation is taken on: from an index, a table, or folders in DFDC's layout."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from unmask.errors import DataError

LABELS = ("REAL", "FAKE")
FACTS = ("codec", "method", "part", "split")
"""Columns of an index that slices are made by; what else a slice needs is measured on the frames."""


@dataclass(frozen=True, slots=True)
class LabelledClip:
    """One clip and what is known of it.

    Attributes:
        name: Of the file; unique in a set.
        path: What opens it, as in `unmask.archive.sources`.
        fake: Whether it is labelled FAKE.
        original: Name of the real clip that a fake was made from; its own for a real one, and for a fake
            whose original is not known.
        facts: Codec, method and so on, where an index says, and what else was asked for.
    """

    name: str
    path: str
    fake: bool
    original: str
    facts: dict[str, str] = field(default_factory=dict)


def read_clips(sources: Sequence[Path], *, by: Sequence[str] = ()) -> list[LabelledClip]:
    """Read what is to be evaluated, by name.

    Args:
        sources: An index (``.parquet``, ``.csv``); a ``.csv`` with the columns ``path`` and ``label`` and,
            where known, ``original`` and ``method``; or folders and zips in DFDC's layout.
        by: Further facts of each clip that are kept, such as ``age``: columns, or what a column
            ``attributes`` holds, such as ``age=25;sex=f``.

    Raises:
        DataError: A label is missing or no label, a name comes twice, or a class or all files are missing.
        MissingExtraError: An index is given and pandas is not installed.
    """
    if len(sources) == 1 and _is_plain_table(sources[0]):
        clips = _read_table(sources[0], by)
    else:
        clips = _read_index(sources, by)
    name = ", ".join(str(source) for source in sources)
    for fact in by:
        if not any(fact in clip.facts for clip in clips):
            raise DataError(f"{name}: --by must name a column or one of the attributes, got {fact!r}")
    _check(clips, name)
    return sorted(clips, key=lambda clip: clip.name)


def _is_plain_table(source: Path) -> bool:
    """Whether it is a table that a person wrote, rather than an index."""
    if source.suffix.lower() != ".csv" or not source.is_file():
        return False
    try:
        with source.open(newline="", encoding="utf-8-sig") as file:
            header = next(csv.reader(file), [])
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{source} cannot be read as a table: {error}") from error
    return {"path", "label"} <= set(header) and "status" not in header


def _read_table(table: Path, by: Sequence[str]) -> list[LabelledClip]:
    clips = []
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            for number, row in enumerate(csv.DictReader(file), start=2):
                path = (row["path"] or "").strip()
                if not path:
                    raise DataError(f"{table}: line {number} must name a path")
                file_path = Path(path) if Path(path).is_absolute() else table.parent / path
                label = _label((row["label"] or "").strip(), f"{table}: line {number}")
                clips.append(_clip(file_path.name, str(file_path), label, row, by))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{table} cannot be read as a table: {error}") from error
    return clips


def _read_index(sources: Sequence[Path], by: Sequence[str]) -> list[LabelledClip]:
    from unmask.lab.datasets.video_index import index, usable

    frame = index([str(source) for source in sources], probe=False)
    rows = usable(frame)
    rows = rows.astype(object).where(rows.notna(), None)
    unlabelled = rows.index[rows["label"].isna()].tolist()
    if unlabelled:
        _refuse(unlabelled, "every clip must be labelled REAL or FAKE, got no label for")
    return [
        _clip(str(name), str(row["path"]), _label(row["label"], str(name)), row, by)
        for name, row in zip(rows.index, rows.to_dict("records"), strict=True)
    ]


def _label(label: object, place: str) -> str:
    if label not in LABELS:
        raise DataError(f"{place}: label must be REAL or FAKE, got {label!r}")
    return str(label)


def _clip(name: str, path: str, label: str, row: dict[Any, Any], by: Sequence[str]) -> LabelledClip:
    original = str(row.get("original") or "").strip() or name
    told = read_attributes(str(row.get("attributes") or "")) | row
    facts = {key: str(told[key]) for key in (*FACTS, *by) if told.get(key) not in (None, "")}
    if label == "REAL" and original != name:
        raise DataError(f"{name}: a REAL clip must have no original but itself, got {original!r}")
    return LabelledClip(name, path, label == "FAKE", original, facts)


def read_attributes(text: str) -> dict[str, str]:
    """What a column ``attributes`` says.

    >>> read_attributes("age=25;sex=f")
    {'age': '25', 'sex': 'f'}
    """
    return dict(part.split("=", 1) for part in text.split(";") if "=" in part)


def _check(clips: Sequence[LabelledClip], name: str) -> None:
    fakes = sum(clip.fake for clip in clips)
    if not 0 < fakes < len(clips):
        raise DataError(
            f"{name}: both classes are needed, got {fakes} FAKE and {len(clips) - fakes} REAL; add clips of "
            "the other one"
        )
    twice = [key for key, count in Counter(clip.name for clip in clips).items() if count > 1]
    if twice:
        _refuse(twice, f"{name}: a clip's name must come once, came twice:")
    fake_names = {clip.name for clip in clips if clip.fake}
    # A fake that has only itself is one whose original nobody knows.
    wrong = [clip.name for clip in clips if clip.original in fake_names - {clip.name}]
    if wrong:
        _refuse(wrong, f"{name}: the original of a FAKE must be a REAL clip, is a FAKE for")


def _refuse(names: Sequence[str], rule: str) -> None:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    raise DataError(f"{rule} {', '.join(names[:3])}{more}")
