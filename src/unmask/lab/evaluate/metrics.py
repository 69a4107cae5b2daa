"""Figures of merit for scores of labelled clips.

Plain numpy, held against scikit-learn in the tests, so that measuring needs no more than scanning does.
Scores may be those of videos, of people or of single frames; what they share is in `Scored`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from unmask.errors import DataError

Numbers = NDArray[np.float64]
CALIBRATION_BINS = 5
"""Bins of equal count; forty clips fill no more than that."""
LOG_LOSS_CLIP = 1e-6


@dataclass(frozen=True, slots=True)
class Scored:
    """Scores of labelled videos, people or frames.

    Attributes:
        fake: Whether each is labelled fake, shape (N,), bool.
        p_fake: Probability given to each, shape (N,), 0 to 1.
        source: Which original each belongs to, shape (N,); a real is its own.
    """

    fake: NDArray[np.bool_]
    p_fake: Numbers
    source: NDArray[np.str_] | NDArray[np.int64]

    def __post_init__(self) -> None:
        if not len(self.fake) == len(self.p_fake) == len(self.source):
            sizes = len(self.fake), len(self.p_fake), len(self.source)
            raise DataError(f"fake, p_fake and source must be equally long, got {sizes}")
        if not (0 < self.fake.sum() < len(self.fake)):
            raise DataError(f"both classes are needed, got {int(self.fake.sum())} fakes of {len(self.fake)}")

    def __len__(self) -> int:
        return len(self.fake)

    def take(self, rows: NDArray[np.int64]) -> Scored:
        """Some of the rows, in any order and multiplicity."""
        return Scored(self.fake[rows], self.p_fake[rows], self.source[rows])


Metric = Callable[[Scored], float]


@dataclass(frozen=True, slots=True)
class Roc:
    """The ROC curve, from no alarm to all alarms; the end points come first and last.

    Attributes:
        thresholds: Falling; alarms are given from each one on; the first is infinite.
        false_alarms: Share of reals at or above each, rising from 0 to 1.
        hits: Share of fakes at or above each, rising from 0 to 1.
    """

    thresholds: Numbers
    false_alarms: Numbers
    hits: Numbers


def roc(scored: Scored) -> Roc:
    """The ROC curve with a point for every distinct score."""
    order = np.argsort(-scored.p_fake, kind="stable")
    p_fake, fake = scored.p_fake[order], scored.fake[order]
    last = np.append(np.flatnonzero(np.diff(p_fake)), len(p_fake) - 1)  # of each run of equal scores
    hits = np.cumsum(fake)[last]
    alarms = last + 1 - hits
    return Roc(
        np.concatenate([[np.inf], p_fake[last]]),
        np.concatenate([[0.0], alarms / (~fake).sum()]),
        np.concatenate([[0.0], hits / fake.sum()]),
    )


def auc(scored: Scored) -> float:
    """Area under the ROC curve: how often a random fake is above a random real; ties count half."""
    curve = roc(scored)
    return float(np.trapezoid(curve.hits, curve.false_alarms))


def precision_recall(scored: Scored) -> tuple[Numbers, Numbers]:
    """Precision and recall at every distinct score, from the highest down."""
    curve = roc(scored)
    hits = curve.hits[1:] * scored.fake.sum()
    alarms = curve.false_alarms[1:] * (~scored.fake).sum()
    return hits / (hits + alarms), curve.hits[1:]


def average_precision(scored: Scored) -> float:
    """Mean precision over the steps of recall; the share of fakes for a blind guess."""
    precision, recall = precision_recall(scored)
    return float(np.sum(np.diff(recall, prepend=0) * precision))


def equal_error_rate(scored: Scored) -> float:
    """The rate at which false alarms and misses are equally frequent, on the straight line between points."""
    curve = roc(scored)
    gap = curve.false_alarms - (1 - curve.hits)
    after = int(np.argmax(gap >= 0))
    before = max(after - 1, 0)
    span = gap[after] - gap[before]
    share = 0.0 if span == 0 else -gap[before] / span
    return float(
        curve.false_alarms[before] + share * (curve.false_alarms[after] - curve.false_alarms[before])
    )


def recall_at_false_alarms(scored: Scored, *, rate: float) -> float:
    """Share of fakes found at the lowest threshold with at most ``rate`` of the reals at or above it."""
    curve = roc(scored)
    return float(curve.hits[curve.false_alarms <= rate].max())


def accuracy(scored: Scored, *, threshold: float) -> float:
    """Share that is right when everything from ``threshold`` on is called fake."""
    return float(np.mean((scored.p_fake >= threshold) == scored.fake))


def recall(scored: Scored, *, threshold: float) -> float:
    """Share of fakes from ``threshold`` on."""
    return float(np.mean(scored.p_fake[scored.fake] >= threshold))


def false_alarms(scored: Scored, *, threshold: float) -> float:
    """Share of reals from ``threshold`` on."""
    return float(np.mean(scored.p_fake[~scored.fake] >= threshold))


def log_loss(scored: Scored, *, clip: float = LOG_LOSS_CLIP) -> float:
    """Mean negative log likelihood in nats, as Kaggle scored DFDC; 0.693 knows nothing.

    Args:
        scored: Probabilities, not logits.
        clip: Probabilities are kept within ``clip`` and ``1 - clip``: one fake that is called real without
            a doubt would cost infinitely much.
    """
    p_fake = np.clip(scored.p_fake, clip, 1 - clip)
    return float(-np.mean(np.where(scored.fake, np.log(p_fake), np.log1p(-p_fake))))


def brier(scored: Scored) -> float:
    """Mean squared distance of probability and truth; 0.25 for always saying 0.5."""
    return float(np.mean((scored.p_fake - scored.fake) ** 2))


def calibration_bins(scored: Scored, *, bins: int = CALIBRATION_BINS) -> list[tuple[float, float, int]]:
    """Mean stated probability, true share of fakes, and count, in bins of equal count."""
    parts = _bins_of(scored.p_fake, bins)
    return [(float(scored.p_fake[p].mean()), float(scored.fake[p].mean()), len(p)) for p in parts]


def rms_calibration_error(scored: Scored) -> float:
    """How far stated and true frequency lie apart: root of `squared_calibration_error`, or 0 below that."""
    return float(np.sqrt(np.maximum(squared_calibration_error(scored), 0.0)))


def squared_calibration_error(scored: Scored) -> float:
    """Mean squared distance of stated and true frequency over bins of equal count, with luck taken out.

    In a bin of few clips the share of fakes is off by luck, so the plain error of perfectly calibrated
    probabilities is far above 0, and that of resampled clips higher still. Here a bin counts with the mean
    product of what two clips miss by, taken over all pairs of clips of different originals: luck cancels,
    and copies of an original add none. This is the squared gap less its variance of J. Bröcker, *Estimating
    reliability and resolution of probability forecasts*, Climate Dynamics 2012, and of A. Kumar et al.,
    *Verified Uncertainty Calibration*, NeurIPS 2019, as the mean over pairs of D. Widmann et al.,
    *Calibration tests in multi-class classification*, NeurIPS 2019.

    Returns:
        Below 0 where the probabilities are nearer to the truth than chance would have it; NaN where no bin
        holds clips of two originals.
    """
    missed = scored.p_fake - scored.fake
    total, counted = 0.0, 0
    for part in _bins_of(scored.p_fake, max(1, min(CALIBRATION_BINS, len(scored) // 2))):
        _, original = np.unique(scored.source[part], return_inverse=True)
        of_original, clips = np.bincount(original, missed[part]), np.bincount(original)
        pairs = len(part) ** 2 - int(clips @ clips)
        if pairs:
            total += float(len(part) * (missed[part].sum() ** 2 - of_original @ of_original) / pairs)
            counted += len(part)
    return total / counted if counted else float("nan")


def _bins_of(p_fake: NDArray[np.float64], bins: int) -> list[NDArray[np.intp]]:
    parts = np.array_split(np.argsort(p_fake, kind="stable"), bins)
    return [part for part in parts if len(part)]


def pair_accuracy(scored: Scored) -> float:
    """How often a fake is above its own original, ties counting half; NaN where no fake has one here.

    A fake with several originals counts once, with its mean over them.
    """
    _, group = np.unique(scored.source, return_inverse=True)
    order = np.lexsort((scored.p_fake, group))
    group, p_fake, fake = group[order], scored.p_fake[order], scored.fake[order]
    reals = np.concatenate([[0], np.cumsum(~fake)])  # before each row
    new_group = np.concatenate([[True], np.diff(group) != 0])
    new_score = new_group | np.concatenate([[True], np.diff(p_fake) != 0])
    first = np.flatnonzero(new_score)
    run = np.cumsum(new_score) - 1
    start = np.flatnonzero(new_group)
    place = np.cumsum(new_group) - 1
    before_group = reals[start][place]
    in_group = reals[np.append(start[1:], len(fake))][place] - before_group
    below = reals[first][run] - before_group
    up_to = reals[np.append(first[1:], len(fake))][run] - before_group
    paired = fake & (in_group > 0)
    if not paired.any():
        return float("nan")
    return float(np.mean((below + up_to)[paired] / (2 * in_group[paired])))


RANKING: dict[str, Metric] = {
    "auc": auc,
    "pair_accuracy": pair_accuracy,
    "average_precision": average_precision,
    "equal_error_rate": equal_error_rate,
    "recall_at_1_percent_false_alarms": partial(recall_at_false_alarms, rate=0.01),
    "recall_at_5_percent_false_alarms": partial(recall_at_false_alarms, rate=0.05),
}
"""What only the order decides; calibration cannot change it, unless it flattens."""

PROBABILITY: dict[str, Metric] = {
    "log_loss": log_loss,
    "brier": brier,
    "rms_calibration_error": rms_calibration_error,
}
"""What the probabilities themselves decide."""


def at_threshold(threshold: float) -> dict[str, Metric]:
    """What a threshold decides.

    >>> sorted(at_threshold(0.5))
    ['accuracy', 'false_alarms', 'recall']
    """
    return {
        "accuracy": partial(accuracy, threshold=threshold),
        "recall": partial(recall, threshold=threshold),
        "false_alarms": partial(false_alarms, threshold=threshold),
    }
