"""Words on pictures, each on a ground of its own, placed so that none covers another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from unmask.types import Image

Colour = tuple[int, int, int]
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_LINE_PX = 16  # height of one line of text at scale 0.45
_STEPS = 3  # further up or down that a label may stand if there is no room beside its box


@dataclass(frozen=True, slots=True)
class Area:
    """A rectangle in pixels of the picture; its right and lower edges lie just outside."""

    left: int
    top: int
    right: int
    bottom: int

    def shared(self, other: Area) -> int:
        """How many pixels both have."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(0, width) * max(0, height)


def write_label(
    image: Image,
    lines: Sequence[str],
    *,
    beside: Area,
    colour: Colour,
    taken: Sequence[Area] = (),
    faces: Sequence[Area] = (),
) -> Area:
    """Write lines of ASCII on a coloured ground at a box: above it where there is room.

    Args:
        image: RGB, (H, W, 3), uint8; it is written on.
        lines: One or more.
        beside: The box that the words belong to; it may reach outside the picture.
        colour: Of the ground.
        taken: Where other labels stand. They are covered only where there is no free place.
        faces: What is better not covered either, such as the boxes of others.

    Returns:
        Where the label stands.
    """
    widths = [cv2.getTextSize(line, _FONT, 0.45, 1)[0][0] for line in lines]
    width, height = max(widths) + 8, len(lines) * _LINE_PX + 4
    places = [_within(image, left, top, width, height) for left, top in _corners(beside, width, height)]
    seen = (beside, *faces)
    area = min(places, key=lambda place: (_covered(place, taken), _covered(place, seen)))  # the first of all
    image[area.top : area.bottom, area.left : area.right] = colour
    ink = (0, 0, 0) if sum(colour) > 380 else (255, 255, 255)
    for number, line in enumerate(lines):
        base = area.top + (number + 1) * _LINE_PX - 3
        cv2.putText(image, line, (area.left + 4, base), _FONT, 0.45, ink, 1, cv2.LINE_AA)
    return area


def _corners(box: Area, width: int, height: int) -> Iterator[tuple[int, int]]:
    """Left and upper edge of each place that a label may have, the best first."""
    for step in range(_STEPS):
        for top in (box.top - height * (1 + step), box.bottom + height * step):
            yield box.left, top
            yield box.right - width, top
    yield box.right, box.top
    yield box.left - width, box.top
    yield box.left, box.top


def _within(image: Image, left: int, top: int, width: int, height: int) -> Area:
    left = int(np.clip(left, 0, max(image.shape[1] - width, 0)))
    top = int(np.clip(top, 0, max(image.shape[0] - height, 0)))
    return Area(left, top, left + width, top + height)


def _covered(place: Area, others: Sequence[Area]) -> int:
    return sum(place.shared(other) for other in others)
