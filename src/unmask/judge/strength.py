"""How strongly what was seen speaks for one of two propositions, apart from how common manipulation is."""

from __future__ import annotations

import math

import numpy as np

from unmask.judge.calibration import Calibration, bounded, log_odds
from unmask.verdicts import Strength

BASE_RATE = 0.5
"""Share of manipulated files that ``p_fake`` assumes: fakes count as often as reals in every calibration."""


def strength_of(p_fake: float, calibration: Calibration) -> Strength | None:
    """The likelihood ratio that a probability stands for.

    Probabilities assume that half of all files are manipulated, so their odds are the ratio itself. What the
    calibration's sources vary by is its interval. A finite number of sources supports no more than about as
    many to one: had one more source behaved otherwise, the ratio would be that.

    Args:
        p_fake: Of a file, 0 to 1.
        calibration: Of the model.

    Returns:
        None where the calibration was not measured on sources that were left out.

    Example:
        >>> measured = Calibration(spread=((-4.6, -5.5, -3.5), (0.0, -0.4, 0.5), (4.6, 3.0, 6.0)), sources=50)
        >>> strength_of(0.5, measured)
        Strength(likelihood_ratio=1.0, low=0.6703, high=1.649, base_rate=0.5)
        >>> strength_of(0.99, measured).likelihood_ratio, strength_of(0.5, Calibration()) is None
        (51.0, True)
    """
    if not calibration.spread:
        return None
    most = math.log(calibration.sources + 1)
    odds = log_odds(bounded(p_fake))
    places, lows, highs = zip(*calibration.spread, strict=True)
    ends = odds, float(np.interp(odds, places, lows)), float(np.interp(odds, places, highs))
    ratio, low, high = (float(f"{math.exp(min(max(end, -most), most)):.4g}") for end in ends)
    return Strength(ratio, min(low, ratio), max(high, ratio), BASE_RATE)
