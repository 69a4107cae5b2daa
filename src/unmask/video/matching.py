"""Which frame of an original a frame of a copy shows: by what is in them, not by their times.

A copy may be cut, scaled, encoded anew, and have another frame rate. So each frame becomes a difference hash
(Krawetz, "Kind of like that", 2013), which none of that changes much, and the most likely way through the
original is sought: it mostly goes on at its own speed, and may jump where something was cut out.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from unmask.types import Floats, Image

SIDE = 16
"""A hash has the square of this in bits: with the usual 8, frames of one talking head are all alike."""

MOST_DIFFERENT = 0.2
"""Share of bits by which two frames of one picture may differ; of unrelated frames half of them do."""

_JUMP = 1.5  # what a jump costs, in frames that fit perfectly
_OFF_PACE = 0.05  # what a step costs that is longer or shorter than usual

Bits = NDArray[np.int8]


def difference_hash(image: Image) -> Bits:
    """Of each of 16 x 16 places whether it is darker than its neighbour to the right: 1, or else -1.

    Args:
        image: RGB, (H, W, 3), uint8.

    Returns:
        Shape (256,).
    """
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (SIDE + 1, SIDE), interpolation=cv2.INTER_AREA).astype(np.int16)
    return np.where(small[:, 1:] > small[:, :-1], 1, -1).astype(np.int8).ravel()


def match_frames(copy: Sequence[Bits], original: Sequence[Bits], *, pace: float) -> list[int | None]:
    """For each frame of a copy the frame of the original that it shows.

    Args:
        copy: Hashes of its frames, in order and evenly spaced.
        original: The same of the original, spaced as evenly.
        pace: How many frames of the original pass while one of the copy does, above 0.

    Returns:
        Indices into ``original``; None where it shows no such picture.

    Example:
        >>> draw = np.random.default_rng(0)
        >>> film = [draw.choice(np.int8([-1, 1]), 256) for _ in range(20)]
        >>> match_frames(film[3:6] + film[15:17], film, pace=1.0)
        [3, 4, 5, 15, 16]
    """
    if not copy or not original:
        return [None] * len(copy)
    fits = _fits(np.stack(copy), np.stack(original))
    steps = sorted({max(0, round(pace) + change) for change in (-1, 0, 1)})
    value, nowhere = fits[0].copy(), 0.0
    came: list[NDArray[np.int32]] = [np.full(len(original), -1, np.int32)]
    before_nowhere: list[int] = [-1]
    for row in fits[1:]:
        best = int(value.argmax())
        jump, source = float(value[best]) - _JUMP, best
        if nowhere - _JUMP > jump:
            jump, source = nowhere - _JUMP, -1
        arrived, origin = np.full(len(row), jump, np.float32), np.full(len(row), source, np.int32)
        for step in steps:
            moved = np.full(len(row), -np.inf, np.float32)
            moved[step:] = value[: len(row) - step] - _OFF_PACE * abs(step - pace)
            better = moved > arrived
            arrived[better], origin[better] = moved[better], np.flatnonzero(better) - step
        before_nowhere.append(best if value[best] > nowhere else -1)
        nowhere = max(nowhere, float(value[best]))
        value = arrived + row
        came.append(origin)
    return _way_back(value, nowhere, came, before_nowhere)


def _fits(copy: NDArray[np.int8], original: NDArray[np.int8]) -> Floats:
    """How well each frame shows each of the others: 1 where all bits agree, below 0 beyond the limit."""
    agree = copy.astype(np.float32) @ original.astype(np.float32).T / copy.shape[1]
    different = (1.0 - agree) / 2.0
    return np.asarray(1.0 - different / MOST_DIFFERENT, np.float32)


def _way_back(
    value: Floats, nowhere: float, came: Sequence[NDArray[np.int32]], before_nowhere: Sequence[int]
) -> list[int | None]:
    place = int(value.argmax()) if float(value.max()) > nowhere else -1
    found: list[int | None] = []
    for row in range(len(came) - 1, -1, -1):
        found.append(None if place < 0 else place)
        place = before_nowhere[row] if place < 0 else int(came[row][place])
    return found[::-1]
