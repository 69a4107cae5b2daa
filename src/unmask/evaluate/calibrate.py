"""From logits to honest probabilities, fitted and checked on different source clips."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from unmask.errors import DataError
from unmask.verdict import Calibration

FOLDS = 10
FLATTEST_SLOPE = 1e-3


def fit_calibration(logits: NDArray[np.float64], fake: NDArray[np.bool_]) -> Calibration:
    """Temperature and bias of least log loss (Platt scaling with a prior of unit strength on the slope).

    Args:
        logits: One a video, shape (N,).
        fake: Labels, shape (N,).

    Raises:
        DataError: Higher logits do not go with fakes, so no temperature fits.
    """
    spread = float(np.std(logits)) or 1.0
    model = LogisticRegression(C=1.0).fit(logits[:, None] / spread, fake)
    slope = float(model.coef_[0, 0]) / spread
    if slope < FLATTEST_SLOPE:
        raise DataError(f"calibration needs logits that rise with fakes, got a slope of {slope:.3g}")
    return Calibration(temperature=1 / slope, bias=float(model.intercept_[0]) / slope)


def cross_calibrate(
    logits: NDArray[np.float64], fake: NDArray[np.bool_], source: NDArray[np.str_]
) -> NDArray[np.float64]:
    """Probabilities of videos, each from a calibration fitted without any clip of the same source.

    Args:
        logits: One a video, shape (N,).
        fake: Labels, shape (N,).
        source: Original of each, shape (N,).
    """
    p_fake = np.empty(len(logits))
    folds = GroupKFold(min(FOLDS, len(np.unique(source))))
    for fitted, held_out in folds.split(logits, fake, source):
        calibration = fit_calibration(logits[fitted], fake[fitted])
        p_fake[held_out] = [calibration.probability(float(logit)) for logit in logits[held_out]]
    return p_fake
