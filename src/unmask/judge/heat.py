"""Where on a face the score comes from: cover one place after the other and see how the score falls.

Occlusion (Zeiler and Fergus, 2014) needs the network's output alone, so it works on any ONNX model. A place
is covered by a blurred copy of itself with soft edges: grey squares would bring in edges of their own, which
is what these networks look for.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from unmask.config import ScanSettings
from unmask.judge.calibration import Calibration, bounded, from_log_odds, log_odds
from unmask.judge.score import CropScorer, load_model
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


@dataclass(frozen=True, slots=True)
class Change:
    """What covering does to the calibrated odds that one crop is fake.

    Attributes:
        p_fake: Of the crop as it is.
        odds_covered: The odds with the marked place covered, as a share of those without; below 1 where the
            face then looks less manipulated.
        odds_elsewhere: The same as median over other places of this size.
    """

    p_fake: float
    odds_covered: float
    odds_elsewhere: float


def search_heat(crops: Sequence[Image], settings: ScanSettings) -> list[tuple[HeatMap, Change]]:
    """Load the network of a scan, one that judges crops one by one, and try it on some of them.

    Args:
        crops: RGB, (S, S, 3), uint8, with S of the model's card; 26 runs of the network each.
        settings: Of the scan.

    Raises:
        ModelError: The network cannot be loaded, or fails.
    """
    model = load_model(settings.model, settings.score)
    maps = [find_heat(model, crop) for crop in crops]
    return [(found, change_of(found, model.card.calibration)) for found in maps]


def change_of(found: HeatMap, calibration: Calibration) -> Change:
    """The change of the odds by a calibration."""
    before, covered, elsewhere = (
        log_odds(calibration.probability(found.logit - fall))
        for fall in (0.0, float(found.falls.max()), found.elsewhere)
    )
    return Change(bounded(from_log_odds(before)), math.exp(covered - before), math.exp(elsewhere - before))


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


def _logits(model: CropScorer, images: list[Image]) -> NDArray[np.float32]:
    return model.logits(np.ascontiguousarray(np.stack(images).transpose(0, 3, 1, 2)))
