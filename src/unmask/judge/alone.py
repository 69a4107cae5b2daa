"""How suspicious one look at a face must be to count among all that were taken, and what chance does."""

from __future__ import annotations

from unmask.judge.calibration import Calibration

_HALVINGS = 30


def needed_alone(p_fake: float, calibration: Calibration, *, looks: int) -> float:
    """From which probability on one look makes a film what `p_fake` says, where no other look helps it.

    The inverse of `Calibration.among_many` for one look that stands out, where that is `Calibration.chosen`.

    Args:
        p_fake: What the film must reach, such as `Thresholds.fake_at_least`.
        calibration: Of the model.
        looks: How many were taken, 1 or more.

    Example:
        >>> measured = Calibration(real_mean=-2.0, real_std=1.5)
        >>> [round(needed_alone(0.7, measured, looks=looks), 3) for looks in (1, 3, 50)]
        [0.7, 0.898, 0.999]
    """
    if looks <= 1:
        return p_fake
    low, high = p_fake, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if calibration.chosen(middle, times=looks) < p_fake else (low, middle)
    return high


def chance_among(p_fake: float, calibration: Calibration, *, looks: int) -> float:
    """At most in which share of films of real faces one look gets this far, by Bonferroni's rule.

    It holds for looks that depend on each other, too. 1 where the rule bounds nothing.

    Args:
        p_fake: What one look reached by itself, 0 to 1.
        calibration: Of the model; its real clips say how far real faces get.
        looks: How many were taken, 1 or more.

    Example:
        >>> measured = Calibration(real_mean=-2.0, real_std=1.5)
        >>> [round(chance_among(0.9, measured, looks=looks), 3) for looks in (1, 5, 500)]
        [0.019, 0.095, 1.0]
    """
    return min(1.0, looks * calibration.reals_reaching(p_fake))
