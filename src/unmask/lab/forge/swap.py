"""Face swaps between two real people, made for training only.

The donor's face is bent onto the target's five key points, given the target's colours and blended in.
Unlike self-blended images this changes identity and shape, as real swaps do.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from unmask.faces.points import CANONICAL_POINTS, fit_affine, move_points, shrink_first
from unmask.lab.forge.blend import WHOLE_WEIGHTS, Alter, Pair, add_weak_artefacts, draw_mask, face_width, mix
from unmask.types import Floats, Image


def describe_pose(points: Floats) -> Floats:
    """The five points in the mean face's frame, size, place and tilt removed; near poses are near in it.

    Args:
        points: Shape (..., 5, 2).

    Returns:
        Shape (..., 10), float32.
    """
    centred = points - points.mean(axis=-2, keepdims=True)
    target = CANONICAL_POINTS - CANONICAL_POINTS.mean(axis=0)
    # The best similarity in closed form, points taken as complex numbers.
    z = centred[..., 0] + 1j * centred[..., 1]
    w = target[:, 0] + 1j * target[:, 1]
    z = z * ((z.conj() * w).sum(-1) / np.maximum((np.abs(z) ** 2).sum(-1), 1e-9))[..., None]
    return np.concatenate([z.real, z.imag], axis=-1).astype(np.float32)


def match_colour(source: Image, target: Image, mask: NDArray[np.float32], *, strength: float) -> Image:
    """Give the source the target's mean and spread of Lab colour within a mask.

    Args:
        source: RGB, shape (S, S, 3).
        target: RGB, shape (S, S, 3).
        mask: Where to compare, shape (S, S), 0 to 1.
        strength: 0 leaves the source alone, 1 matches fully.
    """
    inside = (mask > 0.5).astype(np.uint8)
    if inside.sum() < 16:
        return source
    lab = cv2.cvtColor(source, cv2.COLOR_RGB2LAB)
    mean_source, spread_source = cv2.meanStdDev(lab, mask=inside)
    mean_target, spread_target = cv2.meanStdDev(cv2.cvtColor(target, cv2.COLOR_RGB2LAB), mask=inside)
    scale = np.clip(spread_target / np.maximum(spread_source, 1), 0.5, 2)[:, 0]
    matched = (lab - mean_source[:, 0]) * (1 + strength * (scale - 1)) + (
        mean_source[:, 0] + strength * (mean_target - mean_source)[:, 0]
    )
    return np.asarray(cv2.cvtColor(np.clip(matched, 0, 255).astype(np.uint8), cv2.COLOR_LAB2RGB), np.uint8)


def _clone(target: Image, source: Image, mask: NDArray[np.float32]) -> Image | None:
    """Poisson blending; None where the mask is too small or touches the border."""
    hard = (mask > 0.3).astype(np.uint8) * 255
    hard[[0, 1, -2, -1]] = 0
    hard[:, [0, 1, -2, -1]] = 0
    x, y, width, height = cv2.boundingRect(hard)
    if width < 8 or height < 8:
        return None
    centre = (x + width // 2, y + height // 2)
    return np.asarray(cv2.seamlessClone(source, target, hard, centre, cv2.NORMAL_CLONE), np.uint8)


def swap_face(
    target: Image,
    target_points: Floats,
    donor: Image,
    donor_points: Floats,
    rng: np.random.Generator,
    *,
    alter: Alter = add_weak_artefacts,
    filtered: bool = True,
) -> Pair:
    """Put a donor's face onto a target.

    Args:
        target: RGB, shape (S, S, 3).
        target_points: Shape (5, 2).
        donor: RGB, square, of any size.
        donor_points: Shape (5, 2), in the donor's pixels.
        rng: Source of every random choice.
        alter: What happens to the donor's face besides.
        filtered: Whether the donor is warped as carefully as anything else. Without it a little sharpness
            is lost, or detail aliases, and that only inside the face.
    """
    size_px = len(target)
    face_px = face_width(target_points)
    if filtered:
        scale = face_px / max(face_width(donor_points), 1)
        donor, donor_points = shrink_first(donor, donor_points, scale=scale)
    mask = draw_mask(target_points, rng, size_px=size_px, weights=WHOLE_WEIGHTS)
    jitter = rng.normal(0, 0.012 * face_px, (5, 2)).astype(np.float32)
    move = fit_affine(donor_points, target_points + jitter)
    how = cv2.INTER_CUBIC if filtered else cv2.INTER_LINEAR
    warped = cv2.warpAffine(donor, move, (size_px, size_px), flags=how, borderMode=cv2.BORDER_REPLICATE)
    corners = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], np.float32) * donor.shape[1::-1]
    cover = np.zeros((size_px, size_px), np.float32)
    cv2.fillConvexPoly(cover, np.round(move_points(corners, move)).astype(np.int32), 1.0)
    mask = mask * cv2.erode(cover, np.ones((5, 5), np.uint8))  # never blend in what the donor's crop lacks
    warped = match_colour(
        np.asarray(warped, np.uint8), target, mask, strength=float(rng.choice([0.5, 0.9, 1.0]))
    )
    source = alter(warped, rng, face_px) if rng.random() < 0.7 else warped
    if rng.random() < 0.25:
        cloned = _clone(target, source, mask)
        if cloned is not None:
            source = cloned
    return Pair(target, mix(target, source, mask), mask)
