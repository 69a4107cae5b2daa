"""Linear heads on frozen features, in closed form: fitted in a second, so that every source can be left out.

A head is a least-squares fit to +1 for fakes and -1 for reals, with three wishes beside it: small weights; a
fake above its own real; and reals of all sources and states at the same height, since a source that scores
higher than others becomes false alarms on a source that nobody saw, and a state that does, false alarms on
footage that went through a messenger. What a fake looks like is learned from crops as they are. Each wish is
a sum of squares, so all that a fit needs of a source is its second moments; they are computed once, and
leaving a source out is leaving out a summand.

A second head is fitted to paired sources alone, where fakes and reals show the same scenes, and added. What
it learns from thousands of pairs carries over to families that it never saw, while in one fit with all else
the many scenes of the others drown it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from features import PSEUDO
from listed import VALIDATION, Faces, Floats, name_crops, name_family
from numpy.typing import NDArray
from torch import nn

from unmask.errors import DataError

ENOUGH_PAIRS = 100  # of a source, or the head of paired sources passes it over
SMALL_CLIPS, SMALL_FOLDS = 10, 8  # sources of fewer clips are left out in so many folds


@dataclass(frozen=True, slots=True)
class HeadSettings:
    """How a head is fitted.

    Attributes:
        components: Principal components of the features that are kept.
        ridge: Weight of the squared weights, in shares of the mean variance of a component.
        rank: Weight of the squared distance of each pair's difference from 2.
        even: Weight of the variance of the mean logit of reals over sources, in every state.
        power: A source or family counts by its clips to this power; 0 makes all alike.
        paired: How long the weights of the head of paired sources are beside those of the other.
        paired_ridge: Its ridge.
    """

    components: int = 768
    ridge: float = 1.0
    rank: float = 0.3
    even: float = 10.0
    power: float = 0.35
    paired: float = 0.5
    paired_ridge: float = 0.3


class Axes(NamedTuple):
    """Principal components of standardised features: ``(features - mean) / std @ turn``."""

    mean: Floats
    std: Floats
    turn: Floats

    def of(self, features: Floats) -> Floats:
        """Shape (N, D) to (N, components)."""
        return ((features - self.mean) / self.std) @ self.turn

    def undo(self, head: Head) -> Head:
        """The same head for the features themselves."""
        weights = self.turn @ head.weights / self.std
        return Head(weights, head.bias - float(weights @ self.mean))


class Head(NamedTuple):
    """``features @ weights + bias`` is the logit."""

    weights: Floats
    bias: float

    def __call__(self, features: Floats) -> Floats:
        """Shape (N, D) to (N,)."""
        return features @ self.weights + self.bias

    def fill(self, layer: nn.Linear) -> None:
        """Make a layer of torch that gives one logit judge alike."""
        layer.load_state_dict({"weight": torch.tensor(self.weights)[None], "bias": torch.tensor([self.bias])})


def find_axes(features: Floats, *, components: int, most: int = 6000) -> Axes:
    """The directions in which features differ most, whatever they are of."""
    rows = np.random.default_rng(0).permutation(len(features))[:most]
    mean, std = features.mean(0), features.std(0) + 1e-3
    even = (features[rows] - mean) / std
    _, vectors = np.linalg.eigh(even.T @ even / len(even))
    return Axes(mean, std, np.ascontiguousarray(vectors[:, ::-1][:, :components]))


@dataclass(frozen=True, slots=True)
class Unit:
    """The crops of one source and family: what can be left out.

    Attributes:
        fake: Whether they are fakes.
        source: Where they come from.
        family: Of a fake what made it, of a real its source.
        clips: How many.
        square: Mean over clips of the outer product of the features in the first state with a 1 behind them,
            (D + 1, D + 1).
        means: For each state the mean over clips of these features, (S, D + 1).
        gap_square: The same square of the differences of a fake from its own real; None without pairs.
        gap: Mean of these differences.
        pairs: How many.
        beside: Whether only the head of paired sources learns from them.
    """

    fake: bool
    source: str
    family: str
    clips: int
    square: Floats
    means: Floats
    gap_square: Floats | None = None
    gap: Floats | None = None
    pairs: int = 0
    beside: bool = False

    @property
    def mean(self) -> Floats:
        """In the first state, (D + 1,)."""
        return self.means[0]


def gather_units(table: pd.DataFrame, states: Sequence[Floats], *, beside: bool = False) -> list[Unit]:
    """Sum up the crops of each source and family.

    Args:
        table: Of `Faces`.
        states: Features of the same crops in one or more states, each (N, D). Fakes are told from reals in
            the first; in the others reals are only held at the same height.
        beside: As in `Unit`.
    """
    family = table["family"].where(table["label"] == "FAKE", table["source"])
    # A pseudo-fake has the key of the real that it is made of, and is no pair with it: such pairs outnumber
    # all others, and with them fakes of families left out were found less often.
    real = enumerate(zip(name_crops(table), table["label"] == "REAL", strict=True))
    place = {name: number for number, (name, is_real) in real if is_real}
    pair_of = np.array([place.get(name, -1) for name in name_crops(table, "pair")])
    units = []
    for (label, source, kind), rows in table.groupby(["label", "source", family]).indices.items():
        clips = table["clip"].iloc[rows]
        share = 1 / clips.map(clips.value_counts()).to_numpy(np.float32)
        share /= share.sum()
        paired = rows[pair_of[rows] >= 0] if kind != PSEUDO else rows[:0]
        unit = Unit(label == "FAKE", source, kind, clips.nunique(), np.zeros(0), np.zeros(0), beside=beside)
        own = with_one(states[0][rows], 1.0)
        means = [share @ with_one(features[rows], 1.0) for features in states]
        unit = replace(unit, square=(own * share[:, None]).T @ own, means=np.stack(means))
        if len(paired):
            gap = with_one(states[0][paired] - states[0][pair_of[paired]], 0.0)
            unit = replace(unit, gap_square=gap.T @ gap / len(gap), gap=gap.mean(0), pairs=len(paired))
        units.append(unit)
    return units


def with_one(features: Floats, last: float) -> Floats:
    """Features with one more column, that of the bias or zero where differences have none."""
    return np.c_[features, np.full(len(features), last, np.float32)]


def fit_head(units: Sequence[Unit], settings: HeadSettings) -> Head:
    """The head of least squares on all, and added to it the one of paired sources, where there are enough.

    Args:
        units: Of both classes.
        settings: What it is to be like.

    Raises:
        DataError: There is one class only.
    """
    fakes = sum(unit.fake for unit in units)
    if fakes in (0, len(units)):
        raise DataError(
            f"a head needs real and fake faces; left to it are {len(units) - fakes} sources of reals and "
            f"{fakes} of fakes: list more sources, or leave fewer out"
        )
    head = _fit([unit for unit in units if not unit.beside], settings)
    pairs = pd.Series([unit.pairs for unit in units]).groupby([unit.source for unit in units]).sum()
    sources = set(pairs[pairs >= ENOUGH_PAIRS].index)
    paired = [unit for unit in units if unit.source in sources and unit.family != PSEUDO]
    if not paired or not settings.paired:
        return head
    other = _fit(paired, replace(settings, ridge=settings.paired_ridge, even=0.0))
    share = settings.paired * float(np.linalg.norm(head.weights) / np.linalg.norm(other.weights))
    return Head(head.weights + share * other.weights, head.bias + share * other.bias)


def _fit(units: Sequence[Unit], settings: HeadSettings) -> Head:
    side = len(units[0].mean)
    square, wanted = np.zeros((side, side)), np.zeros(side)
    for unit, weight in zip(units, weigh_units(units, power=settings.power), strict=True):
        square += weight * unit.square
        wanted += weight * (1 if unit.fake else -1) * unit.mean
    paired = [unit for unit in units if unit.pairs]
    total = sum(np.sqrt(unit.pairs) for unit in paired)
    for unit in paired:
        weight = settings.rank * np.sqrt(unit.pairs) / total
        square += weight * unit.gap_square
        wanted += 2 * weight * unit.gap
    if settings.even:
        reals = [unit for unit in units if not unit.fake]
        share = np.concatenate(
            [np.full(len(unit.means), unit.clips**0.5 / len(unit.means)) for unit in reals]
        )
        share /= share.sum()
        means = np.concatenate([unit.means for unit in reals])
        means -= share @ means
        square += settings.even * (means * share[:, None]).T @ means
    return solve(square, wanted, ridge=settings.ridge)


def solve(square: Floats, wanted: Floats, *, ridge: float) -> Head:
    """The head of these moments, with small weights; the bias may be of any size."""
    side = len(square)
    small = ridge * np.trace(square[:-1, :-1]) / (side - 1)
    square[np.diag_indices(side)] += np.r_[np.full(side - 1, small), 1e-6]
    found = np.linalg.solve(square, wanted)
    return Head(found[:-1].astype(np.float32), float(found[-1]))


def weigh_units(units: Sequence[Unit], *, power: float) -> NDArray[np.float64]:
    """Half to each class; in it a family or a real source counts by its clips to a power."""
    table = pd.DataFrame({"fake": [u.fake for u in units], "family": [u.family for u in units]})
    clips = pd.Series([unit.clips for unit in units], dtype=float)
    family = clips.groupby([table["fake"], table["family"]]).transform("sum")
    weight = clips / family * family**power
    return (0.5 * weight / weight.groupby(table["fake"]).transform("sum")).to_numpy()


def assign_folds(table: pd.DataFrame, *, families: bool) -> pd.Series:
    """Which rows are left out together: a large source by itself, small ones in eight folds.

    Args:
        table: Of `Faces`.
        families: Whether all fakes of a family are left out at a time.
    """
    kind = table.apply(name_family, axis=1)
    clips = table.groupby("source")["clip"].nunique()
    small = {source: f"small {n % SMALL_FOLDS}" for n, source in enumerate(clips[clips < SMALL_CLIPS].index)}
    fold = table["source"].map(lambda source: small.get(source, source))
    fold[table["source"].isin(["part0", "part1"])] = "live swaps"
    whole = ~kind.isin(["real", PSEUDO, "DFDC"]) & (fold != "live swaps")
    return fold.where(~whole, "family " + kind) if families else fold


@dataclass(frozen=True, slots=True)
class Bench:
    """What every fit on the same features needs, worked out once.

    Attributes:
        table: Of `Faces`.
        turned: Features on their axes, by state.
        units: Of the states that are fitted to.
    """

    table: pd.DataFrame
    turned: Mapping[str, Floats]
    units: Sequence[Unit]


def lay_out(faces: Faces, axes: Axes, *, fit_states: Sequence[str], pairs: Faces | None = None) -> Bench:
    """Turn features and sum up the sources.

    Args:
        faces: What is fitted to and judged.
        axes: Of their features.
        fit_states: What is fitted to; fakes are told from reals in the first.
        pairs: More pairs, in that state, for the head of paired sources alone; they are not judged.
    """
    turned = {state: axes.of(features) for state, features in faces.features.items()}
    units = gather_units(faces.table, [turned[state] for state in fit_states])
    if pairs is not None:
        units += gather_units(pairs.table, [axes.of(pairs.features[fit_states[0]])], beside=True)
    return Bench(faces.table, turned, units)


def judge_left_out(bench: Bench, settings: HeadSettings, *, families: bool) -> pd.DataFrame:
    """For every crop and state the logit of a head that saw neither its source nor, if so wanted, its family.

    Returns:
        The table with a column ``logit_STATE`` for each state.
    """
    fold = assign_folds(bench.table, families=families).to_numpy()
    logits = {state: np.full(len(bench.table), np.nan) for state in bench.turned}
    for name in sorted(set(fold)):
        held = fold == name
        mine = bench.table[held]
        sources = {*mine["source"], *VALIDATION}
        fakes = mine[(mine["label"] == "FAKE") & (mine["family"] != PSEUDO)]
        unseen = set(fakes["family"]) if families else set()
        seen = [unit for unit in bench.units if unit.source not in sources and unit.family not in unseen]
        head = fit_head(seen, settings)
        for state, features in bench.turned.items():
            logits[state][held] = head(features[held])
    return bench.table.assign(**{f"logit_{state}": values for state, values in logits.items()})
