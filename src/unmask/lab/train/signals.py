"""Ctrl-C and pre-emption: the step is finished, the run is saved, and then it stops."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def stop_signals() -> Iterator[Callable[[], bool]]:
    """Take SIGINT and SIGTERM as a wish to stop at the end of the step.

    A second Ctrl-C stops at once. SIGTERM never does, because launchers send it after a Ctrl-C of their own.

    Yields:
        A function that says whether a stop was asked for.
    """
    wanted = False

    def note(number: int, _: FrameType | None) -> None:
        nonlocal wanted
        if wanted and number == signal.SIGINT:
            raise KeyboardInterrupt
        wanted = True

    if threading.current_thread() is not threading.main_thread():  # where no handler can be set
        yield lambda: False
        return
    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: wanted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
