"""Which faces are of one person: embedders, each where its package is installed.

Add an embedder in two steps: write ``embedders/NAME.py`` with a class that has `FaceEmbedder.embed`, and name
it in `EMBEDDERS`.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from unmask.config import EMBEDDER_NAMES, CropSettings
from unmask.errors import SettingsError
from unmask.faces.crop import cut_crops
from unmask.types import Clip, Floats, Track


class FaceEmbedder(Protocol):
    """Turns faces into vectors that lie close together for one person.

    Attributes:
        view: How its crops are cut.
        same_cosine: Two people are taken for one from this cosine on.
    """

    view: CropSettings
    same_cosine: float

    def embed(self, images: NDArray[np.uint8]) -> Floats:
        """Vectors for crops, RGB, shape (N, 3, S, S); gives shape (N, D)."""


def _dlib() -> FaceEmbedder:
    from unmask.faces.embedders.dlib import DlibEmbedder

    return DlibEmbedder.load()


EMBEDDERS: dict[str, tuple[tuple[str, ...], Callable[[], FaceEmbedder]]] = {
    "dlib": (("dlib", "face_recognition_models"), _dlib)
}
"""Embedders by name: the modules that each needs, and a factory that imports them only when called."""


def load_embedder(name: str) -> FaceEmbedder | None:
    """The embedder of that name, ready to run.

    Args:
        name: In `EMBEDDERS`; ``auto`` takes the first whose modules are installed, ``none`` takes none.

    Returns:
        None where none is wanted, or with ``auto`` none is installed.

    Raises:
        MissingExtraError: It is not installed.
        ModelError: Its weights are altered.
        SettingsError: No embedder has that name.
    """
    if name == "none":
        return None
    if name == "auto":
        there = (
            one for one, (modules, _) in EMBEDDERS.items() if all(map(importlib.util.find_spec, modules))
        )
        name = next(there, "")
        return EMBEDDERS[name][1]() if name else None
    if name not in EMBEDDERS:
        raise SettingsError(f"embedder must be one of {', '.join(EMBEDDER_NAMES)}, got {name!r}")
    return EMBEDDERS[name][1]()


def describe_people(clip: Clip, tracks: tuple[Track, ...], embedder: FaceEmbedder) -> dict[int, Floats]:
    """What an embedder says of each kept track, by its surest face: each costs a tenth of a second.

    Args:
        clip: The sampled frames.
        tracks: Of this clip; dropped ones are passed over.
        embedder: From `load_embedder`.

    Returns:
        Vectors of length 1, shape (D,), by id of the track.
    """
    vectors = {}
    for person in cut_crops(clip, [_surest(track) for track in tracks], embedder.view):
        (found,) = embedder.embed(person.images)
        vectors[person.track_id] = np.asarray(found / max(float(np.linalg.norm(found)), 1e-9), np.float32)
    return vectors


def _surest(track: Track) -> Track:
    """A track with only that face of which the detector is surest."""
    place = max(range(len(track.faces)), key=lambda number: track.faces[number].confidence)
    return replace(track, frame_indices=(track.frame_indices[place],), faces=(track.faces[place],))
