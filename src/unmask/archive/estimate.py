"""What many files will cost, from a few that were done."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, stdev


def spread(numbers: Sequence[int], count: int) -> list[int]:
    """So many of these numbers, evenly spread; all where there are fewer.

    >>> spread(range(100), 4), spread([7, 8], 4)
    ([12, 37, 62, 87], [7, 8])
    """
    step = max(1.0, len(numbers) / count)
    return [numbers[int(step * (i + 0.5))] for i in range(min(count, len(numbers)))]


def reckon(files: int, spent: Sequence[float]) -> tuple[float, float]:
    """What so many files cost in all, and twice the standard error of that.

    Args:
        files: How many.
        spent: What some of them cost; with a single one nothing is known of how they differ.

    >>> reckon(100, [2.0, 4.0])
    (300.0, 200.0)
    """
    if not spent:
        return 0.0, 0.0
    error = 2 * stdev(spent) / len(spent) ** 0.5 if len(spent) > 1 else spent[0]
    return files * fmean(spent), files * error
