"""Stopping in the middle: what is printed is whole all the same."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType
from typing import Any, Never


class Stopper:
    """Makes Ctrl-C and a polite kill raise KeyboardInterrupt, but not in the middle of an output.

    Once it has been raised, what was done until then is put out: the next stop is put off to the end of the
    next block of `held`.
    """

    def __init__(self) -> None:
        self._holding = False
        self._asked = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Stopper:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._stop)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Put a stop off to the end of the block; a second one comes through, should a pipe be stuck."""
        self._holding = True
        try:
            yield
        finally:
            self._holding = False
        if self._asked:
            self._interrupt()

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        if self._holding and not self._asked:
            self._asked = True
        else:
            self._interrupt()

    def _interrupt(self) -> Never:
        self._holding, self._asked = True, False
        raise KeyboardInterrupt
