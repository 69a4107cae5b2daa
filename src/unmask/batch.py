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
from typing import Any, Protocol

from unmask.config import BatchSettings, ScanSettings
from unmask.judge.card import Card, card_path, read_card
from unmask.judge.conclude import About, conclude
from unmask.judge.footage import Look
from unmask.judge.verdict import STAGES, unreadable
from unmask.verdicts import Verdict
from unmask.work.pool import Answer, Do, Failure, Task, run_crew
from unmask.work.processes import Processes, default_jobs

__all__ = ["Failure", "run_each", "scan_each", "scan_many"]


class _Scans(Protocol):
    def scan(
        self,
        path: str | Path,
        *,
        on_sha256: Callable[[str], None] | None = None,
        on_look: Callable[[Look], None] | None = None,
    ) -> Verdict:
        """Judge one file."""


_Load = Callable[[ScanSettings], _Scans]


def _load_networks(settings: ScanSettings) -> _Scans:
    from unmask.pipeline import load_scanner  # heavy, and only the child processes need it

    return load_scanner(settings)


def _load_scan(load: _Load, settings: ScanSettings) -> Do[str, Verdict]:
    scanner = load(settings)
    return lambda path, tell: scanner.scan(path, on_sha256=tell, on_look=tell)


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
    on_look: Callable[[int, Look], None] = lambda index, look: None,
) -> Generator[tuple[int, Verdict]]:
    """As `scan_many`, but each verdict as soon as it is there, with the index of its path.

    Closing the iterator, or an exception such as KeyboardInterrupt in it, kills the workers at once.

    Args:
        paths: Videos and images.
        settings: As for one file.
        batch: Jobs and time limit.
        load: Makes the scanner in the child process; must be picklable.
        on_look: Told what was found in each stretch of a long video, with the index of its path.

    Yields:
        Index and verdict. A file whose worker crashed or ran out of time is judged by what it had seen.

    Raises:
        ModelError: The networks cannot be loaded.
    """
    settings = settings or ScanSettings()
    card = read_card(card_path(settings.model))
    tasks = [str(path) for path in paths]
    seen: dict[int, list[Look]] = {}

    def note(index: int, look: Look) -> None:
        seen.setdefault(index, []).append(look)
        on_look(index, look)

    found = run_each(tasks, partial(_load_scan, load, settings), batch, on_part=note)
    with contextlib.closing(found):
        for index, answer in found:
            looks = seen.pop(index, [])
            if isinstance(answer, Failure):
                answer = judge_failure(tasks[index], answer, looks, card, settings)
            yield index, answer


def judge_failure(
    path: str, failure: Failure, looks: Sequence[Look], card: Card, settings: ScanSettings
) -> Verdict:
    """The verdict on a file whose worker ended: by what it had seen, or that it could not be read."""
    if not looks:
        return unreadable(path, failure.reason, card.model_name, sha256=failure.note)
    return conclude(
        looks, About(path, failure.note, dict.fromkeys(STAGES, 0.0), failure.reason), card, settings
    )


def run_each(
    tasks: Sequence[Task],
    load: Callable[[], Do[Task, Answer]],
    batch: BatchSettings | None = None,
    *,
    until: float | None = None,
    prepare: Callable[[Task], Task] = lambda task: task,
    on_part: Callable[[int, Any], None] = lambda place, part: None,
) -> Generator[tuple[int, Answer | Failure]]:
    """Work on tasks in child processes; each answer as soon as it is there.

    Closing the iterator, or an exception such as KeyboardInterrupt in it, kills the workers at once.

    Args:
        tasks: What the child processes are told, one at a time. Must be picklable.
        load: Called once in each child process; gives the function that works on a task. Must be picklable.
        batch: Jobs and time limit.
        until: Time on `time.monotonic` when everything ends, with or without the answers still missing.
        prepare: Changes a task in the moment that a worker is free for it.
        on_part: Told each part of an answer as it comes, with the place of its task.

    Yields:
        Place of the task in ``tasks``, and its answer.

    Raises:
        ModelError: ``load`` failed.
    """
    batch = batch or BatchSettings()
    todo = deque(enumerate(tasks))
    crew = Processes(load, min(batch.jobs or default_jobs(), len(tasks)), batch.time_limit_seconds)
    done = run_crew(
        lambda: todo.popleft() if todo else None,
        crew,
        until=until,
        prepare=lambda item: prepare(item[1]),
        on_part=lambda item, part: on_part(item[0], part),
    )
    with contextlib.closing(done):
        for (index, _), answer in done:
            yield index, answer
