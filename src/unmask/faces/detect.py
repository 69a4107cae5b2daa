"""Find the faces of a clip: which detector, on which frames, at which size.

A whole-frame search is dear, looking again where a face was is cheap. So only some of the sampled frames
are searched as a whole; between them the known faces are looked for where they should be by then. Where
the searched frames disagree about who is there, the frames between are searched too, halving the gap each
time, and a frame where a face got lost is searched as a whole. A dark frame without a face is searched
once more in a lightened copy.

Add a detector in three steps: write ``detectors/NAME.py`` with a class that has `FaceDetector.detect`,
name it in `DETECTORS`, and run ``tests/faces/test_detectors.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Protocol

import cv2
import numpy as np

from unmask.config import DetectSettings
from unmask.errors import SettingsError
from unmask.faces.boxes import match_boxes, square_boxes
from unmask.faces.crop import cut_square
from unmask.faces.light import is_dark, lighten
from unmask.faces.people import LOOK_PX, LOOK_SCALE
from unmask.types import Clip, Face, Floats, Frame, Image

_SAME_FACE_SIDES = 2.5  # farthest that a face moves between two searched frames, in sides of its box
_FOUND_AGAIN_SIDES = 0.5  # farthest from where it was expected that a face counts as found again


class FaceDetector(Protocol):
    """Finds faces in pictures; whatever has this method can be handed to `load_scanner`."""

    def detect(
        self, images: Sequence[Image], *, near: Sequence[Floats | None] | None = None
    ) -> list[tuple[Face, ...]]:
        """Find the faces of each image.

        Args:
            images: RGB, (H, W, 3), uint8, of one or several sizes; also tiny ones.
            near: For each image None, to search all of it, or boxes (K, 4) in its pixels around which alone
                faces need to be looked for; K may be 0.

        Returns:
            For each image its faces in pixels of that image, most confident first.
        """


def _mtcnn(settings: DetectSettings) -> FaceDetector:
    from unmask.faces.detectors.mtcnn import Mtcnn

    return Mtcnn(settings)


def _centerface(settings: DetectSettings) -> FaceDetector:
    from unmask.faces.detectors.centerface import CenterFace

    return CenterFace(settings)


DETECTORS: dict[str, Callable[[DetectSettings], FaceDetector]] = {"centerface": _centerface, "mtcnn": _mtcnn}
"""Face detectors by name; a factory imports its backend only when called."""


def load_detector(settings: DetectSettings) -> FaceDetector:
    """The detector that the settings name, ready to run.

    Args:
        settings: ``detector`` is the name; the rest goes to the detector.

    Raises:
        SettingsError: No detector has that name.
        ModelError: Its weights are missing or altered.

    >>> load_detector(DetectSettings(detector="mtcn"))
    Traceback (most recent call last):
    unmask.errors.SettingsError: unknown face detector 'mtcn'; choose from: centerface, mtcnn
    """
    if settings.detector not in DETECTORS:
        raise SettingsError(
            f"unknown face detector {settings.detector!r}; choose from: {', '.join(sorted(DETECTORS))}"
        )
    return DETECTORS[settings.detector](settings)


def detect_faces(clip: Clip, detector: FaceDetector, settings: DetectSettings) -> list[tuple[Face, ...]]:
    """Find the faces in every sampled frame of a clip.

    Args:
        clip: The sampled frames.
        detector: From `load_detector`.
        settings: Detection size, and how many frames are searched as a whole.

    Returns:
        For each frame its faces, most confident first, in pixels of the full-resolution frame. A face
        that appears only between two searched frames and is in neither is not found.
    """
    frames = clip.frames
    if not frames:
        return []

    def search(
        indices: Iterable[int], near: Mapping[int, Floats] | None = None, light: Collection[int] = ()
    ) -> dict[int, tuple[Face, ...]]:
        return search_frames(frames, sorted(indices), near, detector=detector, settings=settings, light=light)

    found = search({*range(0, len(frames), settings.search_every), len(frames) - 1})
    while between := _doubtful_middles(frames, found, settings.sure_confidence):
        found |= search(between)
    expected: dict[int, Floats] = {}
    near: dict[int, Floats] = {}
    light: set[int] = set()
    for first, last in pairwise(sorted(found)):
        for index in range(first + 1, last):
            expected[index], others = _expect(frames, index, (first, found[first]), (last, found[last]))
            near[index] = np.concatenate([expected[index], others])
            if any(face.lightened for face in found[first] + found[last]):
                light.add(index)
    followed = search(near, near, light)
    lost = [
        i
        for i, faces in followed.items()
        if len(_same(expected[i], faces, _FOUND_AGAIN_SIDES)) < len(expected[i])
    ]
    found |= followed | search(lost)
    return [found[index] for index in range(len(frames))]


def search_frames(
    frames: Sequence[Frame],
    indices: Sequence[int],
    near: Mapping[int, Floats] | None,
    *,
    detector: FaceDetector,
    settings: DetectSettings,
    light: Collection[int] = (),
) -> dict[int, tuple[Face, ...]]:
    """Shrink some frames, detect, and give the faces in full-resolution pixels.

    A whole frame that is dark and shows no face is searched again in a lightened copy.

    Args:
        frames: Of a clip.
        indices: Which of them.
        near: For each of these the boxes, shape (K, 4), around which alone faces are looked for; None
            searches whole frames.
        detector: From `load_detector`.
        settings: Detection size and batch.
        light: Which frames to lighten at once, as faces beside them were found only so.

    Returns:
        Faces by index of the frame, most confident first.
    """
    # Frames where nobody is expected need no pixels at all.
    found: dict[int, tuple[Face, ...]] = {i: () for i in indices if near is not None and not len(near[i])}
    indices = [i for i in indices if i not in found]
    for start in range(0, len(indices), settings.batch_frames):
        chunk = indices[start : start + settings.batch_frames]
        images, hints, zooms = [], [], []
        for i in chunk:
            width, height = _detection_size(frames[i], settings.max_side_px)
            images.append(frames[i].picture.rgb(width=width, height=height))
            zooms.append(np.array([frames[i].width / width, frames[i].height / height], np.float32))
            hints.append(None if near is None else _scaled(near[i], np.reciprocal(zooms[-1])))
        lightened = [i in light for i in chunk]
        seen = [lighten(image) if so else image for image, so in zip(images, lightened, strict=True)]
        results = detector.detect(seen, near=hints)
        for place, image in enumerate(images):
            if near is None and not results[place] and is_dark(image, below=settings.dark_below):
                seen[place], lightened[place] = lighten(image), True
                (results[place],) = detector.detect([seen[place]])
        for i, zoom, image, faces, so in zip(chunk, zooms, seen, results, lightened, strict=True):
            found[i] = tuple(_placed(face, zoom, image, lightened=so) for face in faces)
    return found


def _placed(face: Face, zoom: Floats, image: Image, *, lightened: bool) -> Face:
    """A face of a shrunk image in pixels of the frame, with its look."""
    square = square_boxes(face.box[None], scale=LOOK_SCALE)[0]
    look, _ = cut_square(image, square, size_px=LOOK_PX)
    return Face(
        box=_scaled(face.box, zoom),
        points=face.points * zoom,
        confidence=face.confidence,
        look=np.asarray(cv2.cvtColor(look, cv2.COLOR_RGB2GRAY), np.uint8),
        lightened=lightened,
    )


def _scaled(boxes: Floats, zoom: Floats) -> Floats:
    scaled: Floats = boxes * np.concatenate([zoom, zoom])
    return scaled


def _detection_size(frame: Frame, max_side_px: int) -> tuple[int, int]:
    shrink = min(1.0, max_side_px / max(frame.width, frame.height))
    return max(1, round(frame.width * shrink)), max(1, round(frame.height * shrink))


def _boxes(faces: Sequence[Face]) -> Floats:
    return np.stack([face.box for face in faces]) if faces else np.empty((0, 4), np.float32)


def _same(boxes: Floats, faces: Sequence[Face], max_sides: float) -> list[tuple[int, int]]:
    return match_boxes(boxes, _boxes(faces), max_distance_sides=max_sides)


def _doubtful_middles(
    frames: Sequence[Frame], found: Mapping[int, tuple[Face, ...]], sure: float
) -> list[int]:
    """Frames half way between two searched neighbours that disagree about who is there."""
    middles = []
    for first, last in pairwise(sorted(found)):
        pairs = _same(_boxes(found[first]), found[last], _SAME_FACE_SIDES)
        linked = [{pair[side] for pair in pairs} for side in (0, 1)]
        came_or_went = any(
            face.confidence >= sure and number not in linked[side]
            for side, index in enumerate((first, last))
            for number, face in enumerate(found[index])
        )
        sizes = {(frame.width, frame.height) for frame in frames[first : last + 1]}
        if last - first > 1 and (came_or_went or len(sizes) > 1):
            middles.append((first + last) // 2)
    return middles


def _expect(
    frames: Sequence[Frame],
    index: int,
    before: tuple[int, tuple[Face, ...]],
    after: tuple[int, tuple[Face, ...]],
) -> tuple[Floats, Floats]:
    """Where faces should be in a frame between two searched ones: those in both, and those in one only."""
    (first, old), (last, new) = before, after
    start, end = frames[first].time_seconds, frames[last].time_seconds
    share = np.float32((frames[index].time_seconds - start) / (end - start) if end > start else 0.5)
    pairs = _same(_boxes(old), new, _SAME_FACE_SIDES)
    both = [old[i].box * (1 - share) + new[j].box * share for i, j in pairs]
    single = [face.box for i, face in enumerate(old) if i not in {pair[0] for pair in pairs}]
    single += [face.box for j, face in enumerate(new) if j not in {pair[1] for pair in pairs}]
    empty = np.empty((0, 4), np.float32)
    return (np.stack(both) if both else empty), (np.stack(single) if single else empty)
