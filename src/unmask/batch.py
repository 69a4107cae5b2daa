"""Scan many files in child processes, so that a crash or a hang costs one file.

A decoder that meets hostile bytes can crash, or loop without ever coming back; no exception handler in
the same process helps then. Each worker loads the networks once and is told one path at a time; one that
dies or runs past its time limit is killed and replaced, and its file is called unreadable.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import connection, get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Protocol

from unmask.config import BatchSettings, ScanSettings
from unmask.errors import ModelError, SettingsError
from unmask.models.card import card_path, read_card
from unmask.types import Verdict
from unmask.verdict import unreadable

MAX_DEFAULT_JOBS = 4
LOAD_LIMIT_SECONDS = 300.0  # generous, since a busy machine must not turn into an error
_MAIN_HINT = "; a script that scans in child processes must start its work under if __name__ == '__main__'"


@dataclass(frozen=True, slots=True)
class _Ready:
    """The worker's networks are loaded."""


@dataclass(frozen=True, slots=True)
class _Unusable:
    """The worker's networks cannot be loaded, and so no other's."""

    message: str


@dataclass(frozen=True, slots=True)
class _Hashed:
    """The SHA-256 of the file that is being judged."""

    sha256: str


@dataclass(frozen=True, slots=True)
class _Ended:
    """The worker is no more."""

    how: str


@dataclass(frozen=True, slots=True)
class _Failed:
    """Scanning the file raised something that it should not."""

    reason: str


class _Scans(Protocol):
    def scan(self, path: str | Path, *, on_sha256: Callable[[str], None] | None = None) -> Verdict:
        """Judge one file."""


_Load = Callable[[ScanSettings], _Scans]


def _load_networks(settings: ScanSettings) -> _Scans:
    from unmask.pipeline import load_scanner  # heavy, and only the child processes need it

    return load_scanner(settings)


def scan_many(
    paths: Sequence[str | Path], settings: ScanSettings | None = None, batch: BatchSettings | None = None
) -> Iterator[Verdict]:
    """Scan files in child processes; verdicts come in the order of the paths.

    A script that calls this needs the usual ``if __name__ == "__main__":`` around its own start, since
    the child processes import it.

    Args:
        paths: Videos and images.
        settings: As for one file.
        batch: Jobs and time limit.

    Yields:
        One verdict a path; a file that crashes or outlasts its worker is ``unreadable``.

    Raises:
        ModelError: The networks cannot be loaded.
    """
    early: dict[int, Verdict] = {}
    expected = 0
    with contextlib.closing(scan_each(paths, settings, batch)) as found:
        for index, verdict in found:
            early[index] = verdict
            while expected in early:
                yield early.pop(expected)
                expected += 1


def scan_each(
    paths: Sequence[str | Path],
    settings: ScanSettings | None = None,
    batch: BatchSettings | None = None,
    *,
    load: _Load = _load_networks,
) -> Generator[tuple[int, Verdict]]:
    """As `scan_many`, but each verdict as soon as it is there, with the index of its path.

    Closing the iterator, or an exception such as KeyboardInterrupt in it, kills the workers at once.

    Args:
        paths: Videos and images.
        settings: As for one file.
        batch: Jobs and time limit.
        load: Makes the scanner in the child process; must be picklable.

    Yields:
        Index and verdict.

    Raises:
        ModelError: The networks cannot be loaded.
    """
    settings, batch = settings or ScanSettings(), batch or BatchSettings()
    model = read_card(card_path(settings.model)).model_name
    todo = deque(enumerate(str(path) for path in paths))
    workers: list[_Worker] = []
    try:
        while todo or any(worker.task for worker in workers):
            jobs = min(batch.jobs or default_jobs(), len(todo) + sum(bool(w.task) for w in workers))
            while len(workers) < jobs:
                workers.append(_Worker(load, settings, batch.time_limit_seconds))
            for worker in workers:
                if todo and worker.ready and worker.task is None:
                    worker.give(todo.popleft())
            for worker in _wait(workers):
                task = worker.task
                answer = worker.answer()
                if isinstance(answer, _Ended):
                    workers.remove(worker)
                    if not worker.ready:
                        raise ModelError(f"the networks could not be loaded: {answer.how}{_MAIN_HINT}")
                    answer = _Failed(f"given up: scanning it {answer.how}")
                if task is None or answer is None:
                    continue
                if isinstance(answer, _Failed):
                    answer = unreadable(task[1], answer.reason, model, sha256=worker.sha256)
                yield task[0], answer
    finally:
        for worker in workers:
            worker.kill()


def default_jobs() -> int:
    """Worker processes when nobody says: the usable cores, at most four."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, MAX_DEFAULT_JOBS))


class _Worker:
    """The parent's side of one child process."""

    def __init__(self, load: _Load, settings: ScanSettings, limit_seconds: float) -> None:
        context = get_context("spawn")  # fork would copy threads' locks in whatever state they are
        self._file_limit_seconds = limit_seconds
        self._give_time(LOAD_LIMIT_SECONDS)
        self.task: tuple[int, str] | None = None
        self.sha256: str | None = None
        self.ready = False
        self.connection, theirs = context.Pipe()
        self._process: BaseProcess = context.Process(target=_work, args=(theirs, load, settings), daemon=True)
        with _interrupts_blocked():
            self._process.start()
        theirs.close()

    def give(self, task: tuple[int, str]) -> None:
        self.task, self.sha256 = task, None
        self._give_time(self._file_limit_seconds)
        with contextlib.suppress(OSError):  # a worker that just died is noticed by `answer`
            self.connection.send(task[1])

    def _give_time(self, seconds: float) -> None:
        self._limit_seconds = seconds
        self.deadline = time.monotonic() + seconds

    @property
    def waited_for(self) -> bool:
        """Whether an answer is due, so that the deadline counts."""
        return self.task is not None or not self.ready

    def answer(self) -> Verdict | _Failed | _Ended | None:
        """Take in one message: what became of the file or of the worker; None for anything in between."""
        if not self.connection.poll():
            self.kill()
            return _Ended(f"took longer than {self._limit_seconds:g} seconds")
        try:
            message = self.connection.recv()
        except (EOFError, OSError):
            self._process.join(5)
            code = self._process.exitcode
            self.kill()
            return _Ended(_how_it_ended(code))
        match message:
            case _Ready():
                self.ready = True
            case _Unusable(message=text):
                raise ModelError(text)
            case _Hashed(sha256=sha256):
                self.sha256 = sha256
            case Verdict() | _Failed():
                self.task = None
                return message
        return None

    def kill(self) -> None:
        self.connection.close()
        self._process.kill()
        self._process.join()
        self._process.close()


def _wait(workers: list[_Worker]) -> list[_Worker]:
    """Workers that have something to say, or whose time is up."""
    due = [worker.deadline for worker in workers if worker.waited_for]
    timeout = max(0.0, min(due) - time.monotonic()) if due else None
    heard = connection.wait([worker.connection for worker in workers], timeout)
    now = time.monotonic()
    return [w for w in workers if w.connection in heard or (w.waited_for and w.deadline <= now)]


def _how_it_ended(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        name = signal.Signals(-exit_code).name
        hint = ", perhaps for lack of memory" if name == "SIGKILL" else ""
        return f"ended with {name}{hint}"
    return f"ended unexpectedly with exit code {exit_code}"


@contextlib.contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Hold back SIGINT; a process started inside never sees it, so Ctrl-C reaches the parent alone."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(link: Connection, load: _Load, settings: ScanSettings) -> None:
    """The child process: load once, then one path in, one verdict out, until the link closes."""
    _be_quiet()
    try:
        scanner = load(settings)
    except (ModelError, SettingsError) as error:
        link.send(_Unusable(str(error)))
        return
    link.send(_Ready())
    with contextlib.suppress(EOFError, OSError):  # the parent is gone
        while True:
            path = link.recv()
            answer: Verdict | _Failed
            try:
                answer = scanner.scan(path, on_sha256=lambda sha256: link.send(_Hashed(sha256)))
            except Exception as error:  # noqa: BLE001  the batch runner: a failure must only cost its file
                answer = _Failed(f"unmask failed on it ({type(error).__name__}: {error})")
            link.send(answer)


def _be_quiet() -> None:
    """Native libraries write where they like; only the parent may write to the terminal. No core dumps."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
