"""Work on many files in child processes, so that a crash or a hang costs one file.

A decoder that meets hostile bytes can crash, or loop without ever coming back; no exception handler in
the same process helps then. Each worker loads the networks once and is told one task at a time; one that
dies or runs past its time limit is killed and replaced, and its task has failed. `scan_each` and
`scan_many` are the common case: a task is a path, its answer a verdict.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing import connection, get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Protocol, TypeVar

from unmask.config import BatchSettings, ScanSettings
from unmask.errors import MissingExtraError, ModelError, SettingsError
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
    """The SHA-256 of the file that is being worked on."""

    sha256: str


@dataclass(frozen=True, slots=True)
class _Done:
    """What came of a task."""

    answer: Any


@dataclass(frozen=True, slots=True)
class _Ended:
    """The worker is no more."""

    how: str


@dataclass(frozen=True, slots=True)
class Failure:
    """A task that nothing came of, since its worker crashed, hung or hit a bug.

    Attributes:
        reason: What happened, as a clause.
        sha256: Of the file, where the worker still told it.
    """

    reason: str
    sha256: str | None = None


Task = TypeVar("Task")
Answer = TypeVar("Answer")
Do = Callable[[Task, Callable[[str], None]], Answer]
"""Works on one task; the second argument is told the SHA-256 of the file before anything interprets it."""


class _Scans(Protocol):
    def scan(self, path: str | Path, *, on_sha256: Callable[[str], None] | None = None) -> Verdict:
        """Judge one file."""


_Load = Callable[[ScanSettings], _Scans]


def _load_networks(settings: ScanSettings) -> _Scans:
    from unmask.pipeline import load_scanner  # heavy, and only the child processes need it

    return load_scanner(settings)


def _load_scan(load: _Load, settings: ScanSettings) -> Do[str, Verdict]:
    scanner = load(settings)
    return lambda path, on_sha256: scanner.scan(path, on_sha256=on_sha256)


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
    settings = settings or ScanSettings()
    model = read_card(card_path(settings.model)).model_name
    tasks = [str(path) for path in paths]
    found = run_each(tasks, partial(_load_scan, load, settings), batch)
    with contextlib.closing(found):
        for index, answer in found:
            if isinstance(answer, Failure):
                answer = unreadable(tasks[index], answer.reason, model, sha256=answer.sha256)
            yield index, answer


def run_each(
    tasks: Sequence[Task],
    load: Callable[[], Do[Task, Answer]],
    batch: BatchSettings | None = None,
    *,
    until: float | None = None,
    prepare: Callable[[Task], Task] = lambda task: task,
) -> Generator[tuple[int, Answer | Failure]]:
    """Work on tasks in child processes; each answer as soon as it is there.

    Closing the iterator, or an exception such as KeyboardInterrupt in it, kills the workers at once.

    Args:
        tasks: What the child processes are told, one at a time. Must be picklable.
        load: Called once in each child process; gives the function that works on a task. Must be picklable.
        batch: Jobs and time limit.
        until: Time on `time.monotonic` when everything ends, with or without the answers still missing.
        prepare: Changes a task in the moment that a worker is free for it.

    Yields:
        Place of the task in ``tasks``, and its answer.

    Raises:
        ModelError: ``load`` failed.
    """
    batch = batch or BatchSettings()
    todo = deque(enumerate(tasks))
    workers: list[_Worker] = []
    try:
        while todo or any(worker.busy for worker in workers):
            jobs = min(batch.jobs or default_jobs(), len(todo) + sum(worker.busy for worker in workers))
            while len(workers) < jobs:
                workers.append(_Worker(load, batch.time_limit_seconds))
            for worker in workers:
                if todo and worker.ready and not worker.busy:
                    index, task = todo.popleft()
                    worker.give(index, prepare(task))
            for worker in _wait(workers, until):
                place = worker.index
                answer = worker.answer()
                if isinstance(answer, _Ended):
                    workers.remove(worker)
                    if not worker.ready:
                        raise ModelError(f"the networks could not be loaded: {answer.how}{_MAIN_HINT}")
                    answer = Failure(f"given up: scanning it {answer.how}", worker.sha256)
                if place is not None and answer is not None:
                    yield place, answer.answer if isinstance(answer, _Done) else answer
            if until is not None and time.monotonic() >= until:
                return
    finally:
        for worker in workers:
            worker.kill()


def default_jobs() -> int:
    """Worker processes when nobody says: the usable cores, at most four."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, MAX_DEFAULT_JOBS))


class _Worker:
    """The parent's side of one child process."""

    def __init__(self, load: Callable[[], Do[Any, Any]], limit_seconds: float) -> None:
        context = get_context("spawn")  # fork would copy threads' locks in whatever state they are
        self._task_limit_seconds = limit_seconds
        self._give_time(LOAD_LIMIT_SECONDS)
        self.index: int | None = None
        self.sha256: str | None = None
        self.ready = False
        self.connection, theirs = context.Pipe()
        self._process: BaseProcess = context.Process(target=_work, args=(theirs, load), daemon=True)
        with _interrupts_blocked():
            self._process.start()
        theirs.close()

    def give(self, index: int, task: object) -> None:
        self.index, self.sha256 = index, None
        self._give_time(self._task_limit_seconds)
        with contextlib.suppress(OSError):  # a worker that just died is noticed by `answer`
            self.connection.send(task)

    def _give_time(self, seconds: float) -> None:
        self._limit_seconds = seconds
        self.deadline = time.monotonic() + seconds

    @property
    def busy(self) -> bool:
        """Whether it was given a task that is not answered yet."""
        return self.index is not None

    @property
    def waited_for(self) -> bool:
        """Whether an answer is due, so that the deadline counts."""
        return self.busy or not self.ready

    def answer(self) -> _Done | Failure | _Ended | None:
        """Take in one message: what became of the task or of the worker; None for anything in between."""
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
            case _Done() | Failure():
                self.index = None
                return message
        return None

    def kill(self) -> None:
        self.connection.close()
        self._process.kill()
        self._process.join()
        self._process.close()


def _wait(workers: list[_Worker], until: float | None) -> list[_Worker]:
    """Workers that have something to say, or whose time is up; nobody, when everybody's time is."""
    due = [worker.deadline for worker in workers if worker.waited_for]
    due += [] if until is None else [until]
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


def _work(link: Connection, load: Callable[[], Do[Any, Any]]) -> None:
    """The child process: load once, then one task in, one answer out, until the link closes."""
    _be_quiet()
    try:
        do = load()
    except (ModelError, SettingsError, MissingExtraError) as error:
        link.send(_Unusable(str(error)))
        return
    link.send(_Ready())
    with contextlib.suppress(EOFError, OSError):  # the parent is gone
        while True:
            task = link.recv()
            sha256: list[str] = []

            def tell(found: str, seen: list[str] = sha256) -> None:
                seen.append(found)
                link.send(_Hashed(found))

            answer: _Done | Failure
            try:
                answer = _Done(do(task, tell))
            except Exception as error:  # noqa: BLE001  the batch runner: a failure must only cost its task
                answer = Failure(f"unmask failed on it ({type(error).__name__}: {error})", *sha256[:1])
            link.send(answer)


def _be_quiet() -> None:
    """Native libraries write where they like; only the parent may write to the terminal. No core dumps."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
