"""Five key points of a face, and the affine maps that carry them from one picture into another."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from unmask.types import Floats, Image

# Left eye, right eye, nose, left and right mouth corner of the mean face.
CANONICAL_POINTS = np.array([(-1, 0), (1, 0), (0, 1.12), (-0.82, 2.05), (0.82, 2.05)], np.float32)


def fit_affine(source: Floats, target: Floats) -> NDArray[np.float32]:
    """The affine map, shape (2, 3), that brings points nearest to others in the least-squares sense.

    Args:
        source: Shape (K, 2), K at least 3.
        target: Shape (K, 2).

    Example:
        >>> move = fit_affine(CANONICAL_POINTS, CANONICAL_POINTS * 10 + 5)
        >>> np.abs(np.round(move, 3)).tolist()
        [[10.0, 0.0, 5.0], [0.0, 10.0, 5.0]]
    """
    homogeneous = np.hstack([source, np.ones((len(source), 1), np.float32)])
    solution, *_ = np.linalg.lstsq(homogeneous, target, rcond=None)
    return np.ascontiguousarray(solution.T, dtype=np.float32)


def fit_similarity(source: Floats, target: Floats) -> NDArray[np.float32] | None:
    """The turn, shift and scaling, shape (2, 3), that brings points onto others, an odd one out left aside.

    Least median of squares, then least squares over the points that fit, as OpenCV has it.

    Args:
        source: Shape (K, 2), K at least 3.
        target: Shape (K, 2).

    Returns:
        None where no such map exists, as when all points are the same.

    Example:
        >>> np.abs(np.round(fit_similarity(CANONICAL_POINTS, CANONICAL_POINTS * 10 + 5), 3)).tolist()
        [[10.0, 0.0, 5.0], [0.0, 10.0, 5.0]]
    """
    if not np.isfinite(source).all():
        return None
    move, _ = cv2.estimateAffinePartial2D(
        source.astype(np.float32), target.astype(np.float32), method=cv2.LMEDS
    )
    if move is None or not np.isfinite(move).all():
        return None
    return np.asarray(move, np.float32)


def move_points(points: Floats, move: NDArray[np.floating]) -> Floats:
    """Apply an affine map of shape (2, 3) to points of shape (K, 2)."""
    moved: Floats = (points @ move[:, :2].T + move[:, 2]).astype(np.float32)
    return moved


def shrink_first(image: Image, points: Floats, *, scale: float) -> tuple[Image, Floats]:
    """An image that a warp is about to make smaller, shrunk by area so that fine detail does not alias.

    Args:
        image: Shape (S, S, 3).
        points: In its pixels, shape (K, 2).
        scale: Of the warp to come; from 0.7 on nothing is done, since a warp interpolates that well.

    Returns:
        The image and the points in its pixels.
    """
    if scale >= 0.7:
        return image, points
    side = max(8, round(len(image) * scale))
    small = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8), points * (side / len(image))
