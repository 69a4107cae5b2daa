"""Which faces are of one person: embedders, each where its package is installed.

Add an embedder in two steps: write ``embedders/NAME.py`` with a class that has `FaceEmbedder.embed`, and name
it in `EMBEDDERS`.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from unmask.config import EMBEDDER_NAMES
from unmask.cropping import CropSettings
from unmask.errors import SettingsError
from unmask.faces.crop import cut_crops
from unmask.types import Clip, Floats, Track

_FACES = 3  # of a track that are described; more say little that is new, and each costs a tenth of a second


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
    """What an embedder says of each kept track: the mean of some of its faces.

    Args:
        clip: The sampled frames.
        tracks: Of this clip; dropped ones are passed over.
        embedder: From `load_embedder`.

    Returns:
        Vectors of length 1, shape (D,), by id of the track.
    """
    from unmask.faces.track import thin_track

    thin = [thin_track(track, _FACES) for track in tracks]
    vectors = {}
    for person in cut_crops(clip, thin, embedder.view):
        mean = embedder.embed(person.images).mean(axis=0)
        vectors[person.track_id] = np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-9), np.float32)
    return vectors
