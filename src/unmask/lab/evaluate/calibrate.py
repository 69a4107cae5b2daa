"""From logits to honest probabilities, fitted and checked on different originals.

Two ways are in `METHODS`. ``temperature`` fits two numbers and suits a few dozen clips; ``isotonic`` lets the
data draw any rising curve and wants hundreds. Both come out as a `Calibration`, which goes on the card.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from unmask.errors import DataError
from unmask.judge.calibration import Calibration, Thresholds
from unmask.lab.evaluate.metrics import Scored, log_loss

FOLDS = 10
FLATTEST_SLOPE = 1e-3
CLIPS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.08, 0.12, 0.17, 0.25)
"""Limits that are tried for submissions."""
_NEWTON_STEPS = 100

Logits = NDArray[np.float64]
Labels = NDArray[np.bool_]
Fit = Callable[[Logits, Labels], Calibration]


def fit_temperature(logits: Logits, fake: Labels) -> Calibration:
    """Temperature and bias of least log loss (Platt scaling with a prior of unit strength on the slope).

    Args:
        logits: One a video, shape (N,).
        fake: Labels, shape (N,), both classes.

    Raises:
        DataError: Higher logits do not go with fakes, so no temperature fits.
    """
    _require_both(fake)
    spread = float(np.std(logits)) or 1.0
    rows = np.stack([logits / spread, np.ones(len(logits))], axis=1)
    prior = np.diag([1.0, 0.0])
    weights = np.zeros(2)
    for _ in range(_NEWTON_STEPS):
        p_fake = 0.5 * (1 + np.tanh(rows @ weights / 2))
        gradient = rows.T @ (p_fake - fake) + prior @ weights
        curvature = (rows * (p_fake * (1 - p_fake))[:, None]).T @ rows + prior
        step = np.linalg.solve(curvature + 1e-12 * np.eye(2), gradient)
        weights -= step * min(1.0, 4.0 / float(np.abs(step).max() or 1.0))  # a long step may overshoot
        if np.abs(step).max() < 1e-10:
            break
    slope = float(weights[0]) / spread
    if slope < FLATTEST_SLOPE:
        raise DataError(
            f"calibration needs logits that rise with fakes, got a slope of {slope:.3g}: on these clips the "
            "network is no better than chance; train it longer, or give clips of the kind that it learned"
        )
    return Calibration(temperature=1 / slope, bias=float(weights[1]) / slope)


def fit_isotonic(logits: Logits, fake: Labels) -> Calibration:
    """The rising curve of least squared error, by pooling neighbours that are out of order.

    Its ends stay one clip of each kind away from 0 and 1, since a finite number of clips proves no certainty.

    Args:
        logits: One a video, shape (N,).
        fake: Labels, shape (N,), both classes.

    Raises:
        DataError: The curve is flat: higher logits do not go with fakes.
    """
    _require_both(fake)
    places, group, counts = np.unique(logits, return_inverse=True, return_counts=True)
    sums = np.bincount(group, weights=fake)
    blocks: list[tuple[float, int, int]] = []  # sum, count, how many places
    for total, count in zip(sums.tolist(), counts.tolist(), strict=True):
        block = (total, count, 1)
        while blocks and blocks[-1][0] * block[1] >= block[0] * blocks[-1][1]:
            last = blocks.pop()
            block = (last[0] + block[0], last[1] + block[1], last[2] + block[2])
        blocks.append(block)
    if len(blocks) == 1:
        raise DataError("calibration needs logits that rise with fakes, got a flat curve")
    edge = 1 / (len(logits) + 2)
    knots: list[tuple[float, float]] = []
    start = 0
    for total, count, width in blocks:
        value = min(max(total / count, edge), 1 - edge)
        ends = {float(places[start]), float(places[start + width - 1])}
        knots += [(end, value) for end in sorted(ends)]
        start += width
    return Calibration(isotonic=tuple(knots))


METHODS: dict[str, Fit] = {"temperature": fit_temperature, "isotonic": fit_isotonic}


def cross_calibrate(
    logits: Logits, fake: Labels, source: NDArray[np.str_], *, fit: Fit = fit_temperature
) -> NDArray[np.float64]:
    """Probabilities of videos, each from a calibration fitted without any clip of the same original.

    Args:
        logits: One a video, shape (N,).
        fake: Labels, shape (N,).
        source: Original of each, shape (N,).
        fit: One of `METHODS`.
    """
    p_fake = np.empty(len(logits))
    for fitted, held_out in split_folds(source):
        p_fake[held_out] = probabilities(fit(logits[fitted], fake[fitted]), logits[held_out])
    return p_fake


def split_folds(source: NDArray[np.str_], *, folds: int = FOLDS) -> Iterator[tuple[Labels, Labels]]:
    """Masks of rows to fit on and to hold out; all rows of an original are on one side.

    The largest originals are dealt first, each to the emptiest fold, so that folds are about equally large.

    Raises:
        DataError: There is only one original.
    """
    names, group, sizes = np.unique(source, return_inverse=True, return_counts=True)
    folds = min(folds, len(names))
    if folds < 2:
        raise DataError(f"checking a calibration needs clips of 2 originals or more, got {len(names)}")
    filled, fold_of = np.zeros(folds, int), np.zeros(len(names), int)
    for index in np.argsort(-sizes, kind="stable"):
        fold_of[index] = int(np.argmin(filled))
        filled[fold_of[index]] += sizes[index]
    for fold in range(folds):
        held_out = fold_of[group] == fold
        yield ~held_out, held_out


def probabilities(calibration: Calibration, logits: Logits) -> NDArray[np.float64]:
    """Calibrated probabilities, shape as the logits; the same as one by one, but quick."""
    if calibration.isotonic:
        places, values = zip(*calibration.isotonic, strict=True)
        p_fake = np.interp(logits, np.array(places), np.array(values))
    else:
        p_fake = 0.5 * (1 + np.tanh(0.5 * (logits + calibration.bias) / calibration.temperature))
    return np.asarray(np.round(p_fake, 6), np.float64)


def choose_clip(scored: Scored) -> float:
    """The limit of `CLIPS` that gives the least log loss; the widest of equals."""
    losses = [log_loss(scored, clip=clip) for clip in CLIPS]
    return CLIPS[int(np.argmin(np.round(losses, 9)))]


def choose_thresholds(p_real: NDArray[np.float64], *, false_alarm_rate: float) -> Thresholds:
    """Where to say fake, so that at most a wanted share of reals is called so; where to say real mirrors it.

    Args:
        p_real: Probabilities given to real clips, shape (N,), at least one.
        false_alarm_rate: 0 to below 1.

    >>> choose_thresholds(np.array([0.1, 0.2, 0.3, 0.9]), false_alarm_rate=0.25)
    Thresholds(fake_at_least=0.31, real_at_most=0.31)
    """
    ranked = np.sort(p_real)[::-1]
    allowed = math.floor(false_alarm_rate * len(ranked) + 1e-9)
    # The highest real that must not be called fake; the next hundredth above it is the threshold.
    fake_at_least = min(1.0, math.floor(float(ranked[allowed]) * 100 + 1 + 1e-9) / 100)
    return Thresholds(fake_at_least, round(min(fake_at_least, 0.5, 1 - fake_at_least), 2))


def _require_both(fake: Labels) -> None:
    if not 0 < fake.sum() < len(fake):
        raise DataError(f"calibration needs both classes, got {int(fake.sum())} fakes of {len(fake)}")
