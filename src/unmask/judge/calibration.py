"""From a logit to a probability, and from a probability to a word; the numbers are on the model's card."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from unmask.errors import SettingsError
from unmask.quantities import ONLY_KNOWN, Number, Whole
from unmask.verdicts import Outcome

LEAST_P_FAKE, MOST_P_FAKE = 0.01, 0.99
"""What a verdict says is kept within these: calibrations rest on about a hundred clips, and after n clips
that were all alike the next one still differs with probability 1 / (n + 2)."""
_SUREST = 1e-6  # probabilities are rounded to this


def bounded(p_fake: float) -> float:
    """A probability as verdicts, tables and pages say it: never surer than a calibration can be.

    Ranking and what several faces say together are worked out before this.

    >>> bounded(0.999999), bounded(0.4), bounded(0.0)
    (0.99, 0.4, 0.01)
    """
    return min(max(p_fake, LEAST_P_FAKE), MOST_P_FAKE)


def log_odds(p_fake: float) -> float:
    """``log(p / (1 - p))``, for ranking; certainty counts as the last of 6 decimals.

    >>> round(log_odds(0.99), 3), log_odds(0.5), round(log_odds(1.0), 3)
    (4.595, 0.0, 13.816)
    """
    p_fake = min(max(p_fake, _SUREST), 1 - _SUREST)
    return math.log(p_fake / (1 - p_fake))


def from_log_odds(odds: float) -> float:
    """The probability again, 0 to 1.

    >>> round(from_log_odds(log_odds(0.999)), 6)
    0.999
    """
    return 0.5 * (1.0 + math.tanh(0.5 * odds))


@dataclass(frozen=True, slots=True)
class Calibration:
    """Turns a logit into a probability: ``sigmoid((logit + bias) / temperature)``, or along a drawn curve.

    Fitted on the logits of whole videos; for single frames it is only an indication.

    Attributes:
        temperature: Above 0; 1 leaves the logit as it is, more makes it less sure.
        bias: Added to the logit first.
        isotonic: Points (logit, probability) of a rising curve that takes the place of the formula; straight
            between them, level beyond the first and the last. Empty when the formula holds.
        clip: A submission for log loss keeps probabilities within ``clip`` and ``1 - clip``, 0 to below 0.5;
            how sure verdicts are is bounded by `bounded`. The default is a common choice, not a measurement.
        real_mean: Of the log odds that real clips are given, so that it can be told what chance does where
            many faces are looked at. The default is that of the first published weights, on 20 real clips.
        real_std: Standard deviation of the same, above 0.
        spread: How far the log odds of a clip vary when sources are drawn again: points (log odds, low, high)
            of the 95 % interval, rising in each; straight between them, level beyond. Empty when that was not
            measured.
        sources: How many sources that measurement rests on.

    >>> Calibration(temperature=2.0, bias=1.0).probability(-1.0)
    0.5
    """

    __pydantic_config__ = ONLY_KNOWN

    temperature: Number = 1.0
    bias: Number = 0.0
    isotonic: tuple[tuple[Number, Number], ...] = ()
    clip: Number = 0.01
    real_mean: Number = -0.32
    real_std: Number = 0.81
    spread: tuple[tuple[Number, Number, Number], ...] = ()
    sources: Whole = 0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.temperature) and self.temperature > 0):
            raise SettingsError(f"temperature must be a number above 0, got {self.temperature!r}")
        if not math.isfinite(self.bias):
            raise SettingsError(f"bias must be a finite number, got {self.bias!r}")
        if not (math.isfinite(self.real_mean) and math.isfinite(self.real_std) and self.real_std > 0):
            rule = "real_mean must be a finite number and real_std one above 0"
            raise SettingsError(f"{rule}, got {self.real_mean!r} and {self.real_std!r}")
        if not 0 <= self.clip < 0.5:
            raise SettingsError(f"clip must be 0 to below 0.5, got {self.clip!r}")
        logits, values = [x for x, _ in self.isotonic], [0.0, *(y for _, y in self.isotonic), 1.0]
        rising = all(a < b for a, b in pairwise(logits)) and all(a <= b for a, b in pairwise(values))
        if not (rising and all(map(math.isfinite, logits)) and len(logits) != 1):
            rule = "isotonic must be two points or more, of rising finite logits and probabilities 0 to 1"
            raise SettingsError(f"{rule}, got {self.isotonic!r}")

        self._check_spread()

    def _check_spread(self) -> None:
        columns = list(zip(*self.spread, strict=True))
        rising = all(a <= b for column in columns for a, b in pairwise(column))
        around = all(low <= odds <= high for odds, low, high in self.spread)
        if not (rising and around and all(math.isfinite(end) for point in self.spread for end in point)):
            rule = "spread must be points of rising finite log odds, each between its low and high"
            raise SettingsError(f"{rule}, got {self.spread!r}")
        if self.sources < 0 or (bool(self.spread) != bool(self.sources)):
            rule = "sources must be the number that spread rests on, 1 or more, and 0 without it"
            raise SettingsError(f"{rule}, got {self.sources!r}")

    def probability(self, logit: float) -> float:
        """Probability of a fake, 0 to 1, rounded to 6 decimals; it ranks, and `bounded` is what is said."""
        if self.isotonic:
            logits, values = [x for x, _ in self.isotonic], [y for _, y in self.isotonic]
            return round(float(np.interp(logit, logits, values)), 6)
        return round(from_log_odds((logit + self.bias) / self.temperature), 6)

    def chosen(self, p_fake: float, *, times: float) -> float:
        """Probability of what was chosen from more of its kind, since it looked suspicious.

        As `among_many`, by Bonferroni's rule: the share of real clips that reach it counts so many times.
        Chance takes a suspicion away and is no evidence for real, so it ends at the middle one of real clips.

        Args:
            p_fake: By itself, 0 to 1.
            times: From how many it was chosen, 1 or more.

        Example:
            >>> judge = Calibration(real_mean=-2.0, real_std=1.5).chosen
            >>> judge(0.9, times=1), judge(0.9, times=3), judge(0.9, times=50), judge(0.05, times=50)
            (0.9, 0.704037, 0.119203, 0.05)
        """
        share = self.reals_reaching(p_fake)
        return self._reached_by(max(share, min(times * share, 0.5)), at_most=p_fake)

    def among_many(self, p_fake: Sequence[float]) -> float:
        """Probability that one of many faces was manipulated, from those of each taken by itself.

        Among many real faces one looks suspicious by chance more easily. So each probability is turned into
        the share of real clips that reach it, by Student's distribution with the mean and spread on the card:
        a few real clips score far higher than a normal one allows. These shares are joined by Simes' rule
        (1986), which holds for faces that depend on each other too, and the result is turned back. The share
        of real files that reach a threshold is then at most that of single real clips, however many the
        faces. One face stays as it is, many that are alike stay as they are, and one that stands out counts
        the less, the more there are.

        Args:
            p_fake: One or more, each 0 to 1.

        Example:
            >>> judge = Calibration(real_mean=-2.0, real_std=1.5).among_many
            >>> judge([0.9]), judge([0.9, 0.1, 0.1]), judge([0.9, 0.9])
            (0.9, 0.704037, 0.9)
        """
        if len(p_fake) == 1:
            return p_fake[0]
        ranked = sorted(map(log_odds, p_fake), reverse=True)
        shares = map(self._share_of_reals, ranked)
        joint = min(len(ranked) / rank * share for rank, share in enumerate(shares, 1))
        return self._reached_by(joint, at_most=max(p_fake))

    def reals_reaching(self, p_fake: float) -> float:
        """The share of real clips that are given this probability or more, as `among_many` has it; 0 to 1.

        >>> round(Calibration(real_mean=-2.0, real_std=1.5).reals_reaching(0.9), 3)
        0.019
        """
        return self._share_of_reals(log_odds(p_fake))

    def _share_of_reals(self, odds: float) -> float:
        """Of real clips the share whose log odds reach these."""
        return _upper_share((odds - self.real_mean) / self.real_std)

    def _reached_by(self, share: float, *, at_most: float) -> float:
        """The probability that such a share of real clips reaches."""
        odds = self.real_mean + self.real_std * _reached_by(share)
        return round(min(from_log_odds(odds), at_most), 6)


def _upper_share(score: float) -> float:
    """Of Student's distribution with five degrees of freedom, the share above a score."""
    angle = math.atan2(score, math.sqrt(5.0))
    sine, cosine = math.sin(angle), math.cos(angle)
    return 0.5 - (angle + sine * cosine * (1.0 + 2.0 / 3.0 * cosine**2)) / math.pi


def _reached_by(share: float) -> float:
    """The score that such a share reaches, by halving; -60 to 60."""
    low, high = -60.0, 60.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _upper_share(middle) > share else (low, middle)
    return (low + high) / 2


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where a probability becomes a word; between the two it is ``unsure``.

    Attributes:
        fake_at_least: ``p_fake`` from which the outcome is ``fake``, 0 to 1.
        real_at_most: ``p_fake`` down to which it is ``real``, 0 to ``fake_at_least``.
    """

    __pydantic_config__ = ONLY_KNOWN

    fake_at_least: Number
    real_at_most: Number

    def __post_init__(self) -> None:
        if not 0 <= self.real_at_most <= self.fake_at_least <= 1:  # also false for NaN
            raise SettingsError(
                "thresholds must be 0 <= real_at_most <= fake_at_least <= 1, "
                f"got {self.real_at_most!r} and {self.fake_at_least!r}"
            )

    def with_fake_at_least(self, threshold: float) -> Thresholds:
        """Move the fake threshold; the real one stays, unless it would lie above and is pulled down.

        >>> Thresholds(0.7, 0.3).with_fake_at_least(0.2)
        Thresholds(fake_at_least=0.2, real_at_most=0.2)

        Raises:
            SettingsError: ``threshold`` is not 0 to 1.
        """
        if not 0 <= threshold <= 1:
            raise SettingsError(f"threshold must be 0 to 1, got {threshold!r}")
        return Thresholds(threshold, min(self.real_at_most, threshold))

    def outcome(self, p_fake: float) -> Outcome:
        """The word for a probability, by the number that is said.

        >>> Thresholds(0.7, 0.3).outcome(0.7).value
        'fake'
        """
        p_fake = bounded(p_fake)
        if p_fake >= self.fake_at_least:
            return Outcome.FAKE
        return Outcome.REAL if p_fake <= self.real_at_most else Outcome.UNSURE
