"""Cutting a face out of a packed crop: at random to learn from, and as a scan cuts it."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from unmask.config import CropSettings
from unmask.faces.crop import scale_square
from unmask.faces.points import move_points, shrink_first
from unmask.lab.crops.samples import STORED_MARGIN_FRACTION
from unmask.types import Floats, Image

WHOLE_SHARE, SMALLEST_FOOTAGE = 0.6, 0.5  # of pairs at the stored size; the others as if made smaller


class View(NamedTuple):
    """A framing of a packed crop.

    Attributes:
        move: Margin, shift and tilt as an affine map, shape (2, 3).
        side_px: Side of the framed crop; even, as codecs want it.
    """

    move: NDArray[np.float64]
    side_px: int


def draw_view(
    rng: np.random.Generator,
    *,
    side_px: int,
    margin_fractions: tuple[float, float],
    size_px: int,
    stored_margin: float = STORED_MARGIN_FRACTION,
) -> View:
    """A random framing at the stored resolution, or at less, as if the footage had been made smaller.

    Face swaps, cameras and codecs work on footage, and a network sees what is cut from it and scaled: so all
    that is done to a pair is done at this side, and `scale_square` comes last.

    Args:
        rng: Source of every random choice.
        side_px: Of the packed crop.
        margin_fractions: Lowest and highest margin around the face box.
        size_px: What the network sees; the framed crop is 0.4 to 1.3 times as large.
        stored_margin: Margin of the packed crop.
    """
    box_px = side_px / (1 + stored_margin)
    margin = rng.uniform(*margin_fractions)
    footage = 1.0 if rng.random() < WHOLE_SHARE else rng.uniform(SMALLEST_FOOTAGE, 1.0)
    framed_px = np.clip(box_px * (1 + margin) * footage, 0.4 * size_px, 1.3 * size_px)
    side = 2 * round(float(framed_px) / 2)
    return place_view(rng, side_px=side_px, margin=margin, side=side, stored_margin=stored_margin)


def place_view(
    rng: np.random.Generator,
    *,
    side_px: int,
    margin: float,
    side: int,
    stored_margin: float = STORED_MARGIN_FRACTION,
) -> View:
    """A framing with a random tilt and shift.

    Args:
        rng: Source of every random choice.
        side_px: Of the packed crop.
        margin: Around the face box, as a fraction of it.
        side: Of the framed crop.
        stored_margin: Margin of the packed crop.
    """
    box_px = side_px / (1 + stored_margin)
    scale = side / (box_px * (1 + margin))
    move = cv2.getRotationMatrix2D((side_px / 2, side_px / 2), float(rng.normal(0, 4)), scale)
    shift = rng.uniform(-0.05, 0.05, 2) * side
    move[:, 2] = move[:, 2] + side / 2 - side_px / 2 + shift
    return View(np.asarray(move, np.float64), side)


def frame_face(image: Image, points: Floats, view: View) -> tuple[Image, Floats]:
    """Apply a framing, shrinking by area first so that fine detail does not alias."""
    move, side = view
    before = len(image)
    image, points = shrink_first(image, points, scale=float(np.hypot(move[0, 0], move[0, 1])))
    move = np.hstack([move[:, :2] * (before / len(image)), move[:, 2:]])
    framed = cv2.warpAffine(image, move, (side, side), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(framed, np.uint8), move_points(points, move)


def shrink_face(face: tuple[Image, Floats], *, side_px: int) -> tuple[Image, Floats]:
    """A crop and its points at a smaller side; never enlarged."""
    image, points = face
    if side_px >= len(image):
        return face
    return scale_square(image, size_px=side_px), points * np.float32(side_px / len(image))


def flip_face(image: Image, points: Floats) -> tuple[Image, Floats]:
    """Mirror a crop; left and right points change places."""
    mirrored = points[[1, 0, 2, 4, 3]].copy()
    mirrored[:, 0] = image.shape[1] - 1 - mirrored[:, 0]
    return np.ascontiguousarray(image[:, ::-1]), mirrored


def view_centre(image: Image, crop: CropSettings, *, stored_margin: float = STORED_MARGIN_FRACTION) -> Image:
    """The crop that inference would cut from the frame, from a packed one, or all of a tighter one."""
    side = len(image)
    half = side / (1 + stored_margin) * (1 + crop.margin_fraction) / 2
    start, stop = round(side / 2 - half), round(side / 2 + half)
    return scale_square(image[max(start, 0) : stop, max(start, 0) : stop], size_px=crop.size_px)
