"""Figures of merit for video scores, with intervals from resampling whole source clips.

A fake and the real clip it was made from share person, scene and light. Resampling clips one by one
would count them as independent and give intervals that are too narrow; sources are resampled instead.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import log_loss, roc_auc_score, roc_curve

from unmask.errors import DataError

Numbers = NDArray[np.float64]
CALIBRATION_BINS = 5
LOG_LOSS_CLIP = 1e-6


@dataclass(frozen=True, slots=True)
class Scored:
    """Scores of labelled videos.

    Attributes:
        fake: Whether each is labelled fake, shape (N,), bool.
        p_fake: Probability given to each, shape (N,), 0 to 1.
        source: Which original each belongs to, shape (N,); a real is its own.
    """

    fake: NDArray[np.bool_]
    p_fake: Numbers
    source: NDArray[np.str_]

    def __post_init__(self) -> None:
        if not len(self.fake) == len(self.p_fake) == len(self.source):
            sizes = len(self.fake), len(self.p_fake), len(self.source)
            raise DataError(f"fake, p_fake and source must be equally long, got {sizes}")
        if not (0 < self.fake.sum() < len(self.fake)):
            raise DataError(f"both classes are needed, got {int(self.fake.sum())} fakes of {len(self.fake)}")

    def take(self, rows: NDArray[np.int64]) -> Scored:
        """Some of the videos, in any order and multiplicity."""
        return Scored(self.fake[rows], self.p_fake[rows], self.source[rows])


def auc(scored: Scored) -> float:
    """Area under the ROC curve: how often a random fake is above a random real."""
    return float(roc_auc_score(scored.fake, scored.p_fake))


def pair_accuracy(scored: Scored) -> float:
    """Share of fakes above the real clip of the same source; ties count half."""
    wins = []
    for source in np.unique(scored.source[scored.fake]):
        mine = scored.source == source
        reals, fakes = scored.p_fake[mine & ~scored.fake], scored.p_fake[mine & scored.fake]
        difference = np.sign(fakes[:, None] - reals[None, :])
        wins.extend(((difference + 1) / 2).ravel())
    return float(np.mean(wins)) if wins else float("nan")


def loss(scored: Scored) -> float:
    """Mean negative log likelihood in nats, probabilities clipped at a millionth; 0.693 knows nothing."""
    clipped = np.clip(scored.p_fake, LOG_LOSS_CLIP, 1 - LOG_LOSS_CLIP)
    return float(log_loss(scored.fake, clipped, labels=[False, True]))


def calibration_error(scored: Scored) -> float:
    """Expected calibration error over bins of equal count: how far stated and true frequency lie apart."""
    order = np.argsort(scored.p_fake, kind="stable")
    parts = np.array_split(order, CALIBRATION_BINS)
    gaps = [
        len(part) * abs(scored.p_fake[part].mean() - scored.fake[part].mean()) for part in parts if len(part)
    ]
    return float(sum(gaps) / len(order))


def equal_error_rate(scored: Scored) -> float:
    """The rate at which false alarms and misses are equally frequent."""
    false_alarms, hits, _ = roc_curve(scored.fake, scored.p_fake)
    gap = false_alarms - (1 - hits)
    after = int(np.argmax(gap >= 0))
    before = max(after - 1, 0)
    span = gap[after] - gap[before]
    share = 0.0 if span == 0 else -gap[before] / span
    return float(false_alarms[before] + share * (false_alarms[after] - false_alarms[before]))


def recall_at_five_percent(scored: Scored) -> float:
    """Share of fakes found at the lowest threshold with at most 5 % of the reals above it."""
    false_alarms, hits, _ = roc_curve(scored.fake, scored.p_fake, drop_intermediate=False)
    return float(hits[false_alarms <= 0.05].max())


METRICS: dict[str, Callable[[Scored], float]] = {
    "auc": auc,
    "pair_accuracy": pair_accuracy,
    "log_loss": loss,
    "calibration_error": calibration_error,
    "equal_error_rate": equal_error_rate,
    "recall_at_5_percent_false_alarms": recall_at_five_percent,
}


def interval(
    metric: Callable[[Scored], float], scored: Scored, *, draws: int = 2000, seed: int = 0
) -> tuple[float, float]:
    """The 95 % bootstrap interval of a metric over source clips.

    Args:
        metric: One of `METRICS`.
        scored: The videos.
        draws: Resamplings.
        seed: Of the resampling.

    Returns:
        The 2.5th and 97.5th percentile; resamplings with one class only are left out.
    """
    rng = np.random.default_rng(seed)
    sources = np.unique(scored.source)
    rows = {source: np.flatnonzero(scored.source == source) for source in sources}
    values = []
    for _ in range(draws):
        chosen = np.concatenate([rows[source] for source in rng.choice(sources, len(sources))])
        if 0 < scored.fake[chosen].sum() < len(chosen):
            values.append(metric(scored.take(chosen)))
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return float(low), float(high)
