"""Whether a run still learns: numbers that are none, and networks that no longer look."""

from __future__ import annotations

import math
from pathlib import Path

from unmask.errors import DataError

MOST_FLAT_STEPS = 50
SMALLEST_SPREAD = 1e-6


class Health:
    """Stops a run that can come to no good, before its weights take it in or more time goes into it.

    Args:
        folder: Of the run, named in messages.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._flat_steps = folder, 0

    def check(self, *, step: int, loss: float, gradient_norm: float, spread: float) -> None:
        """Hold a step against the rules, the same on every process.

        Args:
            step: Its number, from 1.
            loss: Over all processes.
            gradient_norm: Over all weights.
            spread: Highest less lowest logit. 0 means that every unit is dead or saturated: no gradient will
                ever reach the weights again, and the loss stays where a network has it that knows nothing.

        Raises:
            DataError: Loss or gradient is not finite, or all logits have been the same for 50 steps.
        """
        way_out = (
            f"the checkpoint of an earlier step in {self._folder} is kept: lower learning_rate in the "
            "recipe and train into another folder"
        )
        if not (math.isfinite(loss) and math.isfinite(gradient_norm)):
            raise DataError(
                f"loss and its gradient must be finite, got {loss:.4g} and {gradient_norm:.4g} in step "
                f"{step}; {way_out}"
            )
        self._flat_steps = self._flat_steps + 1 if spread < SMALLEST_SPREAD else 0
        if self._flat_steps >= MOST_FLAT_STEPS:
            raise DataError(
                f"a network must tell faces apart, got the same logit for every face in {self._flat_steps} "
                f"steps up to {step}; {way_out}, or leave fold_norms out"
            )
