"""What is measured of heat maps: how often the place that one marks bears the verdict on a held-out clip.

`benchmarks/heatmap.py` measures it, and writes the table that is read here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

TRIALS = Path(__file__).with_name("heat_trials.json")
RANDOM_PLACES = 10
"""With how many places of its size the marked one is compared."""

CHANCE = 1 / (RANDOM_PLACES + 1)
"""How often a place that is drawn like the others would lower the score more than all of them."""


@dataclass(frozen=True, slots=True)
class HeatTrial:
    """How the maps of one network did.

    Attributes:
        share: Of clips on which covering the marked place lowers the score more than each of ten random ones.
        low: Lower end of its 95 % interval.
        high: Upper end.
        clips: How many were tried.

    >>> HeatTrial(0.5, 0.2, 0.8, 10).beats_chance, HeatTrial(0.2, 0.05, 0.5, 10).beats_chance
    (True, False)
    """

    share: float
    low: float
    high: float
    clips: int

    @property
    def beats_chance(self) -> bool:
        """Whether the whole interval lies above what chance alone does."""
        return self.low > CHANCE


def trial_of(sha256: str) -> HeatTrial | None:
    """The measurement of a network by the SHA-256 of its weights; None where there is none."""
    return _trials().get(sha256)


@cache
def _trials() -> dict[str, HeatTrial]:
    found = json.loads(TRIALS.read_text(encoding="utf-8"))
    return {sha256: HeatTrial(**values) for sha256, values in found.items()}
