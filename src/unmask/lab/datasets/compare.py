"""Hold fakes against the clip they were made from: did a face change, or only the sound?"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import av
import numpy as np

from unmask.archive.sources import Opener
from unmask.config import DecodeSettings, DetectSettings, TrackSettings
from unmask.errors import DataError, MediaError
from unmask.faces.crop import cut_crops
from unmask.faces.detect import FaceDetector, detect_faces, load_detector
from unmask.faces.embed import FaceEmbedder
from unmask.faces.track import link_faces
from unmask.lab.datasets.fingerprint import Bits, fingerprint
from unmask.types import Clip, Face, Floats, Image
from unmask.video import read_clip
from unmask.video.container import ANY_TAGS, CONTAINERS
from unmask.work.each import Do, Tell

CHANGED_LEVELS = 20
"""A pixel changed when a channel differs by more, of 255."""

_SAME_TIME_SECONDS = 0.02
_SOUND_OPTIONS = {"protocol_whitelist": "file", "format_whitelist": ",".join(CONTAINERS)}


@dataclass(frozen=True, slots=True)
class Family:
    """A clip and what was made from it.

    Attributes:
        clip: Name of the original.
        original: Its path, or None where it is not in the set.
        fakes: Name and path of each fake.
    """

    clip: str
    original: str | None
    fakes: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A fake against its original.

    Attributes:
        name: The fake.
        frames: Frames that were compared, at equal times.
        face_px: Pixels inside faces, in the median frame.
        changed_face_px: Pixels inside a face that changed, in the frame where most did.
        changed_picture_px: The same in the whole picture.
        sound_differs: Whether the compressed sound differs; None where one of them has none.
    """

    name: str
    frames: int
    face_px: int
    changed_face_px: int
    changed_picture_px: int
    sound_differs: bool | None


@dataclass(slots=True)
class FamilyLook:
    """What was seen of a family.

    Attributes:
        clip: Name of the original.
        comparisons: Fakes that could be held against it.
        not_compared: Other fakes, and why.
        print: Fingerprint of the original or, where it is absent, of a fake; None when nothing could be read.
        embedding: Of the original's most frequent person, shape (D,); None without an embedder or a face.
    """

    clip: str
    comparisons: list[Comparison] = field(default_factory=list)
    not_compared: dict[str, str] = field(default_factory=dict)
    print: Bits | None = None
    embedding: Floats | None = None


def load_looker(frames: int, embedder: Callable[[], FaceEmbedder] | None = None) -> Do[Family, FamilyLook]:
    """What looks at a family, for a worker.

    Args:
        frames: Sampled from each clip.
        embedder: Makes one; None where none is installed.
    """
    detector = load_detector(DetectSettings())
    made = embedder() if embedder is not None else None
    return partial(_look, frames=frames, detector=detector, embedder=made)


def _look(
    family: Family,
    _: Tell,
    *,
    frames: int,
    detector: FaceDetector,
    embedder: FaceEmbedder | None,
) -> FamilyLook:
    look = FamilyLook(family.clip)
    settings = DecodeSettings(frames=frames, threads=1)
    with Opener() as opener:
        if family.original is None:
            for _name, path in family.fakes[:1]:
                try:
                    with opener.local(path) as file:
                        look.print = fingerprint(read_clip(file, settings).frames)
                except (MediaError, DataError):
                    pass  # The index has a status for damage; nothing to hold it against here.
            look.not_compared = {name: "its original is not in the set" for name, _path in family.fakes}
            return look
        try:
            with opener.local(family.original) as file:
                original = read_clip(file, settings)
                look.print = fingerprint(original.frames)
                if family.fakes or embedder is not None:
                    faces = detect_faces(original, detector, DetectSettings())
                    look.embedding = _embed(original, faces, embedder)
                    for name, path in family.fakes:
                        with opener.local(path) as fake:
                            _hold_against(look, name, (file, original, faces), fake, settings)
        except (MediaError, DataError) as error:
            judged = {comparison.name for comparison in look.comparisons} | set(look.not_compared)
            rest = [name for name, _path in family.fakes if name not in judged]
            look.not_compared |= dict.fromkeys(rest, f"its original cannot be read: {error}")
    return look


def _hold_against(
    look: FamilyLook,
    name: str,
    original: tuple[Path, Clip, Sequence[Sequence[Face]]],
    file: Path,
    settings: DecodeSettings,
) -> None:
    path, clip, faces = original
    try:
        fake = read_clip(file, settings)
    except MediaError as error:
        look.not_compared[name] = str(error)
        return
    counts = []
    for frame, found in zip(clip.frames, faces, strict=True):
        other = min(fake.frames, key=lambda candidate: abs(candidate.time_seconds - frame.time_seconds))
        if abs(other.time_seconds - frame.time_seconds) > _SAME_TIME_SECONDS or not found:
            continue
        if (other.width, other.height) != (frame.width, frame.height):
            size = f"{other.width} x {other.height}, the original {frame.width} x {frame.height}"
            look.not_compared[name] = f"its frames are {size}"
            return
        counts.append(count_changed(frame.picture.rgb(), other.picture.rgb(), found))
    if not counts:
        look.not_compared[name] = "no frame at the same time shows a face"
        return
    table = np.array(counts)
    look.comparisons.append(
        Comparison(
            name=name,
            frames=len(table),
            face_px=int(np.median(table[:, 0])),
            changed_face_px=int(table[:, 1].max()),
            changed_picture_px=int(table[:, 2].max()),
            sound_differs=_sound_differs(path, file),
        )
    )


def count_changed(original: Image, fake: Image, faces: Sequence[Face]) -> tuple[int, int, int]:
    """Pixels inside the faces, how many of them changed in the most changed face, and in the whole picture.

    Args:
        original: RGB, shape (H, W, 3).
        fake: The same shape.
        faces: Boxes in these pixels.
    """
    changed = np.abs(original.astype(np.int16) - fake).max(axis=2) > CHANGED_LEVELS
    inside, most = 0, 0
    for face in faces:
        x0, y0, x1, y1 = (max(0, round(float(edge))) for edge in face.box)
        part = changed[y0:y1, x0:x1]
        inside += part.size
        most = max(most, int(part.sum()))
    return inside, most, int(changed.sum())


def _embed(clip: Clip, faces: Sequence[Sequence[Face]], embedder: FaceEmbedder | None) -> Floats | None:
    if embedder is None:
        return None
    tracks = [track for track in link_faces(clip, faces, TrackSettings()) if track.kept]
    if not tracks:
        return None
    track = max(tracks, key=lambda one: len(one.faces))
    mean = embedder.embed(cut_crops(clip, [track], embedder.view)[0].images).mean(axis=0)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-9), np.float32)


def _sound_differs(original: Path, fake: Path) -> bool | None:
    first, second = _sound(original), _sound(fake)
    return None if first is None or second is None else first != second


def _sound(path: Path) -> str | None:
    """A hash of the compressed sound; None where there is none or it cannot be read."""
    try:
        with av.open(f"file:{path.absolute()}", options=_SOUND_OPTIONS, **ANY_TAGS) as container:
            if not container.streams.audio:
                return None
            digest = hashlib.sha256()
            for packet in container.demux(container.streams.audio[0]):
                digest.update(bytes(packet))
            return digest.hexdigest()
    except (av.FFmpegError, OSError, ValueError):
        return None
