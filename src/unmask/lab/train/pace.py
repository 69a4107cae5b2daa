"""How fast a run goes, and what share of it waits for data."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

WINDOW_STEPS = 50


class Pace:
    """Wall time of the latest steps; validation and saving are in neither part.

    Example:
        >>> pace = Pace()
        >>> with pace.waiting():
        ...     pass
        >>> with pace.learning(images=32):
        ...     pass
        >>> 0 <= pace.share_waiting <= 1
        True
    """

    def __init__(self) -> None:
        self._waited = 0.0
        self._steps: deque[tuple[float, float, int]] = deque(maxlen=WINDOW_STEPS)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Around asking for a batch."""
        start = time.perf_counter()
        yield
        self._waited = time.perf_counter() - start

    @contextmanager
    def learning(self, *, images: int) -> Iterator[None]:
        """Around the rest of a step.

        Args:
            images: Pictures in the step, over all processes.
        """
        start = time.perf_counter()
        yield
        self._steps.append((self._waited, time.perf_counter() - start, images))

    @property
    def images_per_second(self) -> float:
        """Pictures a second over the latest steps; 0 before the first."""
        seconds = sum(waited + learned for waited, learned, _ in self._steps)
        return sum(images for *_, images in self._steps) / seconds if seconds else 0.0

    @property
    def share_waiting(self) -> float:
        """Share of the time of the latest steps in which the network had no batch, 0 to 1."""
        seconds = sum(waited + learned for waited, learned, _ in self._steps)
        return sum(waited for waited, *_ in self._steps) / seconds if seconds else 0.0
