"""When a run learns how fast, and when it ends."""

from __future__ import annotations

import math
from dataclasses import dataclass

from unmask.lab.train.recipe import LoopSettings


def learning_rate(step: int, settings: LoopSettings, *, end: int | None = None) -> float:
    """Linear warm-up, a plateau, then a cosine down to a hundredth of the peak.

    Args:
        step: From 0 on.
        settings: Of the run.
        end: Step after which the run ends; by default ``settings.steps``.
    """
    if step < settings.warmup_steps:
        return settings.learning_rate * (step + 1) / settings.warmup_steps
    left = (settings.steps if end is None else end) - step
    share = max(0.0, 1 - left / max(1, settings.cooldown_steps))
    return settings.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * share)))


@dataclass(slots=True)
class Plan:
    """Where a run stands and where it will end; what early stopping has seen so far.

    A plateau ends in a cool-down, and most of what a run learns it shows only there. So a metric that no
    longer rises does not end the run: it begins the cool-down at once, and the run ends with that.

    Attributes:
        end: Step after which the run ends.
        best: Best value of the validation metric so far.
        waited: Validations in a row that did not reach it.
    """

    end: int
    best: float = -math.inf
    waited: int = 0

    def see(self, value: float, *, step: int, settings: LoopSettings) -> bool:
        """Take note of a validation; True when it moves the end of the run.

        Args:
            value: Of the metric; higher is better.
            step: Steps that are done.
            settings: ``patience`` of 0 never stops early.
        """
        cooling = step >= self.end - settings.cooldown_steps
        if not settings.patience or cooling:
            return False
        self.waited = 0 if value > self.best else self.waited + 1
        self.best = max(self.best, value)
        if self.waited < settings.patience:
            return False
        self.end = step + settings.cooldown_steps
        return True
