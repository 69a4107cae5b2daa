"""The index of a data set: one row a video, as a pandas DataFrame by file name, stored as Parquet or CSV.

Columns
    path: What opens it; ordinary paths are absolute, others as in `unmask.archive.sources`.
    part: Folder, zip or kind that it belongs to.
    label: ``REAL``, ``FAKE``, or missing where nothing says.
    original: Name of the real video that a fake was made from.
    split: As the data set or ``unmask data split`` says.
    size_bytes, sha256: Of the file; the hash only when asked for.
    duration_seconds, fps, frames, width, height, rotation, codec, has_audio: As the container says; size
        after rotation, rotation in degrees clockwise to upright.
    readable: Whether a first frame could be decoded; missing when nobody tried.
    status: ``ok``, ``missing``, ``duplicate``, ``unlisted``, ``damaged``, ``excluded`` by an audit, or
        ``failed`` where unmask itself failed, which says nothing of the video.
    why: Of what it is a duplicate, what the damage is, and so on; missing where there is no more to say.
    encoder, format: What wrote it, and the container, as the file says.
    person, donor: Who is in it, and the video whose face was put in, where the set's names say so.

Only rows with status ``ok`` are for use.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unmask.archive.entries import list_entries
from unmask.archive.sources import Opener
from unmask.errors import DataError, MissingExtraError, system_words
from unmask.files import whole_file
from unmask.lab.datasets.layouts import Row, read_rows

if TYPE_CHECKING:
    from pandas import DataFrame, Series

COLUMNS = {
    "path": "str",
    "part": "str",
    "label": "str",
    "original": "str",
    "split": "str",
    "size_bytes": "Int64",
    "sha256": "str",
    "duration_seconds": "float64",
    "fps": "float64",
    "frames": "Int64",
    "width": "Int64",
    "height": "Int64",
    "rotation": "Int64",
    "codec": "str",
    "has_audio": "boolean",
    "readable": "boolean",
    "status": "str",
    "why": "str",
    "encoder": "str",
    "format": "str",
    "person": "str",
    "donor": "str",
}
"""Columns and their pandas types; the frame's index is ``name``."""

_FROM_LAYOUT = {field.name for field in fields(Row)} - {"name"}
OK = "ok"
Paths = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]


def index(
    paths: Paths,
    *,
    layout: str = "auto",
    probe: bool = True,
    sha256: bool = False,
    jobs: int = 1,
    on_probed: Callable[[int, int], None] | None = None,
) -> DataFrame:
    """Index data sets, or read an index that was stored.

    Args:
        paths: Folders, zip files, addresses such as ``s3://bucket/dfdc``; or one ``.parquet`` or ``.csv``.
        layout: How the files lie, a key of `unmask.lab.datasets.layouts.LAYOUTS`; ``auto`` looks at names.
        probe: Open every video for duration, size, codec and so on; else only names and labels are read.
        sha256: Hash every file, which reads all of it.
        jobs: Processes that open videos; 1 does it here.
        on_probed: Told how many of how many videos have been opened.

    Returns:
        One row a video by file name, with the columns that the module describes.

    Raises:
        DataError: A source is absent, or refused: bombs, names that lead elsewhere, broken tables.
        MissingExtraError: pandas, or what an address needs, is not installed.

    Example:
        >>> import tempfile, pathlib
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = (pathlib.Path(folder) / "metadata.json").write_text('{"a.mp4": {"label": "REAL"}}')
        ...     index(folder)[["label", "status"]].to_dict("index")
        {'a.mp4': {'label': 'REAL', 'status': 'missing'}}
    """
    given = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    if len(given) == 1 and os.fspath(given[0]).lower().endswith((".parquet", ".csv")):
        return read_index_file(Path(given[0]))
    rows: list[Row] = []
    with Opener() as opener:
        for path in given:
            rows += read_rows(list_entries(path), opener, layout=layout)
    _mark_duplicates(rows)
    facts: dict[int, dict[str, Any]] = {}
    if probe or sha256:
        from unmask.lab.datasets.probe import ProbeSettings, probe_rows

        settings = ProbeSettings(container=probe, sha256=sha256, jobs=jobs)
        facts = probe_rows(rows, settings, on_probed=on_probed)
    return _frame(rows, facts)


def read_index_file(path: str | os.PathLike[str]) -> DataFrame:
    """Read an index from Parquet or CSV and check it; columns beyond the known ones stay.

    Raises:
        DataError: It is absent, no table, lacks a column, or has a label that is none.
    """
    pandas = _pandas()
    file = Path(path)
    suffix = file.suffix.lower()
    if suffix not in _READERS:
        raise DataError(f"an index must end in {' or '.join(_READERS)}, got {file}")
    if not file.is_file():
        raise DataError(f"{file}: no such file; make it with: unmask data index VIDEOS -o {file}")
    try:
        frame = _READERS[suffix](pandas, file)
        if "why" not in frame and "status" in frame:
            frame = _parted_status(frame)
        absent = [name for name in ("name", *COLUMNS) if name not in {*frame.columns, frame.index.name}]
        if absent:
            raise DataError(f"{file} must have the columns of an index, lacks {', '.join(absent)}")
        if frame.index.name != "name":
            frame = frame.set_index("name")
        frame = frame.astype(COLUMNS)
    except DataError:
        raise
    except (ValueError, TypeError, OSError, KeyError, OverflowError) as error:
        raise DataError(f"{file} cannot be read as an index: {error}") from error
    wrong = frame[~(frame["label"].isin(["REAL", "FAKE"]) | frame["label"].isna())]
    if len(wrong):
        raise DataError(
            f"{file}: row {wrong.index[0]!r}: label must be REAL or FAKE, got {wrong['label'].iloc[0]!r}"
        )
    return frame


def check_index_path(path: str | os.PathLike[str]) -> Path:
    """Fail before hours of work, not after them.

    Raises:
        DataError: The name has another ending, or its folder cannot be written to.
    """
    file = Path(path)
    if file.suffix.lower() not in _READERS:
        raise DataError(f"an index must end in {' or '.join(_READERS)}, got {file}")
    folder = file.absolute().parent
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise DataError(f"an index needs a folder that can be written to, got {folder}")
    return file


def write_index_file(frame: DataFrame, path: str | os.PathLike[str]) -> None:
    """Store an index as Parquet or CSV, by the name's ending; whole or not at all.

    Raises:
        DataError: The name has another ending, or it cannot be written.
    """
    file = check_index_path(path)
    try:
        with whole_file(file) as draft:
            frame.to_parquet(draft) if file.suffix.lower() == ".parquet" else frame.to_csv(draft)
    except ImportError as error:
        raise MissingExtraError("pyarrow", extra="data") from error
    except OSError as error:
        raise DataError(f"{file} cannot be written: {system_words(error)}") from error


def usable(frame: DataFrame) -> DataFrame:
    """The rows for use: status ``ok``."""
    return frame[frame["status"] == OK]


def clip_of(frame: DataFrame) -> Any:
    """For each row the name of its original, or its own name: the clip it goes back to."""
    return frame["original"].where(frame["original"].notna(), frame.index.to_series())


def _mark_duplicates(rows: list[Row]) -> None:
    """The second file of one name becomes a duplicate; a listed one is preferred to an unlisted one."""
    first: dict[str, Row] = {}
    for row in sorted(rows, key=lambda row: row.status != OK):
        if row.status not in (OK, "unlisted"):
            continue
        kept = first.setdefault(row.name, row)
        if kept is not row:
            told = "" if (kept.label, kept.original) == (row.label, row.original) else ", labelled otherwise"
            row.status, row.why = "duplicate", f"of {kept.path}{told}"


def _frame(rows: list[Row], facts: dict[int, dict[str, Any]]) -> DataFrame:
    pandas = _pandas()
    columns: dict[str, list[Any]] = {name: [] for name in COLUMNS}
    nothing: dict[str, Any] = {}
    for number, row in enumerate(rows):
        known = facts.get(number, nothing)
        for name, values in columns.items():
            values.append(getattr(row, name) if name in _FROM_LAYOUT else known.get(name))
        if "status" in known:
            columns["status"][-1], columns["why"][-1] = known["status"], known["why"]
    series = {name: pandas.Series(values, dtype=COLUMNS[name]) for name, values in columns.items()}
    frame = pandas.DataFrame(series)
    frame.index = pandas.Index([row.name for row in rows], name="name", dtype="str")
    return frame


def _pandas() -> Any:
    try:
        import pandas
    except ModuleNotFoundError as error:
        raise MissingExtraError("pandas", extra="data") from error
    return pandas


def told_status(frame: DataFrame) -> Series:
    """For each row its status, and behind a colon why, for people."""
    why = frame["why"]
    return frame["status"].where(why.isna(), frame["status"] + ": " + why)


def _parted_status(frame: DataFrame) -> DataFrame:
    """An index of a version before the column ``why``, whose ``status`` held both, as ``damaged: why``."""
    parts = frame["status"].astype("str").str.partition(": ")
    return frame.assign(status=parts[0], why=parts[2].where(parts[1] != ""))


def _read_parquet(pandas: Any, file: Path) -> Any:
    try:
        return pandas.read_parquet(file)
    except ImportError as error:
        raise MissingExtraError("pyarrow", extra="data") from error


def _read_csv(pandas: Any, file: Path) -> Any:
    known = {name: kind for name, kind in COLUMNS.items()} | {"name": "str"}
    return pandas.read_csv(file, dtype=known, keep_default_na=False, na_values=[""])


_READERS: dict[str, Callable[[Any, Path], Any]] = {".parquet": _read_parquet, ".csv": _read_csv}
