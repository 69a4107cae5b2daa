"""Which clips a face bench holds, and whose faces they show.

Photos are split in two halves by the hash of their names: settings are chosen on ``tune`` and reported on
``report``, which share no face, hand or painting.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from unmask.errors import DataError, MissingExtraError
from unmask.faces.boxes import square_boxes
from unmask.faces.crop import cut_square, map_points
from unmask.faces.detect import FaceDetector
from unmask.lab.facebench.scene import FACE_PX, PATCH_PX, Cast, Portrait, Scene
from unmask.types import Image

HALVES = ("tune", "report")
_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
_SURE = 0.99  # a portrait has one face, and the detector no doubt about it
_LARGEST_PX = 640
_MOST_PORTRAITS = 60


def plan_scenes(*, seed: int, clips_per_level: int = 2) -> list[Scene]:
    """The clips of a bench, a few for each condition and level.

    Args:
        seed: Of all chance.
        clips_per_level: How many clips of each.

    >>> len(plan_scenes(seed=0, clips_per_level=1))
    30
    """
    levels: list[tuple[str, float, dict[str, Any]]] = [
        *(("easy", side, {"face_px": side}) for side in (60.0, 90.0)),
        *(("dark", b, {"brightness": b}) for b in (0.5, 0.3, 0.2, 0.1, 0.05)),
        *(("small", side, {"face_px": side}) for side in (20.0, 28.0, 40.0)),
        ("large", 210.0, {"face_px": 210.0}),
        *(("turned", degrees, {"turn_degrees": degrees}) for degrees in (20.0, 40.0, 60.0)),
        *(("covered", share, {"cover": share}) for share in (0.3, 0.45)),
        *(("blurred", length, {"blur_px": length}) for length in (7.0, 13.0)),
        *(("compressed", crf, {"crf": int(crf)}) for crf in (30.0, 35.0, 40.0)),
        *(("several", people, {"people": int(people), "face_px": 56.0}) for people in (2.0, 3.0)),
        *(("poster", number, {"posters": int(number)}) for number in (1.0, 2.0)),
        ("poster alone", 2.0, {"posters": 2, "people": 0}),
        ("shirt", 1.0, {"shirt": True, "face_px": 60.0}),
        ("painting", 2.0, {"paintings": 2, "people": 0}),
        ("hands", 2.0, {"hands": 2, "people": 0}),
        ("nobody", 0.0, {"people": 0}),
    ]
    scenes = []
    for number, (condition, level, options) in enumerate(levels):
        for take in range(clips_per_level):
            own = seed * 100_000 + number * 100 + take
            scenes.append(Scene(condition=condition, level=level, seed=own, **options))
    return scenes


def gather_cast(
    detector: FaceDetector,
    *,
    half: str,
    portraits: Path | None = None,
    hands: Path | None = None,
    paintings: Path | None = None,
) -> Cast:
    """Portraits, hands and paintings of one half.

    Args:
        detector: Finds the face in each portrait, which is where clips show it.
        half: One of `HALVES`.
        portraits: Folder of photos with one face each; None takes a public-domain portrait for each half.
        hands: Folder of photos of hands; None draws hands.
        paintings: Folder of photos of paintings; None paints portraits over.

    Raises:
        DataError: A folder is missing or holds nothing that can be used.
        MissingExtraError: A package that holds a public-domain portrait is not installed.
    """
    if half not in HALVES:
        raise DataError(f"half must be one of {', '.join(HALVES)}, got {half!r}")
    photos: Iterable[tuple[str, Image]]
    photos = [_public_portraits()[HALVES.index(half)]] if portraits is None else _photos(portraits, half)
    found = []
    for name, image in photos:
        portrait = _portrait(name, image, detector)
        if portrait is not None:
            found.append(portrait)
        if len(found) == _MOST_PORTRAITS:
            break
    if not found:
        raise DataError(f"{portraits} must hold photos with one face each, found none for the half {half}")
    return Cast(found, *([image for _, image in _photos(f, half)] if f else [] for f in (hands, paintings)))


def _portrait(name: str, image: Image, detector: FaceDetector) -> Portrait | None:
    (faces,) = detector.detect([image])
    if len(faces) != 1 or faces[0].confidence < _SURE:
        return None
    face = faces[0]
    square = square_boxes(face.box[None], scale=PATCH_PX / FACE_PX)[0]
    patch, mapping = cut_square(image, square, size_px=PATCH_PX)
    box = map_points(face.box.reshape(2, 2), mapping).reshape(4)
    return Portrait(name, patch, box, map_points(face.points, mapping))


def _photos(folder: Path, half: str) -> Sequence[tuple[str, Image]]:
    files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in _SUFFIXES)
    if not files:
        raise DataError(f"{folder} must be a folder with photos ({', '.join(_SUFFIXES)}), found none")
    # By hash, so that which half a photo is in does not depend on what else lies in the folder.
    digests = {file: hashlib.sha256(file.name.encode()).digest() for file in files}
    mine = [file for file in files if digests[file][0] % 2 == HALVES.index(half)]
    mine.sort(key=lambda file: digests[file])
    return [(file.name, _read(file)) for file in mine[: 2 * _MOST_PORTRAITS]]


def _read(file: Path) -> Image:
    image = cv2.imdecode(np.frombuffer(file.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise DataError(f"{file}: an unreadable image; take it out of the folder")
    scale = min(1.0, _LARGEST_PX / max(image.shape[:2]))
    if scale < 1:
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(image[..., ::-1], np.uint8)


def _public_portraits() -> list[tuple[str, Image]]:
    """Eileen Collins (NASA) and Grace Hopper (US Navy), which lie inside Python packages."""
    try:
        import matplotlib.cbook
        import matplotlib.image
        import skimage.data
    except ModuleNotFoundError as error:
        raise MissingExtraError(error.name or "scikit-image", extra="tune") from error
    file = matplotlib.cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)
    hopper = matplotlib.image.imread(str(file))
    astronaut: Any = skimage.data.astronaut
    collins = np.ascontiguousarray(astronaut()[:330, 60:390])
    return [("astronaut", collins), ("grace_hopper.jpg", np.ascontiguousarray(hopper[..., :3]))]
