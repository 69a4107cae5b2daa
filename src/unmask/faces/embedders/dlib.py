"""dlib's face recognition network: 128 numbers a face, in the public domain (CC0), by Davis E. King.

Weights come with the package ``face-recognition-models``, code with ``dlib-bin`` (Boost licence).
"""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unmask.config import CropSettings
from unmask.errors import MissingExtraError, ModelError
from unmask.types import Floats

_FILE = "dlib_face_recognition_resnet_model_v1.dat"
_SHA256 = "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30"
# Means of dlib's 68 mean landmarks (image_transforms/interpolation.h) over each eye; nose tip; mouth corners.
_TEMPLATE = ((0.2255, 0.2160), (0.7548, 0.2160), (0.4901, 0.5156), (0.2541, 0.7802), (0.7261, 0.7802))


class DlibEmbedder:
    """Runs the network on aligned faces.

    Args:
        network: ``dlib.face_recognition_model_v1``.
    """

    view = CropSettings(size_px=150, margin_fraction=0.5, crop="aligned", template=_TEMPLATE)
    # Two halves of a clip, one face of each: 89 of 96 pairs reach it; of 18,639 pairs of two people none.
    same_cosine = 0.955

    def __init__(self, network: Any) -> None:
        self._network = network

    @classmethod
    def load(cls) -> DlibEmbedder:
        """Load the weights, which are checked before dlib reads them.

        Raises:
            MissingExtraError: A package is not installed.
            ModelError: The weights are absent or altered.
        """
        folder = find_weights()
        try:
            import dlib
        except ImportError as error:
            raise MissingExtraError("dlib", extra="people") from error
        file = folder / _FILE
        try:
            digest = hashlib.sha256(file.read_bytes()).hexdigest()
        except OSError as error:
            raise ModelError(
                f"{file.name} of face-recognition-models cannot be read: {error.strerror}"
            ) from error
        if digest != _SHA256:
            raise ModelError(f"{file.name} must have the SHA-256 {_SHA256}, got {digest}; install it anew")
        return cls(dlib.face_recognition_model_v1(str(file)))

    def embed(self, images: NDArray[np.uint8]) -> Floats:
        """See `FaceEmbedder.embed`."""
        chips = [np.ascontiguousarray(image.transpose(1, 2, 0)) for image in images]
        return np.array(self._network.compute_face_descriptor(chips), np.float32)


def find_weights() -> Path:
    """The folder of dlib's weights, found without importing their package, which needs an old setuptools.

    Raises:
        MissingExtraError: The package is not installed.
    """
    found = importlib.util.find_spec("face_recognition_models")
    folders = list(found.submodule_search_locations or ()) if found is not None else []
    if not folders:
        raise MissingExtraError("dlib", extra="people")
    return Path(folders[0]) / "models"
