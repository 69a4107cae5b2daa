"""Scans what is not scanned yet: joins plan, workers and output of a scan of an archive.

Files of one size may be the same. They are hashed first, and of those that are the same one is judged; the
others take its record. So it does not matter which one that is, nor how many workers there are.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from unmask.archive.judging import FileTask, Hashed, Judged
from unmask.archive.records import RecordStore
from unmask.archive.run import work_through
from unmask.reasons import Reason
from unmask.work.pool import Crew, Failure

MACHINE_CODES = ("failed", "machine_failed", "no_memory", "helper_ended")
"""Reasons that say nothing of the file: it stays pending. A fault of unmask itself would only come again."""


@dataclass(slots=True)
class FileSchedule:
    """Which file is next: in the order of the plan, those of one size first for their hashes.

    Attributes:
        store: Where what is done is kept.
        earlier: The record of a file that was judged before, by its SHA-256; None where there are none.
        pending: Files that the machine failed on, by number, with the reason; a later run does them.
    """

    store: RecordStore
    earlier: Callable[[str], dict[str, Any] | None] | None = None
    pending: dict[int, Reason] = field(default_factory=dict)
    _ready: deque[FileTask] = field(default_factory=deque)
    _judged: dict[tuple[int, str], int] = field(default_factory=dict)
    _waiting: dict[tuple[int, str], list[int]] = field(default_factory=dict)
    _hashes: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        families, done = self.store.plan.families, self.store.done
        last = len(families) - 1
        for number in self.store.mine:
            alike = (number > 0 and families[number - 1] == families[number]) or (
                number < last and families[number + 1] == families[number]
            )
            if number not in done:
                hash_only = alike or self.earlier is not None
                self._ready.append(FileTask(number, self.store.plan.files[number], hash_only=hash_only))
            elif alike and (record := self.store.record(number)) is not None and record["sha256"]:
                self._judged.setdefault((families[number], record["sha256"]), number)

    def take(self) -> FileTask | None:
        """The next task, or None when there is none just now."""
        return self._ready.popleft() if self._ready else None

    def give_back(self, task: FileTask) -> None:
        """Let a file be tried again, after the others."""
        self._ready.append(task)

    def keep(self, task: FileTask, answer: Judged | Hashed) -> None:
        """Keep a record, also for those that are the same file; or see whether a hash is known."""
        if isinstance(answer, Hashed):
            self._compare(task, answer.sha256)
            return
        self.store.keep(task.number, answer)
        if task.number not in self._hashes:
            return
        key = self._key(task.number, self._hashes.pop(task.number))
        waiting = self._waiting.pop(key, [])
        if answer.record["sha256"] not in (None, key[1]):  # it was changed in between
            self._ready.extend(FileTask(n, self.store.plan.files[n], hash_only=True) for n in waiting)
            return
        self._judged[key] = task.number
        for number in waiting:
            self._copy(number, answer.record)

    def give_up(self, task: FileTask, failure: Failure) -> Judged | None:
        """A file that cost three workers, or is not there, is unreadable; the machine's failures wait."""
        if failure.ours and failure.reason.code in MACHINE_CODES:
            self.pending[task.number] = failure.reason
            if task.number in self._hashes:
                key = self._key(task.number, self._hashes.pop(task.number))
                self.pending.update(dict.fromkeys(self._waiting.pop(key, []), failure.reason))
            return None
        return self.store.failed(task.number, failure.reason, ours=failure.ours, sha256=failure.note)

    def _compare(self, task: FileTask, sha256: str) -> None:
        key = self._key(task.number, sha256)
        known = self._judged.get(key)
        record = None if known is None else self.store.record(known)
        if record is None and self.earlier is not None:
            record = self.earlier(sha256)
        if record is not None:
            self._copy(task.number, record)
        elif key in self._waiting:
            self._waiting[key].append(task.number)
        else:
            self._waiting[key] = []
            self._hashes[task.number] = sha256
            self._ready.appendleft(FileTask(task.number, task.file))

    def _copy(self, number: int, record: dict[str, Any]) -> None:
        self.store.keep(number, Judged(record | {"name": self.store.plan.files[number].inner}))

    def _key(self, number: int, sha256: str) -> tuple[int, str]:
        return self.store.plan.families[number], sha256


def scan_files(
    store: RecordStore,
    crew: Crew,
    *,
    on_done: Callable[[int], None] = lambda done: None,
    earlier: Callable[[str], dict[str, Any] | None] | None = None,
) -> dict[int, Reason]:
    """Judge all that is not judged yet.

    Ctrl-C or an error loses the files in flight; the next call goes on with the rest.

    Args:
        store: Entered; its plan is done.
        crew: The workers.
        on_done: Told how many files are done, whenever some are.
        earlier: As of `FileSchedule`.

    Returns:
        Files that the machine failed on, by number, with the reason: they are still to be done.

    Raises:
        DataError: The disk is full; or one file after the other fails, which is not their fault.
        ModelError: The workers cannot load what they need.
    """
    if store.complete:
        store.clean()
        return {}
    schedule = FileSchedule(store, earlier)
    work_through(schedule, crew, on_done=lambda answer: on_done(len(store.done)))
    store.flush()
    if not schedule.pending:
        store.finish()
    return schedule.pending
