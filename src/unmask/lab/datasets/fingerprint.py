"""Pictures as a few bits that survive encoding, to find clips that are nearly the same."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from unmask.types import Frame

Bits = NDArray[np.bool_]

FRAMES = 4
BITS = FRAMES * 64


def fingerprint(frames: Sequence[Frame]) -> Bits:
    """Whether each of 8 x 8 fields is lighter than the one to its right, in four frames spread over a clip.

    The difference hash as N. Krawetz described it ("Kind of Like That", 2013).

    Args:
        frames: One or more in order of time.

    Returns:
        Shape (256,).

    Example:
        >>> from unmask.video import clip_from_arrays
        >>> slope = np.broadcast_to(np.arange(255, 0, -1, np.uint8)[:, None], (64, 255, 3))
        >>> bool(fingerprint(clip_from_arrays([slope]).frames).all())
        True
    """
    chosen = [frames[(2 * part + 1) * len(frames) // (2 * FRAMES)] for part in range(FRAMES)]
    small = np.stack([frame.picture.rgb(width=9, height=8) for frame in chosen])
    gray = small.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    return np.asarray(gray[:, :, :-1] > gray[:, :, 1:]).reshape(-1)


def near_pairs(fingerprints: NDArray[np.bool_], *, max_bits: int) -> list[tuple[int, int, int]]:
    """Pairs of fingerprints that differ in few bits.

    Args:
        fingerprints: Shape (N, B).
        max_bits: How many bits may differ.

    Returns:
        Two rising row numbers and the bits that differ, of every such pair.

    Example:
        >>> near_pairs(np.array([[0, 0, 1], [1, 1, 0], [0, 1, 1]], bool), max_bits=1)
        [(0, 2, 1)]
    """
    signs = np.where(fingerprints, 1, -1).astype(np.float32)
    size = signs.shape[1] if len(signs) else 0
    pairs = []
    for start in range(0, len(signs), 1024):
        # Of two rows of signs the product is how many agree less how many differ.
        differing = (size - signs[start : start + 1024] @ signs[start:].T) / 2
        rows, columns = np.nonzero(differing <= max_bits + 0.5)
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
            if row < column:
                pairs.append((start + row, start + column, round(float(differing[row, column]))))
    return pairs
