"""Scans that wait, and how far those are that run."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from unmask.config import ScanSettings
from unmask.errors import UnmaskError


class QueueFullError(UnmaskError):
    """No more scans may wait."""


@dataclass(frozen=True, slots=True)
class Closer:
    """A file to scan with settings of its own, of the same networks."""

    path: str
    settings: ScanSettings


@dataclass(slots=True)
class Job:
    """A scan that waits or runs.

    Attributes:
        key: Id of the scan.
        path: The file.
        settings: Of this scan; None takes those of all.
        cancelled: Somebody wants it no more.
        over: Nobody works on it any more.
    """

    key: str
    path: str
    settings: ScanSettings | None = None
    cancelled: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def task(self) -> str | Closer:
        """What a worker is given."""
        return self.path if self.settings is None else Closer(self.path, self.settings)


class ScanQueue:
    """First come, first served, up to a length.

    Args:
        limit: How many may wait, places that are kept for uploads among them.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._waiting: deque[Job] = deque()
        self._jobs: dict[str, Job] = {}
        self._kept = 0
        self._closed = threading.Event()
        self._change = threading.Condition()

    def __len__(self) -> int:
        return len(self._waiting) + self._kept

    @property
    def running(self) -> int:
        """How many are worked on just now."""
        return len(self._jobs) - len(self._waiting)

    @contextmanager
    def place(self) -> Iterator[None]:
        """Keep a place for a scan that is still coming in; within it `put` uses that place.

        Raises:
            QueueFullError: There is none.
        """
        with self._change:
            if len(self) >= self.limit:
                raise QueueFullError(f"at most {self.limit} scans may wait; try again later")
            self._kept += 1
        try:
            yield
        finally:
            with self._change:
                self._kept -= 1

    def put(self, key: str, path: str, settings: ScanSettings | None = None) -> None:
        """Let a scan wait for its turn."""
        with self._change:
            self._jobs[key] = job = Job(key, path, settings)
            self._waiting.append(job)
            self._change.notify()

    def take(self, *, timeout_seconds: float | None = None) -> Job | None:
        """The next scan, as soon as there is one; None when the queue is closed, or after the timeout."""
        with self._change:
            self._change.wait_for(lambda: self._waiting or self.closed, timeout_seconds)
            return self._waiting.popleft() if self._waiting and not self.closed else None

    def end(self, job: Job) -> None:
        """Nobody works on it any more."""
        with self._change:
            self._jobs.pop(job.key, None)
        job.over.set()

    def cancel(self, key: str, *, timeout_seconds: float = 10.0) -> bool:
        """Let nobody work on a scan any more; waits until that is so, and tells whether it is."""
        with self._change:
            job = self._jobs.get(key)
            if job is None:
                return True
            job.cancelled.set()
            if job in self._waiting:
                self._waiting.remove(job)
                self._jobs.pop(key)
                return True
        return job.over.wait(timeout_seconds)

    def close(self) -> None:
        """Wake everybody who waits for a scan; there will be none."""
        with self._change:
            self._closed.set()
            self._change.notify_all()

    @property
    def closed(self) -> bool:
        """Whether no scan is given out any more."""
        return self._closed.is_set()

    def rest(self, seconds: float) -> None:
        """Do nothing for a while, or until the queue is closed."""
        self._closed.wait(seconds)
