"""What a clip of the bench shows, who plays in it, and what is true of it once it is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from unmask.types import Floats, Image

PATCH_PX, FACE_PX = 320, 160
"""Side of a portrait's patch, and of the face in its middle."""
WIDTH, HEIGHT, MARGIN_PX = 480, 270, 40  # of the picture, and of the wall beyond it
_VISIBLE = 0.6  # share of a face that must be within the picture for it to count


@dataclass(frozen=True, slots=True, eq=False)
class Portrait:
    """A face, upright, in the middle of a square patch.

    Attributes:
        name: Of the file it was taken from.
        patch: RGB, (PATCH_PX, PATCH_PX, 3), uint8.
        box: Of the face, in pixels of the patch.
        points: Five key points in pixels of the patch, shape (5, 2).
    """

    name: str
    patch: Image
    box: Floats
    points: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Cast:
    """What clips are made of; without photos, hands and paintings are drawn.

    Attributes:
        portraits: One or more.
        hands: Photos of hands without a face.
        paintings: Photos of painted faces.
    """

    portraits: Sequence[Portrait]
    hands: Sequence[Image] = ()
    paintings: Sequence[Image] = ()


@dataclass(frozen=True, slots=True)
class Scene:
    """What to draw.

    Attributes:
        condition: What makes it hard.
        level: How hard.
        seed: Of all chance.
        people: How many; several enter and leave.
        face_px: Side of the faces.
        brightness: Factor on every pixel, 0 to 1; noise of the sensor comes on top.
        turn_degrees: In-plane turn of heads.
        cover: Share of the face, from the chin up, that a mask covers.
        blur_px: Length of the motion blur.
        crf: Constant rate factor of H.264.
        posters: Portraits on the wall.
        shirt: Whether a face is printed on the first person's chest.
        hands: How many hands pass.
        paintings: How many hang on the wall.
        frames: How many.
        frames_per_second: How many a second.
    """

    condition: str
    level: float
    seed: int
    people: int = 1
    face_px: float = 70.0
    brightness: float = 1.0
    turn_degrees: float = 0.0
    cover: float = 0.0
    blur_px: float = 0.0
    crf: int = 23
    posters: int = 0
    shirt: bool = False
    hands: int = 0
    paintings: int = 0
    frames: int = 12
    frames_per_second: int = 4


@dataclass(frozen=True, slots=True)
class DrawnFace:
    """Where a face was drawn; see `unmask.lab.facebench.bench.TrueFace`."""

    who: int
    kind: str
    box: tuple[float, float, float, float]
    ignore: bool


@dataclass(frozen=True, slots=True, eq=False)
class Drawing:
    """Pictures and what is true of them."""

    images: list[Image]
    truth: list[list[DrawnFace]]
    frames_per_second: int


def map_box(box: Floats, move: Floats) -> Floats:
    """The upright box around a box that was moved: its centre and mean scale, whatever the turn."""
    scale = float(np.hypot(move[0, 0], move[0, 1]))
    centre = move[:, :2] @ ((box[:2] + box[2:]) / 2) + move[:, 2]
    half = (box[2:] - box[:2]) / 2 * scale
    return np.concatenate([centre - half, centre + half]).astype(np.float32)


def true_face(who: int, kind: str, box: Floats) -> DrawnFace | None:
    """The truth on a face, cut off at the border; None when nothing of it is in the picture."""
    limit = np.array([WIDTH, HEIGHT] * 2, np.float32)
    cut = np.clip(box, 0, limit)
    seen, whole = (max(float((b[2] - b[0]) * (b[3] - b[1])), 0.0) for b in (cut, box))
    if seen < 1 or (cut[2:] - cut[:2]).min() < 1:
        return None
    x0, y0, x1, y1 = (round(float(edge), 2) for edge in cut)
    return DrawnFace(who, kind, (x0, y0, x1, y1), seen < _VISIBLE * whole)
