"""The nouns that flow through unmask: frames, faces, tracks, crops; what is said of them is in ``verdicts``.

Boxes are ``x0 y0 x1 y1`` and points ``x y``, both in pixels of the upright full-resolution frame.
Times are container seconds. Images are RGB, ``uint8``, height x width x 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from unmask.reasons import Reason
from unmask.shown import counted, short

Image = NDArray[np.uint8]
Floats = NDArray[np.float32]


class Picture(Protocol):
    """Pixels of one upright frame that are turned into RGB only when asked for.

    Thirty decoded 1080p frames take 94 MB as the decoder holds them and 187 MB as RGB.
    """

    @property
    def width(self) -> int:
        """Width in pixels, after rotation."""

    @property
    def height(self) -> int:
        """Height in pixels, after rotation."""

    def rgb(self, *, width: int | None = None, height: int | None = None) -> Image:
        """The picture as RGB, scaled to ``width`` x ``height`` when both are given."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One sampled frame of a clip.

    Attributes:
        time_seconds: Presentation time in the container's seconds.
        picture: The pixels, converted to RGB on demand.
    """

    time_seconds: float
    picture: Picture

    def __repr__(self) -> str:
        return f"<Frame at {self.time_seconds:.2f} s: {self.width} x {self.height} px>"

    @property
    def width(self) -> int:
        """Width in pixels, after rotation."""
        return self.picture.width

    @property
    def height(self) -> int:
        """Height in pixels, after rotation."""
        return self.picture.height


@dataclass(frozen=True, slots=True)
class Clip:
    """The sampled frames of one file.

    Attributes:
        path: The file.
        frames: Frames in order of time; sizes may differ when the stream changes size.
        duration_seconds: Length of the stream as decoded or declared; 0 for an image.
        damage: What was seen of damage; None when nothing was. A damaged file is decoded by a single thread,
            and may be incomplete.
    """

    path: Path
    frames: tuple[Frame, ...]
    duration_seconds: float
    damage: Reason | None = None

    @property
    def damaged(self) -> bool:
        """Whether the file showed damage."""
        return self.damage is not None

    @property
    def is_image(self) -> bool:
        """Whether the file is a still picture."""
        return self.duration_seconds == 0 and len(self.frames) == 1

    def __repr__(self) -> str:
        size = f" of {self.frames[0].width} x {self.frames[0].height} px" if self.frames else ""
        frames = counted(len(self.frames), "frame", "frames")
        damage = f", damaged: {short(str(self.damage))}" if self.damaged else ""
        return f"<Clip {short(self.path.name)}: {frames}{size}, {self.duration_seconds:.2f} s{damage}>"


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a video without a cut in it: a shot, or some seconds of a long one.

    Attributes:
        clip: Its frames; none where it is not to be judged.
        opens_shot: Whether a shot begins with it, or it goes on with that of the stretch before.
        start_seconds: Container time of its first frame.
        end_seconds: Container time at which it ends.
        since_seconds: Container time from which on the file is read, to tell how far this is.
        until_seconds: Container time at which that ends.
        why_skipped: Why it has no frames, or None.
        notes: What is to be said of the file besides, such as what in it is not looked at.
    """

    clip: Clip
    opens_shot: bool
    start_seconds: float
    end_seconds: float
    since_seconds: float
    until_seconds: float
    why_skipped: Reason | None = None
    notes: tuple[Reason, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether it is all that is read of the file."""
        return (self.start_seconds, self.end_seconds) == (self.since_seconds, self.until_seconds)


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """One face in one frame.

    Attributes:
        box: ``x0 y0 x1 y1``, shape (4,), float32; may reach outside the frame.
        points: Left eye, right eye, nose, left and right mouth corner as seen in the picture, shape (5, 2).
        confidence: The detector's probability that this is a face, 0 to 1.
        look: Grey picture of the face and what is around it, square; None where it was not kept.
        lightened: It was found only in a lightened copy of a dark frame.
    """

    box: Floats
    points: Floats
    confidence: float
    look: Image | None = None
    lightened: bool = False

    def __post_init__(self) -> None:
        if self.box.shape != (4,) or self.points.shape != (5, 2):
            raise ValueError(f"box must be (4,) and points (5, 2), got {self.box.shape}, {self.points.shape}")

    def __repr__(self) -> str:
        box = " ".join(f"{corner:.0f}" for corner in self.box)
        return f"<Face: box {box}, confidence {self.confidence:.2f}>"


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """One face followed through a clip.

    Attributes:
        id: Number of the person in the clip, from 0 in order of appearance.
        frame_indices: Which of the clip's sampled frames show the face, rising.
        faces: The face in each of these frames.
        dropped: Why this track is not taken for a person, or None when it is kept.
        picture: It is a picture of a face: a poster, a print, a painting; dropped where anybody lives.
    """

    id: int
    frame_indices: tuple[int, ...]
    faces: tuple[Face, ...]
    dropped: Reason | None = None
    picture: bool = False

    @property
    def kept(self) -> bool:
        """Whether the track counts as a person."""
        return self.dropped is None

    @property
    def why_dropped(self) -> str | None:
        """Why it is dropped as a sentence in English, or None when it is kept."""
        return None if self.dropped is None else str(self.dropped)

    def __repr__(self) -> str:
        why = "" if self.dropped is None else f", dropped: {short(str(self.dropped))}"
        return f"<Track {self.id}: {counted(len(self.faces), 'face', 'faces')}{why}>"


@dataclass(frozen=True, slots=True, eq=False)
class Crops:
    """One person's face, cut from the frames.

    Attributes:
        track_id: The track it was cut from.
        frame_indices: Which of the clip's sampled frames, shape (T,).
        times_seconds: Container times, shape (T,), float64.
        images: RGB, shape (T, 3, H, W), uint8.
        boxes: Face boxes in frame pixels, shape (T, 4).
        points: Key points in pixels of the crop, shape (T, 5, 2).
        detail_px: Shorter side in pixels to which the face could be shrunk without losing detail, shape (T,);
            None where that was not asked for.
    """

    track_id: int
    frame_indices: NDArray[np.int64]
    times_seconds: NDArray[np.float64]
    images: NDArray[np.uint8]
    boxes: Floats
    points: Floats
    detail_px: Floats | None = None

    def __post_init__(self) -> None:
        if self.images.ndim != 4 or self.images.shape[1] != 3:
            raise ValueError(f"images must be (T, 3, H, W), got {self.images.shape}")

    def __len__(self) -> int:
        return len(self.images)

    def __repr__(self) -> str:
        shape = " x ".join(map(str, self.images.shape))
        return f"<Crops of track {self.track_id}: {shape}>"
