"""A thread that keeps one worker process warm and gives it one scan after the other."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

from unmask.errors import ModelError
from unmask.reasons import Reason, because
from unmask.verdicts import Verdict
from unmask.web.queue import Job, ScanQueue
from unmask.work.faults import Fault
from unmask.work.pool import Crew, Done, Ended, Failure, Part, Worker, settle_fault

_LOOK_EVERY_SECONDS = 0.1  # whether a scan was cancelled
_REST_SECONDS = 5.0  # before another worker is tried when one could not start
_RETRY_SECONDS = 60.0  # and after so many tries in vain, while there is no scan to tell of it
_TRIES = 3
_log = logging.getLogger(__name__)


class Watcher(Protocol):
    """Who wants to know."""

    def began(self, job: Job) -> None:
        """A worker begins with a scan."""

    def heard(self, job: Job, part: Any) -> None:
        """The worker told something of it."""

    def ended(self, job: Job, answer: Verdict | Failure) -> None:
        """It is over; not told of a scan that was cancelled."""

    def broke(self, job: Job, why: Reason) -> None:
        """Something of ours failed on it, perhaps one of the calls above; not told when it was cancelled."""


class Slot(threading.Thread):
    """Does one scan at a time, in a child process that outlives it.

    Args:
        queue: Where scans come from.
        crew: Where workers come from.
        watcher: Is told, in this thread.
        on_ready: Told whether the worker has its networks loaded.

    Attributes:
        trouble: Why no worker could be started when that was last tried; empty when it could.
    """

    trouble: str = ""

    def __init__(
        self, queue: ScanQueue, crew: Crew, watcher: Watcher, on_ready: Callable[[Slot, bool], None]
    ) -> None:
        super().__init__(name="scan slot", daemon=True)
        self._queue, self._crew, self._watcher, self._on_ready = queue, crew, watcher, on_ready
        self._worker: Worker | None = None

    def run(self) -> None:
        """Work until the queue is closed, whatever happens: without its slot a queue would wait for ever."""
        try:
            while not self._queue.closed:
                try:
                    trouble = self._make_ready()
                    job = self._queue.take(timeout_seconds=_RETRY_SECONDS if trouble else None)
                    if job is not None:
                        self._do(job)
                except Exception as error:  # noqa: BLE001  a fault of ours while a job is taken or told of
                    _log.warning("a scan slot rests: %s", error)
                    self.trouble = "" if self._worker is not None else str(error)
                    self._queue.rest(_REST_SECONDS)
        finally:
            self._dismiss()

    def _do(self, job: Job) -> None:
        try:
            self._tell(job, self._watcher.began)
            trouble = self._make_ready()  # the worker may have died while it waited
            answer = Failure(because("failed", text=trouble), ours=True) if trouble else self._work(job)
            if answer is not None:
                self._tell(job, self._watcher.ended, answer)
        except Exception as error:  # noqa: BLE001  the scan's boundary: a failure must only cost this one
            _log.exception("a scan failed in the server itself")
            if self._worker is not None and self._worker.busy:
                self._dismiss()
            if not job.cancelled.is_set():
                self._tell(job, self._watcher.broke, settle_fault(Fault.of(error, job.path)).reason)
        finally:
            self._queue.end(job)

    def _tell(self, job: Job, tell: Callable[..., None], *what: Any) -> None:
        """Tell the watcher; while its disk fails, again and again: no scan is lost or runs for ever."""
        while True:
            try:
                return tell(job, *what)
            except OSError as error:
                _log.warning("what is known of a scan cannot be stored, and is tried again: %s", error)
                self._queue.rest(_REST_SECONDS)
                if self._queue.closed or job.cancelled.is_set():
                    return None

    def _work(self, job: Job) -> Verdict | Failure | None:
        """What came of a scan; None when it was cancelled or the server closes."""
        worker = self._worker
        assert worker is not None  # _make_ready said so
        worker.give(job.task)
        while True:
            if job.cancelled.is_set() or self._queue.closed:
                self._dismiss()
                return None
            message = self._hear(worker)
            if isinstance(message, Part):
                self._watcher.heard(job, message.value)
            elif isinstance(message, Done):
                answer: Verdict = message.answer
                return answer
            elif isinstance(message, Failure):
                return message
            elif isinstance(message, Ended):
                self._dismiss()
                return worker.failure(message)

    def _hear(self, worker: Worker) -> Part | Done | Failure | Ended | None:
        """The next message, or None after a short while."""
        left = worker.deadline - time.monotonic()
        if not self._crew.wait([worker], max(0.0, min(left, _LOOK_EVERY_SECONDS))) and left > 0:
            return None
        return worker.hear()

    def _make_ready(self) -> str:
        """See to it that there is a worker with its networks; gives why there is none, or an empty text."""
        self.trouble = self._hire()
        return self.trouble

    def _hire(self) -> str:
        why = ""
        for attempt in range(_TRIES):
            if self._worker is not None and self._crew.wait([self._worker], 0):
                self._dismiss()  # one that has no work has nothing to say but that it died
            if self._worker is not None:
                return ""
            if attempt:
                self._queue.rest(_REST_SECONDS)
            if self._queue.closed:
                return "the server is closing"
            try:
                self._worker = self._crew.hire()
            except OSError as error:  # no process, memory or file handle just now
                why = str(error)
                _log.warning("no worker could be started: %s", why)
                continue
            why = self._load(self._worker)
            if not why:
                self._on_ready(self, True)
                return ""
            if not self._queue.closed:
                _log.warning("a worker could not load its networks: %s", why)
            self._dismiss()
        return f"no worker could be started: {why}"

    def _load(self, worker: Worker) -> str:
        try:
            while not worker.ready:
                if self._queue.closed:
                    return "the server is closing"
                message = self._hear(worker)
                if isinstance(message, Ended):
                    return f"it {message.how}"
        except ModelError as error:
            return str(error)
        return ""

    def _dismiss(self) -> None:
        if self._worker is not None:
            self._worker.kill()
            self._worker = None
            self._on_ready(self, False)
