"""Self-blended images: a real face blended with an altered copy of itself.

Written from Shiohara & Yamasaki, "Detecting Deepfakes with Self-Blended Images", CVPR 2022: what gives a
swapped face away, whatever made it, is that inside and outside of the blended region differ slightly in
colour, sharpness, noise, scale and position. A copy of the same face, altered so and blended back,
shows all of that without any swapping network, and leaves nothing else to learn from.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from unmask.data import augment
from unmask.data.outline import draw_region, soften_mask, warp_smoothly
from unmask.types import Floats, Image

# Swaps exchange the whole face; reenactment and retouching change parts of it.
PART_WEIGHTS = {
    "face": 0.34,
    "face_and_forehead": 0.16,
    "inner": 0.2,
    "box": 0.06,
    "lower": 0.1,
    "mouth": 0.08,
    "eyes": 0.06,
}
WHOLE_WEIGHTS = {"face": 0.45, "face_and_forehead": 0.2, "inner": 0.25, "box": 0.1}


class Pair(NamedTuple):
    """A real crop with its own pseudo-fake.

    Attributes:
        real: Shape (S, S, 3), RGB.
        fake: The same shape.
        mask: Share of the foreign face at each pixel of the fake, shape (S, S), 0 to 1.
    """

    real: Image
    fake: Image
    mask: Floats


def draw_mask(points: Floats, rng: np.random.Generator, *, size_px: int, weights: dict[str, float]) -> Floats:
    """A random soft mask over a random region of the face.

    Args:
        points: Five key points in crop pixels, shape (5, 2).
        rng: Source of every random choice.
        size_px: Side of the square crop.
        weights: Probability of each key of `REGIONS`.

    Returns:
        Shape (size_px, size_px), 0 to 1.
    """
    region = str(rng.choice(list(weights), p=list(weights.values())))
    return soften_mask(draw_region(region, points, size_px=size_px), rng)


def alter_face(image: Image, rng: np.random.Generator, *, face_px: float) -> Image:
    """Alter colour, sharpness and texture as a face generator or a careless editor would.

    Args:
        image: Shape (S, S, 3), RGB.
        rng: Source of every random choice.
        face_px: Width of the face, against which generators' resolutions are drawn.
    """
    altered = image
    if rng.random() < 0.7:
        gain = 1 + rng.uniform(-0.08, 0.08, 3)
        altered = augment.relight(
            altered,
            gamma=float(np.exp(rng.uniform(-0.12, 0.12))),
            gain=tuple(gain),
            offset=float(rng.uniform(-12, 12)),
        )
    if rng.random() < 0.4:
        altered = augment.saturate(altered, factor=float(rng.uniform(0.7, 1.3)))
    if rng.random() < 0.15:
        altered = augment.light_from_side(
            altered, strength=float(rng.uniform(0.05, 0.2)), angle_degrees=float(rng.uniform(0, 360))
        )
    texture = rng.random()
    if texture < 0.4:  # swapping networks work at 64 to 256 px and are enlarged onto the face
        factor = rng.uniform(48, 200) / max(face_px, 1)
        if factor < 0.95:
            up = int(rng.choice([cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4]))
            altered = augment.rescale(altered, factor=float(factor), up=up)
    elif texture < 0.55:  # autoencoders lose pores and keep edges
        reach = int(rng.integers(5, 10))
        altered = np.asarray(
            cv2.bilateralFilter(altered, reach, float(rng.uniform(10, 45)), reach / 2.0), np.uint8
        )
    elif texture < 0.62:
        altered = augment.blur(altered, sigma_px=float(rng.uniform(0.4, 1.6)))
    elif texture < 0.8:
        altered = augment.sharpen(
            altered, amount=float(rng.uniform(0.3, 1.5)), sigma_px=float(rng.uniform(0.8, 2.5))
        )
    if texture < 0.62 and rng.random() < 0.25:  # many tools sharpen what they made
        altered = augment.sharpen(
            altered, amount=float(rng.uniform(0.3, 1.0)), sigma_px=float(rng.uniform(1, 2.5))
        )
    if rng.random() < 0.12:
        altered = augment.compress_jpeg(altered, quality=int(rng.integers(30, 90)))
    if rng.random() < 0.1:
        altered = augment.add_noise(altered, sigma=float(rng.uniform(1, 5)), seed=int(rng.integers(2**31)))
    return altered


def shift_face(image: Image, rng: np.random.Generator, *, face_px: float) -> Image:
    """Move, scale, turn and bend a face a little, as an imprecise swap would."""
    size_px = len(image)
    reach = 0.035 * face_px
    centre = (size_px / 2, size_px / 2)
    move = cv2.getRotationMatrix2D(centre, float(rng.uniform(-2, 2)), float(rng.uniform(0.95, 1.05)))
    move[:, 2] = move[:, 2] + rng.uniform(-reach, reach, 2)
    moved = cv2.warpAffine(
        image, move, (size_px, size_px), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    bend_px = float(rng.uniform(0, 0.03)) * face_px
    return warp_smoothly(moved, rng, reach_px=bend_px, cells=int(rng.integers(4, 9))).astype(np.uint8)


def mix(target: Image, source: Image, mask: NDArray[np.float32]) -> Image:
    """Blend a source into a target, ``mask * source + (1 - mask) * target``."""
    weight = mask[..., None]
    return (target + weight * (source.astype(np.float32) - target) + 0.5).astype(np.uint8)


def face_width(points: Floats) -> float:
    """The width of a face in pixels: twice the distance of the eyes, or by the height of eyes over mouth."""
    eyes = float(np.linalg.norm(points[1] - points[0]))
    height = float(np.linalg.norm((points[3] + points[4]) / 2 - (points[0] + points[1]) / 2))
    return 2.0 * max(eyes, height * 0.95)  # a turned head keeps its height


def blend_self(image: Image, points: Floats, rng: np.random.Generator, *, copy: Image | None = None) -> Pair:
    """Make a pseudo-fake from one real face.

    Either the inner copy or the surrounding picture is altered; in the second case the altered picture
    is also the real one, so that alteration by itself tells nothing. A given copy is always the inner one.

    Args:
        image: Real crop, RGB, shape (S, S, 3).
        points: Its five key points in crop pixels, shape (5, 2).
        rng: Source of every random choice.
        copy: The face as an autoencoder gave it back, shape (S, S, 3); blended in place of the face itself.
    """
    face_px = face_width(points)
    mask = draw_mask(points, rng, size_px=len(image), weights=PART_WEIGHTS)
    mask *= rng.choice([0.4, 0.7, 1.0], p=[0.12, 0.18, 0.7])
    altered = alter_face(image if copy is None else copy, rng, face_px=face_px)
    inner = copy is not None or rng.random() < 0.65
    target, source = (image, altered) if inner else (altered, image)
    source = shift_face(source, rng, face_px=face_px)
    return Pair(target, mix(target, source, mask), mask)
