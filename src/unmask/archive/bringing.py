"""Brings objects of a store to a worker that is closed in, and so cannot reach one.

Who brings never looks into what it brings: it copies bytes, and hashes them. So it needs no limits, and when
it ends, that says nothing of the file.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYetError
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from unmask.archive.judging import FileTask, Hashed, Judge, Judged, UnreachableError, reaching
from unmask.archive.sources import MAX_MEMBER_BYTES, Opener, lies_in_store
from unmask.config import LimitSettings
from unmask.files import fingerprint
from unmask.work.delegate import Delegate
from unmask.work.pool import Tell

STALL_SECONDS = 60.0
"""How long a store may send nothing."""

_TELL_EVERY_SECONDS = 5.0


@dataclass(slots=True)
class Bringer:
    """Has files judged by a process of its own that is closed in; what lies in a store is copied for it.

    Attributes:
        judge: What `unmask.archive.judging.Judge` does, closed in.
        copy_limit_bytes: Largest object that is copied.
        stall_seconds: How long a store may send nothing; then the object cannot be had just now.
    """

    judge: Delegate
    copy_limit_bytes: int = MAX_MEMBER_BYTES
    stall_seconds: float = STALL_SECONDS
    _opener: Opener = field(default_factory=Opener)
    _hand: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1))

    def __call__(self, task: FileTask, tell: Tell) -> Any:
        """Do one file.

        Args:
            task: Which.
            tell: Told now and then that something came.

        Raises:
            DataError: There is no such object, or it may not be read or copied.
            UnreachableError: It cannot be had just now.
            ModelError: The process that judges ended, and no other can be had.
        """
        if not lies_in_store(task.file.path):
            return self.judge.do(task, tell)
        start, began = time.process_time(), time.perf_counter()
        with self._copy(task.file.path, tell) as copy:
            spent = {"fetch": round(time.perf_counter() - began, 4)}
            if task.hash_only:
                return Hashed(fingerprint(copy))
            tell.part(None)
            answer = self.judge.do(replace(task, file=replace(task.file, path=str(copy))), tell)
        if not isinstance(answer, Judged):
            return answer
        spent["cpu"] = round(answer.seconds["cpu"] + time.process_time() - start, 4)
        return Judged(answer.record, answer.seconds | spent)

    @contextmanager
    def _copy(self, path: str, tell: Tell) -> Iterator[Path]:
        """A copy that is gone afterwards, made in a thread that is left alone when nothing comes any more."""
        moved = told = time.monotonic()

        def note(copied: int) -> None:
            nonlocal moved
            moved = time.monotonic()

        local = self._opener.local(path, limit_bytes=self.copy_limit_bytes, on_bytes=note)
        coming = self._hand.submit(local.__enter__)
        while not coming.done():
            try:
                coming.exception(timeout=min(1.0, self.stall_seconds))
            except NotYetError:
                now = time.monotonic()
                if now - moved > self.stall_seconds:
                    self._leave(coming, local)
                    why = f"the store sent nothing for {self.stall_seconds:g} seconds"
                    raise UnreachableError(f"it cannot be had just now ({why})") from None
                if now - told > _TELL_EVERY_SECONDS:
                    told = now
                    tell.part(None)
        with reaching():
            copy = coming.result()
        try:
            yield copy
        finally:
            local.__exit__(None, None, None)

    def _leave(self, coming: Future[Path], local: AbstractContextManager[Path]) -> None:
        """Let a thread go that waits for a store; should its copy come after all, it is removed."""

        def clean(late: Future[Path]) -> None:
            if late.exception() is None:
                local.__exit__(None, None, None)

        coming.add_done_callback(clean)
        self._hand.shutdown(wait=False)
        self._hand, self._opener = ThreadPoolExecutor(1), Opener()


def load_bringer(
    load: Callable[[], Judge],
    limit_seconds: float,
    limits: LimitSettings,
    copy_limit_bytes: int,
    stall_seconds: float = STALL_SECONDS,
) -> Bringer:
    """Start the process that judges, once for a worker.

    Args:
        load: Of the judge.
        limit_seconds: Wall time that a file may take without anything new.
        limits: Of the process that judges.
        copy_limit_bytes: Largest object that is copied.
        stall_seconds: How long a store may send nothing.

    Raises:
        ModelError: Weights cannot be used.
        SettingsError: It must be closed in, and the system cannot do that.
    """
    return Bringer(Delegate(load, limit_seconds, limits), copy_limit_bytes, stall_seconds)
