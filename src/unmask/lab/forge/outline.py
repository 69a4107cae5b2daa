"""Where a face is in a crop, as soft masks drawn from five key points.

A face outline in a frame of its own (origin between the eyes, unit half the distance of the eyes,
y down) is carried into the picture by the affine map that best fits the five key points. Five points
are what the detector gives for every face; the regions' shapes are drawn by hand after a mean face.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from unmask.faces.points import CANONICAL_POINTS, fit_affine, move_points
from unmask.types import Floats

_JAW = [(-1.95, 0.1), (-1.9, 0.9), (-1.72, 1.7), (-1.4, 2.4), (-0.95, 2.95), (-0.4, 3.25)]
_BROWS = [(-1.85, -0.55), (-1.35, -0.95), (-0.6, -0.85), (0.0, -0.7)]
_FOREHEAD = [(-1.9, -0.6), (-1.7, -1.4), (-1.1, -1.95), (0.0, -2.15)]


def _mirror(half: list[tuple[float, float]]) -> NDArray[np.float32]:
    """Close a left half (top to bottom or centre) with its mirror image."""
    return np.array([*half, *[(-x, y) for x, y in reversed(half)]], np.float32)


# Which part of a face is exchanged: whole faces by swaps, parts by reenactment and retouching.
REGIONS: dict[str, NDArray[np.float32]] = {
    "face": _mirror([*reversed(_BROWS), *_JAW]),
    "face_and_forehead": _mirror([*reversed(_FOREHEAD), *_JAW]),
    "inner": _mirror(
        [(0.0, -0.55), (-1.0, -0.6), (-1.5, -0.3), (-1.45, 0.8), (-1.2, 1.8), (-0.85, 2.55), (-0.3, 2.7)]
    ),
    "box": _mirror([(-1.75, -1.0), (-1.8, 2.6), (-1.3, 3.1)]),
    "lower": _mirror([(0.0, 0.75), (-1.0, 0.95), (-1.7, 1.3), *_JAW[3:]]),
    "mouth": _mirror([(0.0, 1.35), (-0.9, 1.6), (-1.15, 2.1), (-0.8, 2.6), (-0.3, 2.8)]),
    "eyes": _mirror([(0.0, -0.6), (-1.1, -0.75), (-1.7, -0.35), (-1.55, 0.45), (-0.7, 0.6)]),
}


def draw_region(region: str, points: Floats, *, size_px: int) -> Floats:
    """A hard mask of a face region.

    Args:
        region: A key of `REGIONS`.
        points: The five key points in pixels of the crop, shape (5, 2).
        size_px: Side of the square crop.

    Returns:
        0 or 1, shape (size_px, size_px), float32.
    """
    polygon = move_points(REGIONS[region], fit_affine(CANONICAL_POINTS, points))
    mask = np.zeros((size_px, size_px), np.uint8)
    # Hulls keep the mask in one piece when a turned head folds the outline.
    cv2.fillConvexPoly(mask, cv2.convexHull(np.round(polygon).astype(np.int32)), 1)
    return mask.astype(np.float32)


def soften_mask(mask: Floats, rng: np.random.Generator) -> Floats:
    """Deform a mask smoothly, grow or shrink it and blur its edge.

    The recipe follows self-blended images (Shiohara & Yamasaki, CVPR 2022): elastic deformation, and two
    blurs with a threshold between them that moves the border.

    Args:
        mask: Shape (S, S), 0 to 1.
        rng: Source of every random choice.

    Returns:
        Shape (S, S), 0 to 1.
    """
    side = len(mask)
    mask = warp_smoothly(mask, rng, reach_px=side * rng.uniform(0.0, 0.05), cells=int(rng.integers(3, 7)))
    first = side * rng.uniform(0.01, 0.06)
    border = rng.choice([0.2, 0.5, 0.8], p=[0.2, 0.5, 0.3])
    moved = (cv2.GaussianBlur(mask, (0, 0), first) > border).astype(np.float32)
    last = side * np.exp(rng.uniform(np.log(0.004), np.log(0.05)))
    return np.asarray(cv2.GaussianBlur(moved, (0, 0), last), np.float32)


def warp_smoothly(
    image: NDArray[np.generic], rng: np.random.Generator, *, reach_px: float, cells: int
) -> NDArray[np.float32]:
    """Displace pixels by a smooth random field.

    Args:
        image: Shape (S, S) or (S, S, C).
        rng: Source of the field.
        reach_px: Largest displacement in pixels; below a tenth nothing is done.
        cells: Nodes of the field along each side; few give broad bends.
    """
    if reach_px < 0.1:
        return image  # type: ignore[return-value]
    side = image.shape[0]
    nodes = rng.uniform(-reach_px, reach_px, (cells, cells, 2)).astype(np.float32)
    field = cv2.resize(nodes, (side, side), interpolation=cv2.INTER_CUBIC)
    grid = np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=-1).astype(np.float32) + field
    # An empty array in place of None for the second map gives NaN in OpenCV 5.
    warped = cv2.remap(image, grid, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
    return np.asarray(warped, np.float32)
