"""Faces that were cut out already: a table or a folder of pictures in, packed crops out, no search for boxes.

The bytes of each picture are stored as they are. What is known of a face comes from the table; a face that
breaks a rule is left out with the reason in the manifest, and the rest goes on.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from unmask.crops.samples import Sample, describe_sample, moved
from unmask.crops.shards import INDEX_NAME, TAR_END, decode_crop, find_spans, pack_files
from unmask.errors import DataError
from unmask.extract.manifest import MANIFEST_NAME
from unmask.files import whole_file
from unmask.types import Image

SUFFIXES = (".jpg", ".jpeg", ".png")
FACES_PER_SHARD = 20_000
MAX_PICTURE_BYTES = 16_000_000
MIN_CHANGED_PIXELS, MIN_CHANGE_LEVELS = 32, 20
"""A fake counts as changed where more pixels than this differ from its original by more grey levels than
that, as winners of the challenge had it."""
MOST_RIM_LEVELS = 7.5
"""Mean difference along the rim up to which two pictures show the same frame, cut alike. Of 300 fakes of DFDC
that are aligned with their originals 99 % have less, of 300 that are not 90 % have more."""
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
            CutFace(file.stem, file, label.upper())
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
    if not name or "/" in name or "." in name:
        raise DataError(f"name must be there, without a dot or slash, got {name!r}")
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


def pack_faces(
    faces: Sequence[CutFace],
    folder: Path,
    *,
    source: str,
    margin_fraction: float = 0.0,
    min_width_px: int = 0,
    show: Iterable[object] = (),
) -> Counter[str]:
    """Store faces as packed crops.

    Args:
        faces: From `list_faces`.
        folder: Receives shards, index and manifest; must not hold any yet.
        source: What the collection is called.
        margin_fraction: How much of the surroundings the pictures show beyond the face's box; 0 is tight.
        min_width_px: Faces that are known to have been narrower are left out.
        show: Is moved on by one with each face, as a progress bar over them.

    Returns:
        How many were stored (``done``), and how many left out, by status.

    Raises:
        DataError: The folder holds packed crops already, or no face could be stored.
    """
    if (folder / INDEX_NAME).exists():
        raise DataError(f"{folder} must not hold packed crops yet; choose another folder, or remove it")
    folder.mkdir(parents=True, exist_ok=True)
    by_name = {face.name: face for face in faces}
    counts: Counter[str] = Counter()
    index: list[str] = []
    bar = iter(show)
    with whole_file(folder / MANIFEST_NAME) as manifest, manifest.open("w", encoding="utf-8") as records:
        for start in range(0, len(faces), FACES_PER_SHARD):
            shard = f"crops-{start // FACES_PER_SHARD:05d}.tar"
            with whole_file(folder / shard) as draft, draft.open("wb") as tar:
                for face in faces[start : start + FACES_PER_SHARD]:
                    data, kind, reason = _look_at(face, by_name, min_width_px)
                    if not reason:
                        sample = _describe(face, kind, source=source, margin_fraction=margin_fraction)
                        part = pack_files(sample, [(face.file.suffix.lower().lstrip("."), data)])
                        stored = replace(sample, spans=find_spans(part, crops=1))
                        index.append(
                            json.dumps(describe_sample(moved(stored, shard=shard, offset=tar.tell())))
                        )
                        tar.write(part)
                    status = "left_out" if reason else "done"
                    counts[status] += 1
                    records.write(json.dumps(_record(face, status, reason, shard)) + "\n")
                    next(bar, None)
                tar.write(TAR_END)
    if not index:
        raise DataError(f"no face could be stored of {len(faces)}; {folder / MANIFEST_NAME} tells why")
    with whole_file(folder / INDEX_NAME) as draft:
        draft.write_text("\n".join(index) + "\n", encoding="utf-8")
    return counts


def _record(face: CutFace, status: str, reason: str, shard: str) -> dict[str, Any]:
    stored = int(not reason)
    plain = {"name": face.name, "status": status, "reason": reason, "people": stored, "crops": stored}
    return plain | {"frames": stored, "damage": "", "boxes": "", "shard": shard if stored else ""}


def _look_at(face: CutFace, by_name: dict[str, CutFace], min_width_px: int) -> tuple[bytes, str, str]:
    """The bytes of a face, its kind, and the reason to leave it out, if there is one."""
    if face.width_px and face.width_px < min_width_px:
        return b"", face.kind, f"was {face.width_px} px wide, at least {min_width_px} px wanted"
    if KINDS.get(face.kind):
        return b"", face.kind, KINDS[face.kind]
    data, image, reason = _read_picture(face.file)
    if image is None:
        return b"", face.kind, reason
    if image.shape[0] != image.shape[1]:
        return b"", face.kind, f"must be square, got {image.shape[1]}x{image.shape[0]}"
    original = by_name.get(face.original) if face.label == "FAKE" else None
    if face.label == "REAL" or original is None:
        return data, face.kind or ("real" if face.label == "REAL" else "no_original"), ""
    theirs, before, _ = _read_picture(original.file)
    if before is None:
        return data, "no_original", ""
    if sha256(data).digest() == sha256(theirs).digest():
        return b"", "unchanged", f"is the very picture {original.name}, which is labelled real"
    if face.kind == "aligned" and before.shape != image.shape:
        sizes = f"{before.shape[1]}x{before.shape[0]}, got {image.shape[1]}x{image.shape[0]}"
        return b"", face.kind, f"an aligned fake must have the size of its original, {sizes}"
    kind = face.kind or find_kind(before, image)
    return data, kind, KINDS[kind]


def find_kind(real: Image, fake: Image) -> str:
    """``aligned``, ``unaligned`` or ``unchanged``: what a fake is to its original, from their pixels.

    A swap leaves the rim of a face's picture, a sixteenth on each side, nearly as it was; another frame or
    another crop does not.
    """
    if real.shape != fake.shape:
        return "unaligned"
    apart = cv2.absdiff(real, fake).max(axis=2)
    rim = np.ones(apart.shape, bool)
    width = max(1, len(apart) // 16)
    rim[width:-width, width:-width] = False
    if float(apart[rim].mean()) > MOST_RIM_LEVELS:
        return "unaligned"
    return "aligned" if int((apart > MIN_CHANGE_LEVELS).sum()) > MIN_CHANGED_PIXELS else "unchanged"


def _read_picture(file: Path) -> tuple[bytes, Image | None, str]:
    try:
        if file.stat().st_size > MAX_PICTURE_BYTES:
            return b"", None, f"may have {MAX_PICTURE_BYTES} bytes, has {file.stat().st_size}"
        data = file.read_bytes()
    except OSError as error:
        return b"", None, f"{file.name}: {error.strerror}"
    image = decode_crop(data)
    return data, image, "" if image is not None else "is no picture"


def _describe(face: CutFace, kind: str, *, source: str, margin_fraction: float) -> Sample:
    original = face.original or face.name
    return Sample(
        key=face.name,
        label=face.label,
        identity=face.identity or original,
        original=original,
        source=source,
        shard="",
        times_seconds=np.zeros(1),
        points=np.full((1, 5, 2), np.nan, np.float32),
        spans=np.empty((0, 2), np.int64),
        split=face.split,
        video=face.name,
        margin_fraction=margin_fraction,
        aligned=kind == "aligned",
    )
