"""Tables and folders of faces that were cut out already."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from unmask.errors import DataError
from unmask.lab.crops.samples import MAX_KEY, make_key

SUFFIXES = (".jpg", ".jpeg", ".png")
KINDS = {
    "real": "",
    "aligned": "",
    "no_original": "",
    "unaligned": "may show a bystander who was not touched, as it is not aligned with its original",
    "unchanged": "does not differ from its original visibly",
}
"""Kinds of faces, each with the reason for which it is left out; none is stored."""


@dataclass(frozen=True, slots=True)
class CutFace:
    """A face as its table tells of it.

    Attributes:
        name: Unique; what its sample is called.
        file: Picture.
        label: ``REAL`` or ``FAKE``.
        original: Name of the real face that a fake goes back to; its own for a real one, empty if unknown.
        kind: A key of `KINDS`, or empty: then it is found out.
        width_px: Of the face before it was scaled; 0 where unknown.
        identity: Who it is; by default the original.
        split: Empty, or what it is kept for.
    """

    name: str
    file: Path
    label: str
    original: str = ""
    kind: str = ""
    width_px: int = 0
    identity: str = ""
    split: str = ""


def list_faces(place: Path) -> list[CutFace]:
    """The faces of a table (.tsv or .csv), or of a folder with the subfolders ``real`` and ``fake``.

    A table must have the columns ``name`` and ``label``; ``file`` (relative to the table; by default
    ``LABEL/NAME.jpg``), ``original``, ``kind``, ``width``, ``person`` and ``split`` may be there. A folder
    with a table called ``faces.tsv`` is read by that.

    Raises:
        DataError: It holds no face, or a row breaks a rule; the message names the row.
    """
    if place.is_dir():
        if (place / "faces.tsv").is_file():
            return list_faces(place / "faces.tsv")
        faces = [
            CutFace(make_key(f"{label}_{file.stem}"), file, label.upper())
            for label in ("real", "fake")
            for file in sorted((place / label).glob("*"))
            if file.suffix.lower() in SUFFIXES
        ]
    elif place.is_file():
        faces = list(_read_table(place))
    else:
        raise DataError(f"{place}: no such file or folder")
    if not faces:
        raise DataError(
            f"{place} must hold faces: a table with name and label, or folders real/ and fake/ with "
            f"{', '.join(SUFFIXES)}; got none"
        )
    labels: dict[str, str] = {}
    for face in faces:
        if face.name in labels:
            both = " under two labels" if labels[face.name] != face.label else ""
            raise DataError(f"{place} must name each face once, got {face.name!r} twice{both}; remove one")
        labels[face.name] = face.label
    return faces


def _read_table(file: Path) -> Iterator[CutFace]:
    with file.open(newline="", encoding="utf-8") as lines:
        rows = csv.DictReader(lines, delimiter="\t" if file.suffix == ".tsv" else ",")
        missing = {"name", "label"} - set(rows.fieldnames or ())
        if missing:
            raise DataError(
                f"{file} must have the columns name and label, got no {', '.join(sorted(missing))}"
            )
        try:
            for number, row in enumerate(rows, start=2):
                try:
                    yield _read_row({key: value or "" for key, value in row.items() if key}, file.parent)
                except ValueError as error:
                    raise DataError(f"{file}, line {number}: {error}") from error
        except (UnicodeDecodeError, csv.Error) as error:
            raise DataError(f"{file} is no table: {error}") from error


def _read_row(row: dict[str, str], folder: Path) -> CutFace:
    name, label, kind = row["name"], row["label"].upper(), row.get("kind", "")
    if not name or name != make_key(name):
        raise DataError(
            f"name must be up to {MAX_KEY} of the letters A to Z, digits, _ and -, got {name[:99]!r}"
        )
    if label not in ("REAL", "FAKE"):
        raise DataError(f"label must be real or fake, got {row['label']!r}")
    if kind and kind not in KINDS:
        raise DataError(f"kind must be one of {', '.join(KINDS)}, or empty, got {kind!r}")
    if kind and (kind == "real") != (label == "REAL"):
        raise DataError(f"kind and label must fit, got {kind} for a {label.lower()}")
    width = row.get("width") or "0"
    if not width.isdecimal() or len(width) > 5:
        raise DataError(f"width must be pixels, got {width!r}")
    place = Path(row.get("file") or f"{label.lower()}/{name}.jpg")
    if place.is_absolute() or ".." in place.parts:
        raise DataError(f"file must lie below the table's folder, got {str(place)!r}")
    return CutFace(
        name,
        folder / place,
        label,
        original=row.get("original", "") or (name if label == "REAL" else ""),
        kind=kind,
        width_px=int(width),
        identity=row.get("person", ""),
        split=row.get("split", ""),
    )
