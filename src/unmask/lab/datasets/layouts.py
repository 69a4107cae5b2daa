"""How data sets lay out their files, and what that says of each video.

DFDC (a ``metadata.json`` in every folder), FaceForensics++, Celeb-DF, and plain ``real/`` and ``fake/``
folders. Each layout is a function from the files of a source to rows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from unmask.archive.sources import Opener, SourceFile
from unmask.errors import DataError, SettingsError
from unmask.lab.datasets.metadata import MAX_METADATA_BYTES, Label, parse_metadata

VIDEO_SUFFIXES = (
    ".mp4", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".m4v", ".ts", ".flv", ".wmv", ".gif",
)  # fmt: skip
METADATA_NAME = "metadata.json"


@dataclass(slots=True)
class Row:
    """One video, before anybody looked into it.

    Attributes:
        name: What the set calls it; see each layout.
        path: What opens it, see `unmask.archive.sources`; for a missing file where it should be.
        part: Folder, zip or kind that it belongs to.
        label: ``REAL``, ``FAKE`` or None where nothing says.
        original: Name of the real video that a fake was made from; None for others.
        split: As the set says.
        size_bytes: None for a missing file.
        status: ``ok``, or what is wrong with it, see `unmask.lab.datasets.video_index`.
        why: What more there is to say of that.
        person: Who is in it, where the set's names say so.
        donor: Name of the video whose face was put in, where the set's names say so.
    """

    name: str
    path: str
    part: str
    label: str | None = None
    original: str | None = None
    split: str | None = None
    size_bytes: int | None = None
    status: str = "ok"
    why: str | None = None
    person: str | None = None
    donor: str | None = None


Layout = Callable[[Sequence[SourceFile], Opener], Iterator[Row]]


def read_rows(entries: Sequence[SourceFile], opener: Opener, *, layout: str = "auto") -> list[Row]:
    """Rows for the videos of one source.

    Args:
        entries: All its files.
        opener: Reads its tables.
        layout: A key of `LAYOUTS`, or ``auto``.

    Raises:
        SettingsError: There is no such layout.
        DataError: A table is broken, or the source holds no videos.
    """
    if layout != "auto" and layout not in LAYOUTS:
        raise SettingsError(f"unknown layout {layout!r}; choose from: auto, {', '.join(LAYOUTS)}")
    rows = list(LAYOUTS[find_layout(entries) if layout == "auto" else layout](entries, opener))
    if not rows:
        place = entries[0].inner.partition("/")[0] if entries else "the source"
        raise DataError(
            f"{place} must hold videos, found none among {len(entries)} files; looked for"
            f" {', '.join(VIDEO_SUFFIXES)}"
        )
    return rows


def find_layout(entries: Sequence[SourceFile]) -> str:
    """Which layout the names of files and folders show.

    Example:
        >>> find_layout([SourceFile("/d/real/a.mp4", "d/real/a.mp4", 9)])
        'real-fake'
    """
    if any(entry.name == METADATA_NAME for entry in entries):
        return "dfdc"
    folders = {part for entry in entries for part in entry.folder.split("/")}
    if folders & {"original_sequences", "manipulated_sequences"}:
        return "faceforensics"
    if folders & {"Celeb-real", "Celeb-synthesis", "YouTube-real"}:
        return "celebdf"
    return "real-fake" if {folder.lower() for folder in folders} & {"real", "fake"} else "plain"


def _videos(entries: Sequence[SourceFile]) -> Iterator[SourceFile]:
    return (entry for entry in entries if entry.name.lower().endswith(VIDEO_SUFFIXES))


def _row(entry: SourceFile, name: str, part: str) -> Row:
    row = Row(name=name, path=entry.path, part=part, size_bytes=entry.size_bytes)
    if entry.problem:
        row.status, row.why = "damaged", entry.problem
    return row


def _last(folder: str) -> str:
    return folder.rpartition("/")[2]


def _dfdc(entries: Sequence[SourceFile], opener: Opener) -> Iterator[Row]:
    """Labels from ``metadata.json`` beside the videos; named by file name; a part is a folder."""
    for folder, group in groupby(
        sorted(entries, key=lambda entry: entry.inner), key=lambda entry: entry.folder
    ):
        files = list(group)
        tables = [entry for entry in files if entry.name == METADATA_NAME]
        labels: dict[str, Label] | None = None
        if tables:
            where = f"{folder}/{METADATA_NAME}"
            labels = parse_metadata(opener.read(tables[-1].path, limit_bytes=MAX_METADATA_BYTES), where=where)
        seen = set()
        for entry in _videos(files):
            row = _row(entry, entry.name, _last(folder))
            seen.add(entry.name)
            if labels is not None and entry.name in labels:
                known = labels[entry.name]
                row.label, row.original, row.split = known.label, known.original, known.split
            elif labels is not None and row.status == "ok":
                row.status = "unlisted"
            yield row
        for name, known in (labels or {}).items():
            if name not in seen:
                path = tables[-1].path.replace(f"/{METADATA_NAME}", f"/{name}")
                path = path.replace(f"zip://{METADATA_NAME}::", f"zip://{name}::")
                yield Row(
                    name, path, _last(folder), known.label, known.original, known.split, status="missing"
                )


_FF_KINDS = {"original_sequences": "REAL", "manipulated_sequences": "FAKE"}
_FF_DEEPFAKE_DETECTION = re.compile(r"(\d+)_(\d+)(__.+)__[A-Z0-9]+(\.\w+)")
_FF_SWAP = re.compile(r"(\w+?)_(\w+?)(\.\w+)")


def _faceforensics(entries: Sequence[SourceFile], _: Opener) -> Iterator[Row]:
    """Named ``METHOD/COMPRESSION/FILE``, as methods share names; ``000_003`` is 000 with the face of 003."""
    for entry in _videos(entries):
        parts = entry.inner.split("/")
        kind = next((number for number, part in enumerate(parts) if part in _FF_KINDS), None)
        if kind is None or len(parts) < kind + 5 or "masks" in parts:
            continue
        method, compression, file = parts[kind + 1], parts[kind + 2], parts[-1]
        row = _row(entry, f"{method}/{compression}/{file}", f"{method}/{compression}")
        row.label = _FF_KINDS[parts[kind]]
        if row.label == "FAKE":
            actors = _FF_DEEPFAKE_DETECTION.fullmatch(file)
            swap = _FF_SWAP.fullmatch(file)
            if actors:
                target, donor, scene, suffix = actors.groups()
                row.original = f"actors/{compression}/{target}{scene}{suffix}"
                row.donor = f"actors/{compression}/{donor}{scene}{suffix}"
                row.person = f"actor {target}"
            elif swap:
                target, donor, suffix = swap.groups()
                row.original = f"youtube/{compression}/{target}{suffix}"
                row.donor = f"youtube/{compression}/{donor}{suffix}"
                row.person = f"youtube {target}"
        elif method == "actors":
            row.person = f"actor {file.partition('_')[0]}"
        else:
            row.person = f"{method} {file.partition('.')[0]}"
        yield row


_CELEB_KINDS = {"Celeb-real": "REAL", "YouTube-real": "REAL", "Celeb-synthesis": "FAKE"}
_CELEB_FAKE = re.compile(r"(id\d+)_(id\d+)_(\d+\.\w+)")
_CELEB_TEST_LIST = "List_of_testing_videos.txt"


def _celebdf(entries: Sequence[SourceFile], opener: Opener) -> Iterator[Row]:
    """Named by file; ``id0_id1_0003`` is ``id0_0003`` with the face of id1; the official list is the test."""
    tested: set[str] | None = None
    for entry in entries:
        if entry.name == _CELEB_TEST_LIST:
            text = opener.read(entry.path, limit_bytes=MAX_METADATA_BYTES).decode("utf-8", "replace")
            tested = {line.split()[-1] for line in text.splitlines() if line.strip()}
    for entry in _videos(entries):
        kind = _last(entry.folder)
        if kind not in _CELEB_KINDS:
            continue
        row = _row(entry, entry.name, kind)
        row.label = _CELEB_KINDS[kind]
        if tested is not None:
            row.split = "test" if f"{kind}/{entry.name}" in tested else "train"
        fake = _CELEB_FAKE.fullmatch(entry.name)
        if fake and row.label == "FAKE":
            row.original = f"{fake[1]}_{fake[3]}"
        if kind != "YouTube-real":
            row.person = entry.name.partition("_")[0]
        yield row


def _real_fake(entries: Sequence[SourceFile], _: Opener) -> Iterator[Row]:
    """Labelled by the nearest folder, named from there on; fake/a is taken to be made from real/a."""
    reals = set()
    rows: list[tuple[Row, str]] = []
    for entry in _videos(entries):
        parts = entry.inner.split("/")
        kinds = [number for number, part in enumerate(parts[:-1]) if part.lower() in ("real", "fake")]
        if not kinds:
            row, below = _row(entry, entry.inner.partition("/")[2] or entry.name, _last(entry.folder)), ""
        else:
            kind = kinds[-1]
            below = "/".join(parts[kind + 1 :])
            row = _row(entry, f"{parts[kind].lower()}/{below}", parts[kind - 1] if kind else parts[kind])
            row.label = parts[kind].upper()
            if row.label == "REAL":
                reals.add((row.part, below))
        rows.append((row, below))
    for row, below in rows:
        if row.label == "FAKE" and (row.part, below) in reals:
            row.original = f"real/{below}"
        yield row


def _plain(entries: Sequence[SourceFile], _: Opener) -> Iterator[Row]:
    """No labels; named by place."""
    for entry in _videos(entries):
        yield _row(entry, entry.inner.partition("/")[2] or entry.name, _last(entry.folder))


LAYOUTS: dict[str, Layout] = {
    "dfdc": _dfdc,
    "faceforensics": _faceforensics,
    "celebdf": _celebdf,
    "real-fake": _real_fake,
    "plain": _plain,
}
