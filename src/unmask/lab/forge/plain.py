"""Pairs as the first network that was shipped learned from them: strong artefacts, at the size that is seen.

Next to what `unmask.lab.forge.pairs` does by itself, everything is simpler. A fake is made at the network's
own size, with every kind of artefact at full strength; donors come from the source of the face that they
replace; footage is degraded by JPEG or by a codec without motion, or not at all. Kept so that the weights can
be made again, and because nothing that came after has learned more that holds on real people of other footage
(docs/lab/pseudo_fakes.md).
"""

from __future__ import annotations

from functools import partial

import cv2
import numpy as np

from unmask.lab.crops.framing import flip_face, frame_face, place_view
from unmask.lab.crops.shards import CropReader
from unmask.lab.forge import augment
from unmask.lab.forge.blend import Pair, blend_altered
from unmask.lab.forge.pools import Pool
from unmask.lab.forge.settings import PairSettings, is_harsh
from unmask.lab.forge.swap import swap_face
from unmask.types import Image


def draw_plain_pair(pool: Pool, reader: CropReader, rng: np.random.Generator, settings: PairSettings) -> Pair:
    """One real face and its pseudo-fake, both degraded alike or both left as they are.

    Args:
        pool: Faces of one source.
        reader: Of their crops.
        rng: Source of every random choice.
        settings: How to draw it; ``degraded_share`` says nothing here.
    """
    sample, number = pool.draw_crop(rng)
    image, points = reader.read(sample, number)
    margin = rng.uniform(*settings.margin_fractions)
    view = place_view(
        rng,
        side_px=len(image),
        margin=margin,
        side=settings.size_px,
        stored_margin=sample.margin_fraction,
    )
    image, points = frame_face(image, points, view)
    if rng.random() < 0.5:
        image, points = flip_face(image, points)
    if rng.random() < settings.swap_share:
        donor, number = pool.find_donor(points, sample.identity, rng)
        crop = reader.read(donor, number)
        pair = swap_face(image, points, *crop, rng, alter=add_strong_artefacts, filtered=False)
    else:
        pair = blend_altered(image, points, rng, alter=add_strong_artefacts)
    if is_harsh(rng, settings):
        chain = augment.draw_harsh_degradation(rng, size_px=settings.size_px)
    else:
        chain = draw_plain_degradations(rng, size_px=settings.size_px)
        if rng.random() >= 1 - settings.clean_share:
            return pair
    return Pair(augment.apply_chain(pair.real, chain), augment.apply_chain(pair.fake, chain), pair.mask)


def add_strong_artefacts(image: Image, rng: np.random.Generator, face_px: float) -> Image:
    """Alter colour, sharpness and texture at full strength.

    Args:
        image: Shape (S, S, 3), RGB.
        rng: Source of every random choice.
        face_px: Width of the face, against which generators' resolutions are drawn.
    """
    altered = image
    if rng.random() < 0.7:
        gain = tuple(1 + rng.uniform(-0.08, 0.08, 3))
        gamma, offset = float(np.exp(rng.uniform(-0.12, 0.12))), float(rng.uniform(-12, 12))
        altered = augment.relight(altered, gamma=gamma, gain=gain, offset=offset)
    if rng.random() < 0.4:
        altered = augment.saturate(altered, factor=float(rng.uniform(0.7, 1.3)))
    if rng.random() < 0.15:
        strength, angle = float(rng.uniform(0.05, 0.2)), float(rng.uniform(0, 360))
        altered = augment.light_from_side(altered, strength=strength, angle_degrees=angle)
    way = rng.random()
    if way < 0.4:  # swapping networks work at 64 to 256 px and are enlarged onto the face
        factor = rng.uniform(48, 200) / max(face_px, 1)
        if factor < 0.95:
            up = int(rng.choice([cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4]))
            altered = augment.rescale(altered, factor=float(factor), up=up)
    elif way < 0.55:  # autoencoders lose pores and keep edges
        reach, spread = int(rng.integers(5, 10)), float(rng.uniform(10, 45))
        altered = np.asarray(cv2.bilateralFilter(altered, reach, spread, reach / 2.0), np.uint8)
    elif way < 0.62:
        altered = augment.blur(altered, sigma_px=float(rng.uniform(0.4, 1.6)))
    elif way < 0.8:
        altered = _sharpen(altered, rng, amounts=(0.3, 1.5), sigmas_px=(0.8, 2.5))
    if way < 0.62 and rng.random() < 0.25:  # many tools sharpen what they made
        altered = _sharpen(altered, rng, amounts=(0.3, 1.0), sigmas_px=(1.0, 2.5))
    if rng.random() < 0.12:
        altered = augment.compress_jpeg(altered, quality=int(rng.integers(30, 90)))
    if rng.random() < 0.1:
        sigma, seed = float(rng.uniform(1, 5)), int(rng.integers(2**31))
        altered = augment.add_noise(altered, sigma=sigma, seed=seed)
    return altered


def draw_plain_degradations(rng: np.random.Generator, *, size_px: int) -> list[augment.Operation]:
    """The degradations of a pair: those of `draw_degradation`, then a codec, if any, that sees no motion."""
    chain = augment.draw_degradation(rng, size_px=size_px, rescaled_share=0.35, smallest=0.35)
    codec = rng.random()
    if codec < 0.45:
        return [*chain, partial(augment.compress_jpeg, quality=int(rng.integers(30, 101)))]
    if codec < 0.7:
        return [*chain, partial(augment.compress_h264, crf=int(rng.integers(18, 38)), preset="ultrafast")]
    return chain


def _sharpen(
    image: Image,
    rng: np.random.Generator,
    *,
    amounts: tuple[float, float],
    sigmas_px: tuple[float, float],
) -> Image:
    amount, sigma_px = float(rng.uniform(*amounts)), float(rng.uniform(*sigmas_px))
    return augment.sharpen(image, amount=amount, sigma_px=sigma_px)
