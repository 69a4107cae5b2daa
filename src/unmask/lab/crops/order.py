"""In which order an epoch wants stored people, and how often each of them.

Everything is a function of seed, epoch and rank: a run that was stopped goes on with what it would have seen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from unmask.errors import SettingsError
from unmask.lab.crops.samples import Sample


def _alike(samples: Sequence[Sample]) -> NDArray[np.float64]:
    return np.ones(len(samples))


def _by_class(samples: Sequence[Sample]) -> NDArray[np.float64]:
    return _rarity([sample.label for sample in samples])


def _by_original(samples: Sequence[Sample]) -> NDArray[np.float64]:
    """Every original counts the same within its class, and the classes count the same."""
    return _rarity([f"{sample.label} {sample.original}" for sample in samples], within=samples)


def _rarity(groups: Sequence[str], within: Sequence[Sample] | None = None) -> NDArray[np.float64]:
    _, place, count = np.unique(np.array(groups), return_inverse=True, return_counts=True)
    weights = 1 / count[place]
    if within is not None:
        labels = np.array([sample.label for sample in within])
        for label in np.unique(labels):
            weights[labels == label] /= weights[labels == label].sum()
    return np.asarray(weights, np.float64)


BALANCES: dict[str, Callable[[Sequence[Sample]], NDArray[np.float64]]] = {
    "none": _alike,
    "class": _by_class,
    "original": _by_original,
}
"""How often a sample is drawn: all alike; every class the same; every class, and every original in it."""


def weigh(samples: Sequence[Sample], by: str) -> NDArray[np.float64]:
    """How often each sample should be drawn, shape (N,), with the most frequent at 1.

    Raises:
        SettingsError: ``by`` is no key of `BALANCES`.
    """
    if by not in BALANCES:
        raise SettingsError(f"by must be one of {', '.join(BALANCES)}, got {by!r}")
    weights = BALANCES[by](samples)
    return np.asarray(weights / weights.max(), np.float64)


def draw_order(
    samples: Sequence[Sample], *, by: str = "none", seed: int, epoch: int, rank: int = 0, world: int = 1
) -> NDArray[np.int64]:
    """The samples of one epoch for one rank, as numbers; every rank gets as many.

    With ``none`` every sample comes once (a few twice, so that the ranks come out even). Else as many are
    drawn as there are, the rare ones several times; never the same way twice in a row, so that over the
    epochs all of the frequent ones come too.

    Args:
        samples: Of `StoredPeople`.
        by: A key of `BALANCES`.
        seed: Of the run.
        epoch: From 0.
        rank: Number of this process of ``world``.
        world: How many processes train together.

    Returns:
        Shape (ceil(N / world),), int64.
    """
    weights = weigh(samples, by)
    rng = np.random.default_rng([seed, epoch])
    total = -(-len(samples) // world) * world
    if by == "none":
        order = np.resize(rng.permutation(len(samples)), total)
    else:
        # Evenly spaced points on the summed weights: each sample comes as often as its weight says, give or
        # take one, which independent draws would not do.
        shuffled = rng.permutation(len(samples))
        ends = np.cumsum(weights[shuffled] / weights.sum())
        points = (np.arange(total) + rng.random()) / total
        order = rng.permutation(shuffled[np.minimum(np.searchsorted(ends, points), len(samples) - 1)])
    return np.asarray(order[rank::world], np.int64)
