"""Faces that were cut out already: a table or a folder of pictures in, packed crops out, no search for boxes.

The bytes of each picture are stored as they are. What is known of a face comes from the table; a face that
breaks a rule is left out with the reason in the manifest, and the rest goes on.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from unmask.config import DecodeSettings
from unmask.errors import DataError, MediaError
from unmask.files import fingerprint, whole_file, write_whole
from unmask.lab.crops.samples import Sample, describe_sample, moved
from unmask.lab.crops.shards import INDEX_NAME, TAR_END, pack_files, placed
from unmask.lab.crops.sums import SUMS_NAME, list_sums
from unmask.lab.extract.face_table import KINDS, CutFace
from unmask.lab.extract.manifest import MANIFEST_NAME
from unmask.types import Image
from unmask.video import read_clip
from unmask.video.still import still_format

STILL_FORMATS = ("jpeg", "png")
FACES_PER_SHARD = 20_000
MAX_PICTURE_BYTES, MAX_PICTURE_PX = 16_000_000, 4096
MIN_CHANGED_PIXELS, MIN_CHANGE_LEVELS = 32, 20
"""A fake counts as changed where more pixels than this differ from its original by more grey levels than
that, as winners of the challenge had it."""
MOST_RIM_LEVELS = 7.5
"""Mean difference along the rim up to which two pictures show the same frame, cut alike. Of 300 fakes of DFDC
that are aligned with their originals 99 % have less, of 300 that are not 90 % have more."""


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
                        stored = placed(sample, part, crops=1)
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
        sums = {file.name: fingerprint(file) for file in (folder / MANIFEST_NAME, *folder.glob("*.tar"))}
        write_whole(folder / SUMS_NAME, list_sums(sums | {INDEX_NAME: fingerprint(draft)}))
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
    """The bytes of a picture, its pixels, and why there are none."""
    try:
        with file.open("rb") as opened:
            data = opened.read(MAX_PICTURE_BYTES + 1)
    except OSError as error:
        return b"", None, f"{file.name}: {error.strerror}"
    if still_format(data) not in STILL_FORMATS or len(data) > MAX_PICTURE_BYTES:
        limit = f"{MAX_PICTURE_BYTES // 10**6} MB"
        return b"", None, f"must be a {' or '.join(STILL_FORMATS)} of {limit} at most"
    try:
        clip = read_clip(file, DecodeSettings(frames=1, max_pixels=MAX_PICTURE_PX**2, threads=1))
    except MediaError as error:
        return b"", None, str(error.reason)
    if clip.damaged:
        return b"", None, str(clip.damage)
    frame = clip.frames[0]
    return data, frame.picture.rgb(width=frame.width, height=frame.height), ""


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
