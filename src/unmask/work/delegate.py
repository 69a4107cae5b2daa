"""A worker's own worker: it is closed in, while the one that it works for reaches a network or a cluster."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from unmask.config import LimitSettings
from unmask.errors import ModelError
from unmask.work.faults import Fault
from unmask.work.pool import Do, Done, Ended, Failure, Part, Tell, Worker
from unmask.work.processes import Processes


class Delegate:
    """A child process with limits that does tasks for this one; one that ends is replaced.

    Args:
        load: Called once in the child process; gives the function that works on a task. Must be picklable.
        limit_seconds: Wall time that a task may take without anything new.
        limits: What else it may use, and whether it is closed in.

    Raises:
        ModelError: ``load`` failed.
        SettingsError: It must be closed in, and the system cannot do that.
    """

    def __init__(self, load: Callable[[], Do[Any, Any]], limit_seconds: float, limits: LimitSettings) -> None:
        self._crew = Processes(load, 1, limit_seconds, limits)
        self._worker: Worker | None = self._hire()

    def do(self, task: object, tell: Tell) -> Any:
        """What came of a task; a `Failure` or a `Fault` where nothing did.

        Args:
            task: Must be picklable.
            tell: Told the parts of the answer.

        Raises:
            ModelError: The last one ended, and no other can be had.
        """
        worker = self._worker or self._hire()
        self._worker = worker
        worker.give(task)
        while True:
            message = self._hear(worker)
            match message:
                case Part(value=value):
                    tell.part(value)
                case Ended():
                    self._worker = None
                    return worker.failure(message)
                case Done(answer=answer):
                    return answer
                case Failure() | Fault():
                    return message

    def close(self) -> None:
        """End it at once."""
        if self._worker is not None:
            self._worker.kill()
            self._worker = None

    def _hire(self) -> Worker:
        worker = self._crew.hire()
        while not worker.ready:
            message = self._hear(worker)
            if isinstance(message, Ended):
                raise ModelError(f"the networks could not be loaded: {message.how}")
        return worker

    def _hear(self, worker: Worker) -> Part | Done | Failure | Fault | Ended | None:
        """Its next message, or its end when the time is up."""
        heard = self._crew.wait([worker], max(0.0, worker.deadline - time.monotonic()))
        return worker.listen() if heard or time.monotonic() >= worker.deadline else None
