"""A model's card fitted to somebody's own clips: calibration, clipping for log loss, thresholds."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from unmask.errors import DataError, SettingsError
from unmask.judge.calibration import Calibration
from unmask.judge.card import Card, Score
from unmask.lab.evaluate.bootstrap import DRAWS, Figure, measure
from unmask.lab.evaluate.calibrate import (
    METHODS,
    Fit,
    choose_clip,
    choose_thresholds,
    cross_calibrate,
    probabilities,
    split_folds,
)
from unmask.lab.evaluate.metrics import PROBABILITY, RANKING, Scored, at_threshold, log_loss
from unmask.lab.evaluate.summary import Judged

_CALIBRATED = "Calibrated"
_FEWEST_REALS = 8


@dataclass(frozen=True, slots=True)
class Recalibrated:
    """What came of it.

    Attributes:
        card: With the new calibration, thresholds and scores.
        before: Log loss on the clips with the calibration that the card had.
        figures: What to expect of the new one, each clip judged by a fit without its original.
        clips: How many clips it was fitted on.
    """

    card: Card
    before: float
    figures: dict[str, Figure]
    clips: int


def recalibrate(
    judged: Judged,
    *,
    name: str,
    method: str = "temperature",
    false_alarm_rate: float = 0.05,
    draws: int = DRAWS,
) -> Recalibrated:
    """Fit a card to labelled clips, and measure on other originals how well that holds.

    Args:
        judged: The model's answers.
        name: Of the set; it becomes part of the scores' names.
        method: One of `METHODS`.
        false_alarm_rate: Share of the reals that may be called fake, 0 to below 1.
        draws: Resamplings for the intervals.

    Raises:
        SettingsError: Method or rate is none.
        DataError: A class is missing, there is one original only, or the model's order is inverted.
    """
    if method not in METHODS:
        raise SettingsError(f"unknown method {method!r}; choose from: {', '.join(METHODS)}")
    if not 0 <= false_alarm_rate < 1:
        raise SettingsError(f"false_alarm_rate must be 0 to below 1, got {false_alarm_rate}")
    plain, fit = judged.videos(), METHODS[method]
    logits = np.array([judged.logits[place] for place in judged.places], float)
    source = np.array(plain.source, str)
    expected = Scored(plain.fake, cross_calibrate(logits, plain.fake, source, fit=fit), source)
    calibration = replace(fit(logits, plain.fake), clip=choose_clip(expected))
    p_real = probabilities(calibration, logits[~plain.fake])
    calibration = with_spread(calibration, p_real)
    thresholds = choose_thresholds(p_real, false_alarm_rate=false_alarm_rate)
    ranked = Scored(plain.fake, logits, source)  # folds shift against each other and would blur the order
    called = _called_fake(Scored(plain.fake, logits, source), fit, false_alarm_rate)
    kinds = ((ranked, RANKING), (expected, PROBABILITY), (called, at_threshold(0.5)))
    figures = {k: v for scored, kind in kinds for k, v in measure(scored, kind, draws=draws).items()}
    scores = {f"{_slug(name)}_{k}": as_score(f, len(plain)) for k, f in figures.items() if _told(f)}
    limits = tuple(limit for limit in judged.card.limits if not limit.startswith(_CALIBRATED))
    fakes = int(plain.fake.sum())
    told = (
        f"{_CALIBRATED} ({method}) on {len(plain)} clips of {name}, {fakes} of them fake; where fakes are "
        "rarer, so is a true alarm."
    )
    card = replace(
        judged.card,
        calibration=calibration,
        thresholds=thresholds,
        still_thresholds=None,  # those that the card had were held under the calibration that it had
        scores=judged.card.scores | scores,
        limits=(told, *limits),
    )
    return Recalibrated(card, log_loss(plain), figures, len(plain))


def as_score(figure: Figure, clips: int) -> Score:
    """A figure for a card."""
    return Score(round(figure.value, 4), round(figure.low, 4), round(figure.high, 4), clips)


def with_spread(calibration: Calibration, p_real: NDArray[np.float64]) -> Calibration:
    """A calibration that knows how the log odds of real clips lie, where there are enough of them.

    Args:
        calibration: The rest of it.
        p_real: What it gives to real clips, shape (N,), 0 to 1.
    """
    if len(p_real) < _FEWEST_REALS:
        return calibration
    p_real = np.clip(p_real, 1e-6, 1 - 1e-6)
    odds = np.log(p_real / (1 - p_real))
    mean, std = round(float(odds.mean()), 4), round(max(float(odds.std(ddof=1)), 0.1), 4)
    return replace(calibration, real_mean=mean, real_std=std)


def _slug(name: str) -> str:
    return re.sub(r"\W+", "_", name).strip("_") or "own"


def _told(figure: Figure) -> bool:
    return math.isfinite(figure.value) and math.isfinite(figure.low)


def _called_fake(ranked: Scored, fit: Fit, rate: float) -> Scored:
    """Whether each clip is called fake (1) or not (0) by calibration and threshold of other originals."""
    called = np.zeros(len(ranked))
    for fitted, held_out in split_folds(np.array(ranked.source, str)):
        calibration = fit(ranked.p_fake[fitted], ranked.fake[fitted])
        reals: NDArray[np.float64] = ranked.p_fake[fitted & ~ranked.fake]
        if not len(reals):
            raise DataError("a threshold needs reals of 2 originals or more")
        limit = choose_thresholds(probabilities(calibration, reals), false_alarm_rate=rate).fake_at_least
        called[held_out] = probabilities(calibration, ranked.p_fake[held_out]) >= limit
    return Scored(ranked.fake, called, ranked.source)
