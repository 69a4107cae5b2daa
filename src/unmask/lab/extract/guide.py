"""Boxes of one clip for another: an original and its fakes show the same scene, so it is searched once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unmask.config import DetectSettings
from unmask.faces.boxes import iou
from unmask.faces.detect import FaceDetector, search_frames
from unmask.types import Clip, Face, Floats, Track

MAX_TIME_DIFFERENCE_SECONDS = 0.02  # less than from one frame to the next
CHECKED_FRAMES = 5
MIN_OVERLAP = 0.6
MAX_MISSED_SHARE = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class Guide:
    """The people of a clip, for clips that show the same scene.

    Attributes:
        name: Of the video.
        width: Of its frames, in pixels.
        height: Of its frames, in pixels.
        times_seconds: When its frames were taken, shape (F,).
        tracks: Its people.
    """

    name: str
    width: int
    height: int
    times_seconds: NDArray[np.float64]
    tracks: tuple[Track, ...]

    @classmethod
    def of(cls, name: str, clip: Clip, tracks: Sequence[Track]) -> Guide:
        """What the people who were found in a clip are worth to others."""
        first = clip.frames[0]
        times = np.array([frame.time_seconds for frame in clip.frames])
        return cls(name, first.width, first.height, times, tuple(tracks))

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types; numbers come back exactly, so that a resumed run gives the same crops."""
        return {
            "name": self.name,
            "size": [self.width, self.height],
            "times_seconds": self.times_seconds.tolist(),
            "tracks": [
                {
                    "id": track.id,
                    "frames": list(track.frame_indices),
                    "boxes": [face.box.tolist() for face in track.faces],
                    "points": [face.points.tolist() for face in track.faces],
                    "confidences": [face.confidence for face in track.faces],
                    "lightened": [face.lightened for face in track.faces],
                }
                for track in self.tracks
            ],
        }

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> Guide:
        """The guide that `to_dict` wrote."""
        tracks = tuple(
            Track(
                track["id"],
                tuple(track["frames"]),
                tuple(
                    Face(np.array(box, np.float32), np.array(points, np.float32), confidence, lightened=light)
                    for box, points, confidence, light in zip(
                        track["boxes"],
                        track["points"],
                        track["confidences"],
                        track["lightened"],
                        strict=True,
                    )
                ),
            )
            for track in plain["tracks"]
        )
        width, height = plain["size"]
        return cls(plain["name"], width, height, np.array(plain["times_seconds"]), tracks)


def why_not(guide: Guide, clip: Clip, detector: FaceDetector, settings: DetectSettings) -> str | None:
    """Why a guide cannot serve a clip, or None when it can.

    Frames must have the same size and times, and in a few of them a face must be found where each box is.

    Args:
        guide: Of another clip.
        clip: Frames sampled in the same way.
        detector: Looks around the boxes, which costs a fraction of a search.
        settings: Detection size.
    """
    times = np.array([frame.time_seconds for frame in clip.frames])
    if len(times) != len(guide.times_seconds):
        return f"it has {len(times)} sampled frames, not {len(guide.times_seconds)}"
    if any((frame.width, frame.height) != (guide.width, guide.height) for frame in clip.frames):
        return "its frames have another size"
    if np.abs(times - guide.times_seconds).max() > MAX_TIME_DIFFERENCE_SECONDS:
        return "its frames have other times"
    faces: dict[int, list[Face]] = {}
    for track in guide.tracks:
        for index, face in zip(track.frame_indices, track.faces, strict=True):
            faces.setdefault(index, []).append(face)
    shown = sorted(faces)
    places = np.linspace(0, len(shown) - 1, min(CHECKED_FRAMES, len(shown))).round().astype(int)
    checked = [shown[place] for place in places]
    boxes: dict[int, Floats] = {i: np.stack([face.box for face in faces[i]]) for i in checked}
    light = [i for i in checked if any(face.lightened for face in faces[i])]
    found = search_frames(clip.frames, checked, boxes, detector=detector, settings=settings, light=light)
    hits = list(chain.from_iterable(_hits(boxes[i], found[i]) for i in checked))
    missed = len(hits) - sum(hits)
    if missed > MAX_MISSED_SHARE * len(hits):
        return f"no face was found at {missed} of {len(hits)} boxes"
    return None


def _hits(boxes: Floats, faces: Sequence[Face]) -> list[bool]:
    if not faces:
        return [False] * len(boxes)
    overlaps = iou(boxes, np.stack([face.box for face in faces]))
    return [bool(best >= MIN_OVERLAP) for best in overlaps.max(axis=1)]
