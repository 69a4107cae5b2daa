"""Scan many files in child processes, so that a crash or a hang costs one file.

The loop around them is in ``pool``, the processes in ``processes``; here a task is a path, its answer a
verdict.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol

from unmask.config import BatchSettings, ScanSettings
from unmask.judge.card import card_path, read_card
from unmask.judge.verdict import unreadable
from unmask.verdicts import Verdict
from unmask.work.pool import Answer, Do, Failure, Task, run_crew
from unmask.work.processes import Processes, default_jobs

__all__ = ["Failure", "run_each", "scan_each", "scan_many"]


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
                answer = unreadable(tasks[index], answer.reason, model, sha256=answer.note)
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
    crew = Processes(load, min(batch.jobs or default_jobs(), len(tasks)), batch.time_limit_seconds)
    done = run_crew(
        lambda: todo.popleft() if todo else None, crew, until=until, prepare=lambda item: prepare(item[1])
    )
    with contextlib.closing(done):
        for (index, _), answer in done:
            yield index, answer
