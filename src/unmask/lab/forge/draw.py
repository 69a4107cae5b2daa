"""Photographed faces made to look drawn or painted, to learn what is no photograph from."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from unmask.types import Image

Way = Callable[[Image, np.random.Generator], Image]


def draw_face(image: Image, rng: np.random.Generator) -> Image:
    """A picture in one of the `WAYS`, drawn by chance, as are its strengths.

    Args:
        image: RGB, shape (H, W, 3), uint8.
        rng: Source of chance.

    Returns:
        The same shape, its own memory.
    """
    way = WAYS[int(rng.integers(len(WAYS)))]
    return np.ascontiguousarray(way(image, rng), np.uint8)


def _stylise(image: Image, rng: np.random.Generator) -> Image:
    reach, range_ = float(rng.uniform(30, 120)), float(rng.uniform(0.25, 0.6))
    return np.asarray(cv2.stylization(image, sigma_s=reach, sigma_r=range_), np.uint8)


def _oil(image: Image, rng: np.random.Generator) -> Image:
    flat = cv2.pyrMeanShiftFiltering(image, int(rng.integers(5, 14)), int(rng.integers(18, 40)))
    reach, range_ = float(rng.uniform(20, 60)), float(rng.uniform(0.2, 0.45))
    return np.asarray(cv2.edgePreservingFilter(flat, flags=1, sigma_s=reach, sigma_r=range_), np.uint8)


def _pencil(image: Image, rng: np.random.Generator) -> Image:
    reach, range_ = float(rng.uniform(30, 100)), float(rng.uniform(0.05, 0.12))
    shade = float(rng.uniform(0.02, 0.06))
    gray, coloured = cv2.pencilSketch(image, sigma_s=reach, sigma_r=range_, shade_factor=shade)
    return np.asarray(coloured if rng.random() < 0.5 else np.repeat(gray[..., None], 3, 2), np.uint8)


def _poster(image: Image, rng: np.random.Generator) -> Image:
    step = int(rng.integers(20, 44))
    flat = cv2.pyrMeanShiftFiltering(image, int(rng.integers(8, 16)), int(rng.integers(30, 50)))
    return np.asarray(np.asarray(flat) // step * step + step // 2, np.uint8)


def _strokes(image: Image, rng: np.random.Generator) -> Image:
    """Each pixel takes the mean of the most even of four squares at it (M. Kuwahara, 1976)."""
    side = int(rng.integers(3, 7))
    values = image.astype(np.float32)
    best, least = np.zeros_like(values), np.full(image.shape[:2], np.inf, np.float32)
    for anchor in ((side, side), (0, side), (side, 0), (0, 0)):
        size = side + 1, side + 1
        mean = cv2.boxFilter(values, -1, size, anchor=anchor)
        spread = (cv2.boxFilter(values**2, -1, size, anchor=anchor) - mean**2).sum(2)
        best = np.where((spread < least)[..., None], mean, best)
        least = np.minimum(spread, least)
    return np.clip(best, 0, 255).astype(np.uint8)


def _comic(image: Image, _rng: np.random.Generator) -> Image:
    flat: Image = image
    for _ in range(3):
        flat = np.asarray(cv2.bilateralFilter(flat, 9, 40, 7), np.uint8)
    gray = cv2.medianBlur(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), 5)
    lines = cv2.adaptiveThreshold(gray, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY, 9, 4)
    return np.where(np.asarray(lines)[..., None] == 0, flat // 3, flat).astype(np.uint8)


WAYS: tuple[Way, ...] = (_stylise, _oil, _pencil, _poster, _strokes, _comic)
"""Ways to draw a face."""
