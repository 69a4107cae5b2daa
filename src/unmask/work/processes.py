"""Workers that are child processes of this one."""

from __future__ import annotations

import contextlib
import os
import pickle
import select
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from multiprocessing import connection, get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from unmask.config import LimitSettings
from unmask.reasons import Reason, because
from unmask.work.doing import do_task, load_do, what_failed
from unmask.work.faults import Fault
from unmask.work.limits import NO_LIMITS, apply_limits, give_cpu_time
from unmask.work.pool import Do, Done, Ended, Failure, Message, Note, Part, Ready, Unusable, Worker
from unmask.work.sandbox import require_sandbox

MAX_DEFAULT_JOBS = 4
_UNGUARDED_EXIT = 87  # of a child that began the work of its parent's script over again


def default_jobs() -> int:
    """Worker processes when nobody says: the usable cores, at most four."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, MAX_DEFAULT_JOBS))


@contextlib.contextmanager
def hold_back(number: signal.Signals) -> Iterator[None]:
    """Hold back a signal, where the system can; a process started inside begins with it held back.

    Of SIGINT it never sees anything, so Ctrl-C reaches the parent alone.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {number})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@dataclass(frozen=True, slots=True)
class Processes:
    """Child processes of this one.

    A script that uses them needs the usual ``if __name__ == "__main__":`` around its own start, since the
    child processes import it.

    Attributes:
        load: Called once in each child process; gives the function that works on a task. Must be picklable.
        jobs: How many.
        limit_seconds: Wall time that a task may take.
        limits: What else a worker may use, and whether it is closed in.
        delegates: Workers let processes of their own do the work (``delegate.py``): when one ends, that says
            nothing of its task.

    Raises:
        SettingsError: Workers must be closed in, and the system cannot do that.
    """

    load: Callable[[], Do[Any, Any]]
    jobs: int
    limit_seconds: float
    limits: LimitSettings = NO_LIMITS
    delegates: bool = False

    def __post_init__(self) -> None:
        if self.limits.sandbox == "require":
            require_sandbox()

    def size(self) -> int:
        """How many workers there may be."""
        return self.jobs

    def hire(self) -> Worker:
        """A new child process."""
        return _ProcessWorker(self)

    def wait(self, workers: Sequence[Worker], timeout_seconds: float | None) -> Collection[Worker]:
        """Those that have a message."""
        links = {w.connection: w for w in workers if isinstance(w, _ProcessWorker)}
        return {links[link] for link in connection.wait(list(links), timeout_seconds)}  # type: ignore[index]


class _ProcessWorker(Worker):
    def __init__(self, crew: Processes) -> None:
        super().__init__(crew.limit_seconds, delegates=crew.delegates)
        self._limits = crew.limits
        self._scratch = _make_scratch()
        context = get_context("spawn")  # fork would copy threads' locks in whatever state they are
        self.connection, theirs = context.Pipe()
        given = (theirs, pickle.dumps(crew.load), crew.limits, self._scratch)
        # What Python calls a daemon may have no children.
        daemon = not crew.delegates
        self._process: BaseProcess = context.Process(target=_work, args=given, daemon=daemon)
        try:
            with hold_back(signal.SIGINT):
                _start(self._process)
        except BaseException:
            _remove(self._scratch)
            raise
        theirs.close()

    def _send(self, task: object) -> None:
        with contextlib.suppress(OSError):
            self.connection.send(task)

    def _receive(self) -> Message | None:
        if not self.connection.poll():
            return None
        try:
            message: Message = self.connection.recv()
        except (EOFError, OSError):
            self._process.join(5)
            return Ended(_how_it_ended(self._process.exitcode, self._limits))
        return message

    def kill(self) -> None:
        if self.connection.closed:
            return
        self.connection.close()
        self._process.kill()
        self._process.join()
        self._process.close()
        _remove(self._scratch)


def _make_scratch() -> Path | None:
    """A folder for a worker's temporary files; None where nothing can be written at all."""
    try:
        return Path(tempfile.mkdtemp(prefix="unmask-worker-"))
    except OSError:
        return None


def _remove(scratch: Path | None) -> None:
    if scratch is not None:
        shutil.rmtree(scratch, ignore_errors=True)


def _start(process: BaseProcess) -> None:
    try:
        process.start()
    except RuntimeError:
        if "__mp_main__" not in sys.modules:
            raise
        # A child runs its parent's script first, by that name. A script that starts children of its own right
        # then has no guard around its work; Python forbids it, and our parent learns why by the exit code.
        raise SystemExit(_UNGUARDED_EXIT) from None


def _how_it_ended(exit_code: int | None, limits: LimitSettings) -> Reason:
    if exit_code == _UNGUARDED_EXIT:
        return because("unguarded")
    if exit_code is not None and exit_code < 0:
        name = signal.Signals(-exit_code).name
        if name == "SIGXCPU":
            return because("too_much_cpu", seconds=limits.cpu_seconds)
        return because("killed_hard" if name == "SIGKILL" else "killed", signal=name)
    return because("exited", exit_code="?" if exit_code is None else exit_code)


def _work(link: Connection, load: bytes, limits: LimitSettings, scratch: Path | None) -> None:
    """The child process: load once, then one task in, one answer out, until the link closes.

    What loads is pickled, since to unpickle it imports libraries, which start threads: the limits come first.
    """
    _be_quiet()

    def load_within() -> Do[Any, Any]:
        apply_limits(limits, scratch)
        made: Callable[[], Do[Any, Any]] = pickle.loads(load)
        return made()

    def send(message: Note | Part) -> None:
        if isinstance(message, Part):  # as with the time limit
            give_cpu_time(limits)
        link.send(message)

    with contextlib.suppress(EOFError, OSError):  # the parent is gone
        do = load_do(load_within)
        if isinstance(do, Unusable | Fault):
            link.send(do)
            return
        threading.Thread(target=_end_with_parent, args=(link,), daemon=True).start()
        link.send(Ready())
        while True:
            task: object = None
            try:
                task = link.recv()
                give_cpu_time(limits)
                link.send(_told_by_limits(do_task(do, task, send), limits))
            except (EOFError, OSError):
                raise
            except Exception as error:  # noqa: BLE001  what cannot be read or sent must only cost its task
                link.send(what_failed(error, task))


def _end_with_parent(link: Connection) -> None:
    """A worker must not go on with a long film, or hang for good, when nobody is there to be told."""
    if not hasattr(select, "poll"):  # Windows; there it ends after its task
        return
    poll = select.poll()
    poll.register(link.fileno(), 0)  # that the other side is gone is told all the same
    poll.poll()
    os._exit(0)


def _told_by_limits(answer: Done | Failure | Fault, limits: LimitSettings) -> Done | Failure | Fault:
    """Where memory is limited it is the task that wants too much, and not the machine that has too little."""
    if limits.memory_mb and isinstance(answer, Failure) and answer.reason.code == "no_memory":
        return replace(answer, reason=because("too_much_memory", megabytes=limits.memory_mb))
    return answer


def _be_quiet() -> None:
    """Native libraries write where they like; only the parent may write to the terminal. No core dumps."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
