"""Collections: folders of videos and photos of people, labelled by a ``metadata.json`` or all real."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from unmask.errors import DataError
from unmask.lab.datasets.metadata import MAX_METADATA_BYTES, Label, parse_metadata

SUFFIXES = frozenset({".mp4", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".jpg", ".jpeg", ".png", ".webp"})


@dataclass(frozen=True, slots=True)
class LabelledFile:
    """One labelled file.

    Attributes:
        path: Video or photo.
        name: Its place in the collection's folder, with ``/``.
        collection: Name of the collection.
        label: ``REAL`` or ``FAKE``.
        original: Place of the real video that a fake was made from; its own for a real one.
    """

    path: Path
    name: str
    collection: str
    label: str
    original: str


def list_sources(folder: Path, *, collection: str) -> list[LabelledFile]:
    """Files of a folder and below; labels come from ``metadata.json`` as in DFDC, without it all are real.

    Raises:
        DataError: The folder is missing or empty, or a metadata file is broken.
    """
    files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in SUFFIXES)
    if not files:
        raise DataError(f"{folder} must be a folder with videos or photos, found none")
    tables = {file.parent: _read_labels(file) for file in folder.rglob("metadata.json")}
    sources = []
    for file in files:
        entry = tables.get(file.parent, {}).get(file.name)
        place = file.parent.relative_to(folder)
        original = (entry.original if entry else None) or file.name
        label = entry.label if entry else "REAL"
        sources.append(
            LabelledFile(
                path=file,
                name=(place / file.name).as_posix(),
                collection=collection,
                label=label or "REAL",
                original=(place / original).as_posix(),
            )
        )
    return sources


def _read_labels(file: Path) -> dict[str, Label]:
    data = file.read_bytes()
    if len(data) > MAX_METADATA_BYTES:
        raise DataError(f"{file} may have {MAX_METADATA_BYTES} bytes, has {len(data)}")
    return parse_metadata(data, where=str(file))
