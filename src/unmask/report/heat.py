"""Where on a face the score comes from: cover one place after the other and see how the score falls.

Occlusion (Zeiler and Fergus, 2014) needs the network's output alone, so it works on any ONNX model. A place
is covered by a blurred copy of itself with soft edges: grey squares would bring in edges of their own, which
is what these networks look for.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from unmask.judge.score import CropScorer
from unmask.types import Floats, Image

WINDOW_SHARE = 1 / 4
"""Side of a covered place, in sides of the crop."""

_ROWS = 4  # of places side by side; one row less lies over their corners
_BLUR_SHARE = 1 / 8  # sigma of the blur, in sides of the covered place
_BATCH = 8

Place = tuple[int, int, int, int]
"""``left top right bottom`` in pixels of the crop."""


@dataclass(frozen=True, slots=True, eq=False)
class HeatMap:
    """What covering each place did to the logit of one crop.

    Attributes:
        logit: Of the crop as it is.
        places: What was covered, one at a time.
        falls: By how much the logit fell each time; below 0 where it rose.
        heat: Mean fall of the places that a pixel lies in, shape (S, S).
    """

    logit: float
    places: tuple[Place, ...]
    falls: Floats
    heat: Floats

    @property
    def marked(self) -> Place:
        """The place whose covering lowers the score most."""
        return self.places[int(np.argmax(self.falls))]

    @property
    def elsewhere(self) -> float:
        """Median fall over the places that do not touch the marked one; 0 where all do."""
        apart = [fall for place, fall in zip(self.places, self.falls, strict=True) if self._apart(place)]
        return float(np.median(apart)) if apart else 0.0

    def _apart(self, place: Place) -> bool:
        left, top, right, bottom = self.marked
        return place[2] <= left or place[0] >= right or place[3] <= top or place[1] >= bottom


def find_heat(model: CropScorer, crop: Image) -> HeatMap:
    """Cover places on two regular grids, 25 in all.

    Args:
        model: A network that judges crops one by one.
        crop: RGB, (S, S, 3), uint8, with S of the model's card.

    Raises:
        ModelError: The network fails.
    """
    side = len(crop)
    window = max(1, round(side * WINDOW_SHARE))
    places = _places(side, window)
    images = [crop, *(cover(crop, place) for place in places)]
    logits = np.concatenate([_logits(model, images[i : i + _BATCH]) for i in range(0, len(images), _BATCH)])
    falls = (logits[0] - logits[1:]).astype(np.float32)
    total, count = np.zeros((side, side), np.float32), np.zeros((side, side), np.float32)
    for (left, top, right, bottom), fall in zip(places, falls, strict=True):
        total[top:bottom, left:right] += fall
        count[top:bottom, left:right] += 1
    return HeatMap(float(logits[0]), places, falls, np.asarray(total / np.maximum(count, 1), np.float32))


def _places(side: int, window: int) -> tuple[Place, ...]:
    """A grid that covers the crop, and a second one over the corners of the first."""
    starts = np.linspace(0, side - window, _ROWS)
    grids = (starts, (starts[:-1] + starts[1:]) / 2)
    return tuple(
        (round(x), round(y), round(x) + window, round(y) + window)
        for grid in grids
        for y in grid.tolist()
        for x in grid.tolist()
    )


def cover(crop: Image, place: Place) -> Image:
    """The crop with one place blurred beyond its detail, with soft edges that end within the place."""
    left, top, right, bottom = place
    window = right - left
    blurred = cv2.GaussianBlur(crop, (0, 0), max(1.0, window * _BLUR_SHARE)).astype(np.float32)
    soft = max(1, window // 8)
    mask = np.zeros(crop.shape[:2], np.float32)
    mask[top + soft : bottom - soft, left + soft : right - soft] = 1
    share = np.asarray(cv2.GaussianBlur(mask, (0, 0), soft / 4), np.float32)[..., None]
    return np.asarray((crop * (1 - share) + blurred * share).round(), np.uint8)


def draw_heat(crop: Image, found: HeatMap) -> Image:
    """The crop in grey, with the falls over it in colour and the marked place outlined in black and white.

    Colours run from none to the largest mean fall of this crop; rises stay grey.
    """
    top = float(found.heat.max())
    share = np.clip(found.heat / top, 0, 1) if top > 0 else np.zeros_like(found.heat)
    level = np.asarray(cv2.GaussianBlur(share, (0, 0), len(crop) / 40), np.float64)
    hot = cv2.applyColorMap((level * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)[..., ::-1]
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)[..., None]
    weight = 0.7 * level[..., None]
    drawn = np.ascontiguousarray((grey * (1 - weight) + hot * weight).astype(np.uint8))
    left, upper, right, lower = found.marked
    for colour, thick in (((0, 0, 0), 4), ((255, 255, 255), 2)):
        cv2.rectangle(drawn, (left + 1, upper + 1), (right - 2, lower - 2), colour, thick)
    return drawn


def _logits(model: CropScorer, images: list[Image]) -> NDArray[np.float32]:
    return model.logits(np.ascontiguousarray(np.stack(images).transpose(0, 3, 1, 2)))
