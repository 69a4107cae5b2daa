"""Find the people in a clip: detection in its frames, then tracking through them."""

from __future__ import annotations

from unmask.config import DetectSettings, TrackSettings
from unmask.faces.detect import FaceDetector, detect_faces
from unmask.faces.track import link_faces
from unmask.types import Clip, Track


def find_people(
    clip: Clip,
    detector: FaceDetector,
    detect: DetectSettings | None = None,
    track: TrackSettings | None = None,
) -> tuple[Track, ...]:
    """Detect the faces in a clip, and link those of one person.

    Args:
        clip: Frames in order of time.
        detector: As `load_detector` gives it.
        detect: How faces are searched; None takes the default, as with ``track``.
        track: How they are linked, and who counts as a person.

    Returns:
        All tracks in order of appearance; a dropped one says why in ``why_dropped``.
    """
    faces = detect_faces(clip, detector, detect or DetectSettings())
    return link_faces(clip, faces, track or TrackSettings())
