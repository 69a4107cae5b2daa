"""From a logit to a probability, and from a probability to a word; the numbers are on the model's card."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from unmask.errors import SettingsError
from unmask.verdicts import Outcome


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
            verdicts are not clipped. The default is a common choice, not a measurement.

    >>> Calibration(temperature=2.0, bias=1.0).probability(-1.0)
    0.5
    """

    temperature: float = 1.0
    bias: float = 0.0
    isotonic: tuple[tuple[float, float], ...] = ()
    clip: float = 0.01

    def __post_init__(self) -> None:
        if not (math.isfinite(self.temperature) and self.temperature > 0):
            raise SettingsError(f"temperature must be a number above 0, got {self.temperature!r}")
        if not math.isfinite(self.bias):
            raise SettingsError(f"bias must be a finite number, got {self.bias!r}")
        if not 0 <= self.clip < 0.5:
            raise SettingsError(f"clip must be 0 to below 0.5, got {self.clip!r}")
        logits, values = [x for x, _ in self.isotonic], [0.0, *(y for _, y in self.isotonic), 1.0]
        rising = all(a < b for a, b in pairwise(logits)) and all(a <= b for a, b in pairwise(values))
        if not (rising and all(map(math.isfinite, logits)) and len(logits) != 1):
            rule = "isotonic must be two points or more, of rising finite logits and probabilities 0 to 1"
            raise SettingsError(f"{rule}, got {self.isotonic!r}")

    def probability(self, logit: float) -> float:
        """Probability of a fake, 0 to 1, rounded to 6 decimals so that what is shown is what is judged."""
        if self.isotonic:
            logits, values = [x for x, _ in self.isotonic], [y for _, y in self.isotonic]
            return round(float(np.interp(logit, logits, values)), 6)
        half = 0.5 * (logit + self.bias) / self.temperature
        return round(0.5 * (1.0 + math.tanh(half)), 6)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where a probability becomes a word; between the two it is ``unsure``.

    Attributes:
        fake_at_least: ``p_fake`` from which the outcome is ``fake``, 0 to 1.
        real_at_most: ``p_fake`` down to which it is ``real``, 0 to ``fake_at_least``.
    """

    fake_at_least: float
    real_at_most: float

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
        """The word for a probability.

        >>> Thresholds(0.7, 0.3).outcome(0.7).value
        'fake'
        """
        if p_fake >= self.fake_at_least:
            return Outcome.FAKE
        return Outcome.REAL if p_fake <= self.real_at_most else Outcome.UNSURE
