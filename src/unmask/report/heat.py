"""Draw where on a face the score comes from, as `unmask.judge.heat` found it."""

from __future__ import annotations

import cv2
import numpy as np

from unmask.judge.heat import HeatMap
from unmask.types import Image


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
