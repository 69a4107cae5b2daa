"""Find the faces in labelled videos and photos and pack their crops into shards."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from unmask.config import CropSettings, DecodeSettings, DetectSettings, TrackSettings
from unmask.crop import cut_crops
from unmask.data.shards import INDEX_NAME, STORED_MARGIN_FRACTION, Sample, ShardWriter
from unmask.detect import FaceDetector, detect_faces, load_detector
from unmask.errors import DataError, MediaError
from unmask.track import link_faces
from unmask.types import Crops
from unmask.video import read_clip

LARGEST_PX = 360
SMALLEST_FACE_PX = 48
SUFFIXES = frozenset({".mp4", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".jpg", ".jpeg", ".png", ".webp"})


@dataclass(frozen=True, slots=True)
class Source:
    """One labelled file.

    Attributes:
        path: Video or photo.
        collection: Name of the collection it belongs to.
        label: ``REAL`` or ``FAKE``.
        original: File name of the real video that a fake was made from; its own for a real one.
    """

    path: Path
    collection: str
    label: str
    original: str


def list_sources(folder: Path, *, collection: str) -> list[Source]:
    """Files of a folder and below; labels come from ``metadata.json`` as in DFDC, without it all are real.

    Raises:
        DataError: The folder is missing or empty, or a metadata file is broken.
    """
    files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in SUFFIXES)
    if not files:
        raise DataError(f"{folder} must be a folder with videos or photos, found none")
    tables = {file.parent: _read_metadata(file) for file in folder.rglob("metadata.json")}
    sources = []
    for file in files:
        entry = tables.get(file.parent, {}).get(file.name, {})
        label = entry.get("label", "REAL")
        if label not in ("REAL", "FAKE"):
            raise DataError(
                f"{file.parent / 'metadata.json'}: label of {file.name} must be REAL or FAKE, got {label!r}"
            )
        sources.append(Source(file, collection, label, entry.get("original") or file.name))
    return sources


def _read_metadata(file: Path) -> dict[str, dict[str, str]]:
    try:
        table = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(f"{file} is no JSON: {error}") from error
    if not isinstance(table, dict) or not all(isinstance(entry, dict) for entry in table.values()):
        raise DataError(f"{file} must map file names to tables")
    return table


def pack_faces(
    sources: Sequence[Source], folder: Path, *, frames: int = 48
) -> Iterator[tuple[Source, int | str]]:
    """Cut every person of every file into one shard of a folder that holds none yet.

    Args:
        sources: What to read.
        folder: Where the shard and the index go.
        frames: Sampled from each video.

    Yields:
        Each source with the number of people packed, or the reason why it could not be read.
    """
    if (folder / INDEX_NAME).exists():
        raise DataError(f"{folder} already holds packed crops; choose another folder or remove it")
    detector = load_detector(DetectSettings())
    with closing(ShardWriter(folder, name="crops-00000.tar")) as writer:
        for source in sources:
            try:
                people = _find_people(source.path, detector, frames=frames)
            except MediaError as error:
                yield source, str(error)
                continue
            for crops in people:
                writer.write(_describe(source, crops), list(crops.images.transpose(0, 2, 3, 1)))
            yield source, len(people)


def _find_people(path: Path, detector: FaceDetector, *, frames: int) -> list[Crops]:
    clip = read_clip(path, DecodeSettings(frames=frames))
    faces = detect_faces(clip, detector, DetectSettings())
    tracks = link_faces(clip, faces, TrackSettings())
    people = []
    for track in tracks:
        side = float(np.median([(face.box[2:] - face.box[:2]).max() for face in track.faces]))
        if track.kept and side >= SMALLEST_FACE_PX:
            size_px = min(LARGEST_PX, round(side * (1 + STORED_MARGIN_FRACTION)))
            settings = CropSettings(size_px=size_px, margin_fraction=STORED_MARGIN_FRACTION)
            people += cut_crops(clip, [track], settings)
    # A photo in these collections is of one person; a second, smaller face is a passer-by or a poster.
    return sorted(people, key=lambda crops: -crops.images.shape[-1])[:1] if clip.is_image else people


def _describe(source: Source, crops: Crops) -> Sample:
    name = re.sub(r"[^A-Za-z0-9_-]", "_", source.path.stem)[:60]
    return Sample(
        key=f"{source.collection}_{name}-p{crops.track_id}",
        label=source.label,
        identity=Path(source.original).stem,
        original=f"{source.collection}_{Path(source.original).stem}-p{crops.track_id}",
        source=source.collection,
        shard="",
        times_seconds=crops.times_seconds,
        points=crops.points,
        spans=np.empty((0, 2), np.int64),
        boxes=crops.boxes,
    )
