"""A second look at a clip in which nobody was found for sure: it may stand on its head, and no tag says so.

Nobody for sure, as a detector may take a large face on its head for an upright one, the mouth for eyes:
it is then sure by 0.7 to 0.9, and by 0.98 and more once the clip is turned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from unmask.config import DetectSettings, TrackSettings
from unmask.faces.detect import FaceDetector, search_frames
from unmask.faces.find import find_people
from unmask.types import Clip, Face, Floats, Frame, Image, Picture, Track

_PROBED = 3
"""Frames that are searched first; only where one shows a face is the whole clip searched."""


@dataclass(frozen=True, slots=True)
class TurnedPicture:
    """A picture by half a turn."""

    upright: Picture

    @property
    def width(self) -> int:
        """Width in pixels."""
        return self.upright.width

    @property
    def height(self) -> int:
        """Height in pixels."""
        return self.upright.height

    def rgb(self, *, width: int | None = None, height: int | None = None) -> Image:
        """The picture as RGB, scaled to ``width`` x ``height`` when both are given."""
        return np.ascontiguousarray(self.upright.rgb(width=width, height=height)[::-1, ::-1])


def surest(tracks: Sequence[Track]) -> float:
    """How sure the detector is in the mean of the person of whom it is surest, 0 to 1; 0 without people."""
    means = [float(np.mean([face.confidence for face in one.faces])) for one in tracks if one.kept]
    return max(means, default=0.0)


def find_turned(
    clip: Clip, detector: FaceDetector, detect: DetectSettings, track: TrackSettings
) -> tuple[Track, ...]:
    """The people of a clip that stands on its head, in pixels of the clip as it is.

    Crops of such faces are cut upright, as their points say where the eyes are.

    Args:
        clip: In which nobody was found for sure.
        detector: As `load_detector` gives it.
        detect: How faces are searched.
        track: How they are linked, and who counts as a person.

    Returns:
        As `find_people`; none where nobody is found for sure in the turned clip either.
    """
    frames = clip.frames
    turned = replace(clip, frames=tuple(Frame(f.time_seconds, TurnedPicture(f.picture)) for f in frames))
    probed = sorted({len(frames) * (2 * part + 1) // (2 * _PROBED) for part in range(_PROBED) if frames})
    found = search_frames(turned.frames, probed, None, detector=detector, settings=detect)
    if not any(face.confidence >= detect.sure_confidence for faces in found.values() for face in faces):
        return ()
    tracks = find_people(turned, detector, detect, track)
    if surest(tracks) < detect.sure_confidence:
        return ()
    return tuple(replace(one, faces=_turned_back(one, frames)) for one in tracks)


def _turned_back(track: Track, frames: Sequence[Frame]) -> tuple[Face, ...]:
    sizes = [np.array([frames[i].width, frames[i].height], np.float32) for i in track.frame_indices]
    return tuple(_half_turn(face, size) for face, size in zip(track.faces, sizes, strict=True))


def _half_turn(face: Face, size: Floats) -> Face:
    corners = size - face.box.reshape(2, 2)[::-1]
    return replace(face, box=corners.reshape(4), points=size - face.points)
