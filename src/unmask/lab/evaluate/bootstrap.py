"""How sure a figure is: 95 % intervals from resampling whole originals.

A fake and the real clip it was made from share person, scene and light, and so do the frames of a clip.
Resampling them one by one would count them as independent and give intervals that are too narrow;
originals are resampled instead, each with everything made from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unmask.errors import DataError
from unmask.lab.evaluate.metrics import Metric, Scored

DRAWS = 1000


@dataclass(frozen=True, slots=True)
class Figure:
    """A metric with its uncertainty.

    Attributes:
        value: On all rows.
        low: 2.5th percentile of the resamplings, or the value where that is lower; NaN where none allowed
            the metric.
        high: 97.5th percentile, or the value where that is higher.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Difference:
    """What one set of scores is ahead of another on the same rows.

    Attributes:
        value: Metric of the first less that of the second.
        low: 2.5th percentile of the resamplings.
        high: 97.5th percentile.
        p_value: Two-sided: twice the share of resamplings on the other side of zero, at most 1.
    """

    value: float
    low: float
    high: float
    p_value: float


def measure(
    scored: Scored, metrics: Mapping[str, Metric], *, draws: int = DRAWS, seed: int = 0
) -> dict[str, Figure]:
    """Metrics with their intervals.

    Args:
        scored: Videos, people or frames.
        metrics: By name.
        draws: Resamplings; those with one class only are left out.
        seed: Of the resampling.
    """
    ordered = _ordered(scored)
    values: dict[str, list[float]] = {name: [] for name in metrics}
    for rows in _draws(ordered, draws, seed):
        chosen = ordered.take(rows)
        for name, metric in metrics.items():
            values[name].append(metric(chosen))
    return {name: _around(metric(ordered), values[name]) for name, metric in metrics.items()}


def _around(value: float, resampled: list[float]) -> Figure:
    """A value and its interval, widened to hold it: with few originals, resampling can leave it out."""
    low, high = _middle(resampled)
    return Figure(value, min(low, value), max(high, value))


def compare(
    first: Scored, second: Scored, metrics: Mapping[str, Metric], *, draws: int = DRAWS, seed: int = 0
) -> dict[str, Difference]:
    """Paired differences: both sets of scores meet the same resampled originals.

    Args:
        first: Scores of one model.
        second: Scores of another, of the same rows in the same order.
        metrics: By name.
        draws: Resamplings.
        seed: Of the resampling.

    Raises:
        DataError: The rows differ.
    """
    if not (np.array_equal(first.fake, second.fake) and np.array_equal(first.source, second.source)):
        raise DataError("two models can only be compared on the same clips in the same order")
    _, codes = np.unique(first.source, return_inverse=True)
    first, second = (Scored(s.fake, s.p_fake, codes) for s in (first, second))
    values: dict[str, list[float]] = {name: [] for name in metrics}
    for rows in _draws(first, draws, seed):
        one, other = first.take(rows), second.take(rows)
        for name, metric in metrics.items():
            values[name].append(metric(one) - metric(other))
    found = {}
    for name, metric in metrics.items():
        gaps = np.array(values[name])
        gaps = gaps[np.isfinite(gaps)]
        sides = min((gaps <= 0).mean(), (gaps >= 0).mean()) if len(gaps) else np.nan
        low, high = _middle(values[name])
        found[name] = Difference(metric(first) - metric(second), low, high, min(1.0, 2 * float(sides)))
    return found


def _ordered(scored: Scored) -> Scored:
    """Sorted by score, with originals as numbers: resampling keeps the order, and sorting again is quick."""
    _, codes = np.unique(scored.source, return_inverse=True)
    order = np.argsort(-scored.p_fake, kind="stable")
    return Scored(scored.fake[order], scored.p_fake[order], codes[order])


def _draws(scored: Scored, draws: int, seed: int) -> Iterator[NDArray[np.int64]]:
    """Rows of resampled originals, in rising order."""
    rng = np.random.default_rng(seed)
    source = np.asarray(scored.source, np.int64)  # numbers by now, and no names
    count = int(source.max()) + 1
    for _ in range(draws):
        times = np.bincount(rng.integers(count, size=count), minlength=count)[source]
        if times @ scored.fake and times @ ~scored.fake:
            yield np.repeat(np.arange(len(scored)), times)


def _middle(values: list[float]) -> tuple[float, float]:
    """The middle 95 % of the values, NaN left out."""
    finite = [value for value in values if np.isfinite(value)]
    if not finite:
        return float("nan"), float("nan")
    low, high = np.percentile(finite, [2.5, 97.5])
    return float(low), float(high)
