"""Geometry of boxes: ``x0 y0 x1 y1`` in pixels, one a row, shape (N, 4)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from unmask.types import Floats

Ints = NDArray[np.int64]


def centres(boxes: Floats) -> Floats:
    """Middle points ``x y`` of boxes.

    Args:
        boxes: Shape (N, 4).

    Returns:
        Shape (N, 2).

    >>> centres(np.float32([[0, 0, 10, 20]])).tolist()
    [[5.0, 10.0]]
    """
    return (boxes[:, :2] + boxes[:, 2:]) * np.float32(0.5)


def sides(boxes: Floats) -> Floats:
    """Width and height of boxes.

    Args:
        boxes: Shape (N, 4).

    Returns:
        Shape (N, 2); negative where a box is turned inside out.

    >>> sides(np.float32([[0, 0, 10, 20]])).tolist()
    [[10.0, 20.0]]
    """
    return boxes[:, 2:] - boxes[:, :2]


def square_boxes(boxes: Floats, *, scale: float = 1.0) -> Floats:
    """Squares about the same centres, with the longer side of each box times ``scale``.

    Args:
        boxes: Shape (N, 4).
        scale: Side of the square in longer sides of the box, above 0.

    Returns:
        Shape (N, 4); may reach outside the frame.

    >>> square_boxes(np.float32([[0, 0, 10, 20]])).tolist()
    [[-5.0, 0.0, 15.0, 20.0]]
    """
    half = sides(boxes).max(axis=1, keepdims=True, initial=0) * np.float32(scale / 2)
    middle = centres(boxes)
    return np.concatenate([middle - half, middle + half], axis=1)


def iou(first: Floats, second: Floats) -> Floats:
    """Intersection over union of every pair.

    Args:
        first: Shape (N, 4).
        second: Shape (M, 4).

    Returns:
        Shape (N, M), 0 to 1; 0 where a box has no area.

    >>> iou(np.float32([[0, 0, 2, 2]]), np.float32([[1, 0, 3, 2], [5, 5, 6, 6]])).round(3).tolist()
    [[0.3330000042915344, 0.0]]
    """
    shared, first_area, second_area = _overlap(first, second)
    union = first_area + second_area - shared
    return _ratio(shared, union)


def cover(first: Floats, second: Floats) -> Floats:
    """Share of the smaller box that the other covers, for every pair.

    Finds what IoU does not: a small box inside a large one.

    Args:
        first: Shape (N, 4).
        second: Shape (M, 4).

    Returns:
        Shape (N, M), 0 to 1; 0 where a box has no area.

    >>> cover(np.float32([[0, 0, 10, 10]]), np.float32([[4, 4, 6, 6]])).tolist()
    [[1.0]]
    """
    shared, first_area, second_area = _overlap(first, second)
    smaller = np.minimum(first_area, second_area)
    return _ratio(shared, smaller)


def match_boxes(
    first: Floats,
    second: Floats,
    *,
    max_distance_sides: float | Floats,
    max_growth: float = 2.0,
    barred: Collection[tuple[int, int]] = (),
) -> list[tuple[int, int]]:
    """Pair the boxes of two moments that may show the same thing, nearest pairs first.

    The cost of a pair is the distance of the centres in mean sides, plus the natural logarithm of the
    growth, plus one minus the IoU; the cheapest pair of all is taken, then the next.

    Args:
        first: Shape (N, 4).
        second: Shape (M, 4).
        max_distance_sides: Farthest that the centres of a pair may lie apart, in mean sides of the two;
            one number, or one for each of ``first``, shape (N,).
        max_growth: Most that the side may change from one to the other, as a factor above 1.
        barred: Pairs that must not be made.

    Returns:
        Pairs of indices into ``first`` and ``second``; every index at most once.

    >>> a = np.float32([[0, 0, 10, 10], [50, 0, 60, 10]])
    >>> match_boxes(a, a[::-1] + 2, max_distance_sides=1.0)
    [(0, 1), (1, 0)]
    """
    if not len(first) or not len(second):
        return []
    size = [np.maximum(sides(boxes).mean(axis=1), 1e-3) for boxes in (first, second)]
    gap = np.linalg.norm(centres(first)[:, None] - centres(second)[None], axis=2)
    distance = gap / ((size[0][:, None] + size[1][None]) / 2)
    growth = np.abs(np.log(size[0][:, None] / size[1][None]))
    cost = distance + growth + 1 - iou(first, second)
    limit = np.broadcast_to(np.asarray(max_distance_sides, np.float32), len(first))[:, None]
    cost[(distance > limit) | (growth > np.log(max_growth))] = np.inf
    for pair in barred:
        cost[pair] = np.inf
    pairs = []
    while np.isfinite(cost).any():
        row, column = (int(index) for index in np.unravel_index(cost.argmin(), cost.shape))
        pairs.append((row, column))
        cost[row], cost[:, column] = np.inf, np.inf
    return pairs


def _overlap(first: Floats, second: Floats) -> tuple[Floats, Floats, Floats]:
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    shared = np.maximum(high - low, 0).prod(axis=2)
    areas = [np.maximum(sides(boxes), 0).prod(axis=1) for boxes in (first, second)]
    return shared, areas[0][:, None], areas[1][None, :]


def _ratio(part: Floats, whole: Floats) -> Floats:
    share: Floats = np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
    return share


def suppress(boxes: Floats, scores: Floats, groups: Ints, *, max_iou: float) -> Ints:
    """Non-maximum suppression: drop boxes that overlap a better one of the same group too much.

    Args:
        boxes: Shape (N, 4).
        scores: Above 0, shape (N,).
        groups: Boxes of different groups (images, say) do not suppress each other, shape (N,).
        max_iou: A box goes when its IoU with a better, surviving box is above this.

    Returns:
        Indices that survive, best score first.

    >>> boxes = np.float32([[0, 0, 10, 10], [1, 0, 11, 10], [30, 0, 40, 10]])
    >>> suppress(boxes, np.float32([0.8, 0.9, 0.7]), np.zeros(3, np.int64), max_iou=0.5).tolist()
    [1, 2]
    """
    if len(boxes) < 2:
        return np.arange(len(boxes))
    corner_and_size = np.concatenate([boxes[:, :2], sides(boxes)], axis=1).astype(np.float64)
    # OpenCV's loop is compiled: 20 times faster than numpy's on a few hundred boxes.
    suppress_batched: Any = cv2.dnn.NMSBoxesBatched  # its stubs ask for lists, arrays are faster
    kept = suppress_batched(corner_and_size, scores, groups.astype(np.int32), 0.0, max_iou)
    return np.asarray(kept, np.int64).reshape(-1)
