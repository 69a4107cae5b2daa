"""Self-blended images: a real face blended with an altered copy of itself.

*Blending* is the step that all such forgeries share: a source face is laid over a target through a soft mask,
``mask * source + (1 - mask) * target``. What that leaves to be seen is an *artefact*, and *artefact strength*
says how far inside and outside of the mask differ by it, from 0 (not at all) to 1.

Written from Shiohara & Yamasaki, "Detecting Deepfakes with Self-Blended Images", CVPR 2022: what gives a
swapped face away, whatever made it, is that inside and outside of the blended region differ slightly in
colour, sharpness, noise, scale and position. A copy of the same face, altered so and blended back,
shows all of that without any swapping network, and leaves nothing else to learn from.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from unmask.lab.forge import augment
from unmask.lab.forge.outline import draw_region, soften_mask, warp_smoothly
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


Alter = Callable[[Image, np.random.Generator, float], Image]
"""Alters a face, given its width in pixels."""


class Cues(NamedTuple):
    """Artefact strength by kind: how strongly each gives a pseudo-fake away, 0 (not at all) to 1.

    Attributes:
        colour: Light and colour differ.
        texture: Sharpness, noise or fine detail differ.
        place: The face is moved, scaled, turned or bent; swaps bend it to the key points anyway.
    """

    colour: float
    texture: float
    place: float


CUE_SHARES = Cues(colour=0.6, texture=0.8, place=0.6)
WEAKEST_CUE = 0.35


def draw_cues(rng: np.random.Generator) -> Cues:
    """Some of the artefacts, each of its own strength.

    A network takes the strongest artefact there is and never learns the others, and good forgeries leave only
    one or two weak ones.
    """
    strengths = rng.uniform(WEAKEST_CUE, 1, len(CUE_SHARES))
    there = rng.random(len(CUE_SHARES)) < CUE_SHARES
    if not there.any():
        there[Cues._fields.index("texture")] = True
    return Cues(*(strengths * there).tolist())


def alter_face(image: Image, rng: np.random.Generator, *, face_px: float, cues: Cues) -> Image:
    """Alter colour, sharpness and texture as a face generator or a careless editor would.

    Args:
        image: Shape (S, S, 3), RGB.
        rng: Source of every random choice.
        face_px: Width of the face, which sets the scale of what is altered.
        cues: What to alter, and how strongly.
    """
    altered = _alter_colour(image, rng, strength=cues.colour) if cues.colour else image
    return _alter_texture(altered, rng, face_px=face_px, strength=cues.texture) if cues.texture else altered


def add_weak_artefacts(image: Image, rng: np.random.Generator, face_px: float) -> Image:
    """Alter a face by artefacts whose kinds and strengths are drawn for it alone; most are weak."""
    return alter_face(image, rng, face_px=face_px, cues=draw_cues(rng))


def _alter_colour(image: Image, rng: np.random.Generator, *, strength: float) -> Image:
    altered = augment.relight(
        image,
        gamma=float(np.exp(strength * rng.uniform(-0.12, 0.12))),
        gain=tuple(1 + strength * rng.uniform(-0.08, 0.08, 3)),
        offset=float(strength * rng.uniform(-12, 12)),
    )
    if rng.random() < 0.5:
        altered = augment.saturate(altered, factor=1 + strength * float(rng.uniform(-0.3, 0.3)))
    if rng.random() < 0.2:
        side = strength * float(rng.uniform(0.05, 0.2))
        altered = augment.light_from_side(altered, strength=side, angle_degrees=float(rng.uniform(0, 360)))
    return altered


def _alter_texture(image: Image, rng: np.random.Generator, *, face_px: float, strength: float) -> Image:
    pixel = face_px / 128  # of a face at the size that networks see it
    way = rng.random()
    altered = image
    if way < 0.38:  # swapping networks give faces of their own size, which are enlarged
        factor = float(np.exp(-strength * rng.uniform(0.15, 1.2)))
        up = int(rng.choice([cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4]))
        altered = augment.rescale(altered, factor=factor, up=up)
    elif way < 0.56:  # autoencoders lose pores and keep edges
        reach = max(3, round(pixel * rng.uniform(5, 10)))
        spread = 8 + strength * float(rng.uniform(5, 35))
        altered = np.asarray(cv2.bilateralFilter(altered, min(reach, 15), spread, reach / 2.0), np.uint8)
    elif way < 0.68:
        altered = augment.blur(altered, sigma_px=max(0.3, pixel * strength * float(rng.uniform(0.4, 1.6))))
    elif way < 0.84:
        altered = _sharpen(altered, rng, pixel=pixel, strength=1.5 * strength)
    elif way < 0.92:
        altered = augment.compress_jpeg(altered, quality=round(95 - strength * float(rng.uniform(5, 65))))
    else:
        sigma = 0.5 + strength * float(rng.uniform(0.5, 5))
        altered = augment.add_noise(altered, sigma=sigma, seed=int(rng.integers(2**31)))
    if way < 0.68 and rng.random() < 0.3:  # many tools sharpen what they made
        altered = _sharpen(altered, rng, pixel=pixel, strength=strength)
    return altered


def _sharpen(image: Image, rng: np.random.Generator, *, pixel: float, strength: float) -> Image:
    amount, sigma = strength * float(rng.uniform(0.2, 1.0)), pixel * float(rng.uniform(0.8, 2.5))
    return augment.sharpen(image, amount=amount, sigma_px=max(0.5, sigma))


def keep_detail(given: Image, image: Image, *, share: float, face_px: float) -> Image:
    """A face that an autoencoder gave back, with some of the fine detail that it lost.

    The small autoencoder gives a blur, and the networks of real swaps do not; what both get wrong is
    what lies between the shape of a face and its pores.

    Args:
        given: By the autoencoder, shape (S, S, 3).
        image: What it was given, same shape.
        share: Of the detail, 0 to 1.
        face_px: Width of the face.
    """
    lost = image.astype(np.float32) - given
    lost -= cv2.GaussianBlur(lost, (0, 0), max(0.8, face_px / 48))
    return np.asarray(np.clip(given + share * lost + 0.5, 0, 255), np.uint8)


def shift_face(image: Image, rng: np.random.Generator, *, face_px: float, strength: float = 1.0) -> Image:
    """Move, scale, turn and bend a face a little, as an imprecise swap would; strength 0 leaves it alone."""
    if not strength:
        return image
    size_px = len(image)
    reach = 0.035 * strength * face_px
    centre = (size_px / 2, size_px / 2)
    turn, zoom = strength * float(rng.uniform(-2, 2)), 1 + strength * float(rng.uniform(-0.05, 0.05))
    move = cv2.getRotationMatrix2D(centre, turn, zoom)
    move[:, 2] = move[:, 2] + rng.uniform(-reach, reach, 2)
    moved = cv2.warpAffine(
        image, move, (size_px, size_px), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    bend_px = strength * float(rng.uniform(0, 0.03)) * face_px
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
    cues = draw_cues(rng)

    def alter(face: Image, rng: np.random.Generator, face_px: float) -> Image:
        return alter_face(face, rng, face_px=face_px, cues=cues)

    return blend_altered(image, points, rng, alter=alter, place=cues.place, copy=copy)


def blend_altered(
    image: Image,
    points: Floats,
    rng: np.random.Generator,
    *,
    alter: Alter,
    place: float = 1.0,
    copy: Image | None = None,
) -> Pair:
    """Blend an altered copy of a face back; `blend_self` draws what is altered.

    Args:
        image: Real crop, RGB, shape (S, S, 3).
        points: Its five key points in crop pixels, shape (5, 2).
        rng: Source of every random choice.
        alter: What happens to the copy, or to what surrounds it.
        place: How far the copy is moved and bent, 0 to 1.
        copy: As in `blend_self`.
    """
    face_px = face_width(points)
    mask = draw_mask(points, rng, size_px=len(image), weights=PART_WEIGHTS)
    mask *= rng.choice([0.4, 0.7, 1.0], p=[0.12, 0.18, 0.7])
    altered = alter(image if copy is None else copy, rng, face_px)
    inner = copy is not None or rng.random() < 0.65
    target, source = (image, altered) if inner else (altered, image)
    source = shift_face(source, rng, face_px=face_px, strength=place)
    return Pair(target, mix(target, source, mask), mask)
