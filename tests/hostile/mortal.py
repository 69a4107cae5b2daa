"""Runs of ``unmask`` that come to harm at a chosen change to files: killed, or told that the disk is full.

Python tells hooks of each file that is opened to write, renamed or removed, and SQLite of each statement.
So the run of a child process can be ended at the k-th of them, wherever in the code it comes from. A child is
forked off a server that has the libraries loaded already, which saves seconds for each.
"""

from __future__ import annotations

import atexit
import ctypes
import errno
import multiprocessing
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["unmask.lab.train.run", "unmask.pipeline", "unmask.lab.zoo.get", "pandas"])
PATIENCE_SECONDS = 240.0
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGES = {
    "os.rename": (1, 3), "os.link": (1, 3), "os.symlink": (1, 2), "os.remove": (0, 1), "os.rmdir": (0, 1),
    "os.mkdir": (0, 2), "os.truncate": (0, None), "os.chmod": (0, 2),
}  # fmt: skip
"""What changes files: where the path stands among the arguments, and the folder that it begins in."""


@dataclass(frozen=True, slots=True)
class Harm:
    """What comes to a run.

    Attributes:
        at: Before which change, counted from 1; None spares it.
        kind: ``kill``; ``tear`` kills it in the middle of what it was just writing; ``full``, ``quota``,
            ``broken`` and ``sealed`` are a disk that is full, of which the user has his share, that fails,
            or can no longer be written to from here on.
        write: Before which write into a file it comes instead, counted from 1 (`can_fail_writes`).
        clock: By how many seconds the clock jumps meanwhile.
        file_bytes: How large a file may grow at most; None for any size.
    """

    at: int | None = None
    kind: str = "kill"
    write: int | None = None
    clock: float = 0.0
    file_bytes: int | None = None


SPARED = Harm()
ERRORS = {"full": errno.ENOSPC, "quota": errno.EDQUOT, "broken": errno.EIO, "sealed": errno.EROFS}


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended.

    Attributes:
        code: Of its exit; the negative number of a signal.
        told: What it wrote to stderr.
        changes: Each that was made, or would have been, in words.
        writes: How many writes into files there were, or would have been; 0 where they are not counted.
    """

    code: int
    told: str
    changes: tuple[str, ...]
    writes: int = 0


@dataclass(slots=True)
class Run:
    """A run that goes on in a process of its own.

    Attributes:
        process: The process.
        notes: Where it writes.
    """

    process: multiprocessing.process.BaseProcess
    notes: Path

    @property
    def said(self) -> str:
        """What it has written to stdout so far."""
        file = self.notes / "out"
        return file.read_text(errors="replace") if file.exists() else ""

    def end(self) -> Ended:
        """Wait until it has ended."""
        self.process.join(PATIENCE_SECONDS)
        if self.process.exitcode is None:
            self.process.kill()
            raise AssertionError(f"a run hangs: {(self.notes / 'err').read_text(errors='replace')}")
        changes = (self.notes / "changes").read_text(errors="replace").splitlines()
        told = (self.notes / "err").read_text(errors="replace")
        counted = self.notes / "writes"
        writes = int(counted.read_text()) if counted.exists() else 0
        return Ended(self.process.exitcode, told, tuple(changes), writes)


def can_fail_writes() -> bool:
    """Whether writes can be counted and made to fail: on Linux with a C compiler."""
    return _failing() is not None


@cache
def _failing() -> Path | None:
    """A library whose calls stand before those that write, for as long as this process lives."""
    compiler = shutil.which("cc")
    if sys.platform != "linux" or compiler is None:
        return None
    library = Path(tempfile.mkdtemp(prefix="unmask-")) / "failing.so"
    atexit.register(shutil.rmtree, library.parent, ignore_errors=True)
    source = Path(__file__).with_name("failing.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-o", library, source, "-ldl"], check=True)
    return library


@cache
def _prepare() -> None:
    """Start the server that children are forked off, with that library loaded first.

    There is one for a whole process: one that other tests started has no such library.
    """
    forkserver._forkserver._stop()
    before = os.environ.get("LD_PRELOAD")
    if library := _failing():
        os.environ["LD_PRELOAD"] = str(library)
    try:
        forkserver.ensure_running()
    finally:
        os.environ.pop("LD_PRELOAD", None)
        if before is not None:
            os.environ["LD_PRELOAD"] = before


def start(
    arguments: Sequence[object],
    watched: Path,
    notes: Path,
    *,
    harm: Harm = SPARED,
    environment: Mapping[str, str] | None = None,
) -> Run:
    """Begin ``unmask ARGUMENTS``.

    Args:
        arguments: Of the command line.
        watched: Changes in this folder count.
        notes: An empty folder for what the run tells.
        harm: What comes to it.
        environment: Added to that of this process.
    """
    notes.mkdir(parents=True)
    words = [str(word) for word in arguments]
    given = (words, watched, notes, harm, dict(environment or {}))
    _prepare()
    process = CONTEXT.Process(target=_live, args=given)
    process.start()
    return Run(process, notes)


def _live(words: list[str], watched: Path, notes: Path, harm: Harm, environment: dict[str, str]) -> None:
    os.environ |= {"TMPDIR": str(notes)} | environment
    tempfile.tempdir = None
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(notes / name, os.O_WRONLY | os.O_CREAT), number)
    sys.stdout, sys.stderr = (
        open(number, "w", buffering=1, encoding="utf-8", closefd=False)  # noqa: SIM115
        for number in (1, 2)
    )
    import torch

    from unmask.cli import main

    torch.set_num_threads(1)
    if harm.clock:
        _turn_clock(harm.clock)
    if harm.file_bytes is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (harm.file_bytes, harm.file_bytes))
    counted = os.open(notes / "changes", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    watch = _Watch(os.path.realpath(watched), harm, lambda told: os.write(counted, told.encode()))
    connect = sqlite3.connect

    def connect_watched(*given: Any, **named: Any) -> sqlite3.Connection:
        made = connect(*given, **named)
        made.set_trace_callback(watch.see_statement)
        return made

    sqlite3.connect = connect_watched
    sys.addaudithook(watch)
    with _failing_writes(os.path.realpath(watched), harm, notes):
        main(words)


@contextmanager
def _failing_writes(folder: str, harm: Harm, notes: Path) -> Iterator[None]:
    """Let writes fail as a harm has it, and note how many there were."""
    loaded = ctypes.CDLL(None)
    if not hasattr(loaded, "fail_writes"):  # no compiler
        yield
        return
    at = (1 << 62) if harm.write is None else harm.write
    loaded.fail_writes(folder.encode(), ctypes.c_long(at), ERRORS.get(harm.kind, 0))
    try:
        yield
    finally:
        loaded.seen_writes.restype = ctypes.c_long
        (notes / "writes").write_text(str(loaded.seen_writes()))


def _turn_clock(seconds: float) -> None:
    """From the third look at it on, the clock is wrong."""
    now, looks = time.time, iter(range(1 << 40))
    time.time = lambda: now() + (seconds if next(looks) > 2 else 0)


@dataclass(slots=True)
class _Watch:
    """The hook, which cannot be taken off again."""

    folder: str
    harm: Harm
    tell: Callable[[str], object]
    count: int = 0
    open_now: list[tuple[str, int]] = field(default_factory=list)
    _here: threading.local = field(default_factory=threading.local)

    def __call__(self, event: str, given: tuple[object, ...]) -> None:
        if getattr(self._here, "busy", False):
            return
        path = self._path(event, given)
        if path is None or not path.startswith(self.folder):
            return
        self._here.busy = True
        try:
            self._come_to_harm(f"{event} {path[len(self.folder) :]}")
            if event == "open":
                size = Path(path).stat().st_size if Path(path).is_file() else 0
                self.open_now[:] = [(path, 0 if given[2] & os.O_TRUNC else size)]
        finally:
            self._here.busy = False

    def _path(self, event: str, given: tuple[object, ...]) -> str | None:
        """Of what is changed; None where nothing is."""
        if event == "open":
            if not isinstance(given[2], int) or not given[2] & _WRITES:
                return None
            place, folder = given[0], None
        elif event in _CHANGES:
            at, within = _CHANGES[event]
            place, folder = given[at], None if within is None else given[within]
        else:
            return None
        if isinstance(place, int):
            return os.path.realpath(f"/proc/self/fd/{place}")
        path = os.fsdecode(place)
        if isinstance(folder, int) and folder >= 0 and not Path(path).is_absolute():
            path = f"/proc/self/fd/{folder}/{path}"
        head, tail = os.path.split(path)
        return f"{os.path.realpath(head)}/{tail}"

    def see_statement(self, statement: str) -> None:
        """SQLite is about to do something; what only reads does not count."""
        if statement.startswith("SELECT"):
            return
        self._come_to_harm(f"sql {statement.split()[0]}")

    def _come_to_harm(self, what: str) -> None:
        self.count += 1
        self.tell(what + "\n")
        if self.harm.at is None or self.count < self.harm.at:
            return
        if self.harm.kind == "tear":
            for path, size in self.open_now:
                if Path(path).is_file():
                    os.truncate(path, size + (Path(path).stat().st_size - size) // 2)
        if self.harm.kind in ("kill", "tear"):
            os.kill(os.getpid(), signal.SIGKILL)
        if not what.startswith("sql"):
            number = ERRORS[self.harm.kind]
            raise OSError(number, os.strerror(number))
