"""Scan many files in child processes, so that a crash or a hang costs one file.

The loop around them is in ``pool``, the processes in ``processes``; here a task is a path, its answer a
verdict. Where there are fewer files than workers, a long video is parted among them.
"""

from __future__ import annotations

import contextlib
import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

from unmask.config import BatchSettings, ScanSettings
from unmask.judge.card import card_path, read_card
from unmask.judge.conclude import About, conclude
from unmask.judge.footage import Look
from unmask.judge.verdict import STAGES, unreadable
from unmask.verdicts import ModelName, Verdict
from unmask.work.pool import Answer, Do, Failure, Task, run_crew
from unmask.work.processes import Processes, default_jobs

__all__ = ["Failure", "judge_seen", "run_each", "scan_each", "scan_many"]


class _Scans(Protocol):
    def scan(
        self,
        path: str | Path,
        *,
        on_sha256: Callable[[str], None] | None = None,
        on_look: Callable[[Look], None] | None = None,
    ) -> Verdict:
        """Judge one file."""

    def count_pieces(self, path: str | Path) -> int:
        """How many pieces it can be looked at in."""

    def scan_pieces(
        self, path: str | Path, pieces: range, *, on_look: Callable[[Look], None]
    ) -> tuple[dict[str, float], str]:
        """Look at some of them; wall time by stage, and why it was stopped."""


_Load = Callable[[ScanSettings], _Scans]


@dataclass(frozen=True, slots=True)
class _Task:
    """A file to scan, or some pieces of it; ``partable`` when there are more workers than files."""

    index: int
    path: str
    partable: bool = False
    pieces: range | None = None


@dataclass(frozen=True, slots=True)
class _Parted:
    """Instead of a verdict: so many pieces the file has."""

    pieces: int
    sha256: str


@dataclass(slots=True)
class _File:
    """What is known so far of a file that is looked at."""

    path: str
    looks: list[Look] = field(default_factory=list)
    sha256: str | None = None
    parts: int = 0
    seconds: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys(STAGES, 0.0)))
    stopped: str = ""
    ours: bool = False
    began: float = field(default_factory=time.monotonic)


def _load_networks(settings: ScanSettings) -> _Scans:
    from unmask.pipeline import load_scanner  # heavy, and only the child processes need it

    return load_scanner(settings)


def _load_scan(
    load: _Load, settings: ScanSettings
) -> Do[_Task, Verdict | _Parted | tuple[dict[str, float], str]]:
    scanner = load(settings)

    def do(task: _Task, tell: Callable[[Any], None]) -> Verdict | _Parted | tuple[dict[str, float], str]:
        if task.pieces is not None:
            return scanner.scan_pieces(task.path, task.pieces, on_look=tell)
        pieces = scanner.count_pieces(task.path) if task.partable else 1
        if pieces > 1:
            from unmask.pipeline import fingerprint

            return _Parted(pieces, fingerprint(task.path))
        return scanner.scan(task.path, on_sha256=tell, on_look=tell)

    return do


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
        One verdict a path; a file that crashes or outlasts its worker is ``unreadable``, and one on which
        unmask itself failed is ``error``.

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
        Index and verdict. A file whose worker crashed, failed or ran out of time is judged by what it had
        seen.

    Raises:
        ModelError: The networks cannot be loaded.
    """
    settings, batch = settings or ScanSettings(), batch or BatchSettings()
    model = read_card(card_path(settings.model)).model_name
    jobs = batch.jobs or default_jobs()
    files = [_File(str(path)) for path in paths]
    todo = deque(_Task(i, file.path, partable=len(files) < jobs) for i, file in enumerate(files))

    def note(task: _Task, look: Look) -> None:
        files[task.index].looks.append(look)
        on_look(task.index, look)

    crew = Processes(partial(_load_scan, load, settings), jobs, batch.time_limit_seconds)
    found = run_crew(lambda: todo.popleft() if todo else None, crew, on_part=note)
    with contextlib.closing(found):
        for task, answer in found:
            file = files[task.index]
            if isinstance(answer, _Parted):
                todo.extend(_share_out(task, file, answer, jobs))
            elif isinstance(answer, Verdict):
                file.looks.clear()
                yield task.index, answer
            elif _end_part(file, answer):
                yield task.index, _join(file, settings, model)


def _share_out(task: _Task, file: _File, answer: _Parted, jobs: int) -> list[_Task]:
    """One share of the pieces for each worker."""
    file.parts, file.sha256 = min(jobs, answer.pieces), answer.sha256
    seams = [answer.pieces * part // file.parts for part in range(file.parts + 1)]
    return [replace(task, pieces=range(*ends)) for ends in pairwise(seams)]


def _end_part(file: _File, answer: Failure | tuple[dict[str, float], str]) -> bool:
    """Take note of how a share, or the file as a whole, ended; whether that was the last."""
    file.parts -= 1
    if isinstance(answer, Failure):
        file.sha256, stopped = file.sha256 or answer.note, answer.reason
        file.ours = file.ours or (answer.ours and not file.stopped)
    else:
        seconds, stopped = answer
        file.seconds.update(seconds)
    file.stopped = file.stopped or stopped
    return file.parts <= 0


def _join(file: _File, settings: ScanSettings, model: ModelName) -> Verdict:
    """The verdict by what was seen of a file."""
    seconds = {**file.seconds, "total": time.monotonic() - file.began}
    if any(look.evidence.times_seconds for look in file.looks):
        about = About(
            file.path, file.sha256, {name: round(s, 4) for name, s in seconds.items()}, file.stopped
        )
        return judge_seen(file.looks, about, settings)
    damage = next((look.damage for look in file.looks if look.damage), "")
    reason = file.stopped or f"no frame can be decoded ({damage or 'no reason given'})"
    return unreadable(file.path, reason, model, sha256=file.sha256, damaged=bool(damage), ours=file.ours)


def judge_seen(looks: Sequence[Look], about: About, settings: ScanSettings) -> Verdict:
    """The verdict on a file by what was seen of it; where that is nothing, it could not be judged.

    Args:
        looks: In any order.
        about: The file.
        settings: Of the scan.

    Raises:
        ModelError: A model's card cannot be read.
    """
    first, *others = (read_card(card_path(model)) for model in (settings.model, *settings.beside))
    if not looks:
        return unreadable(about.path, about.stopped, first.model_name, sha256=about.sha256, ours=about.ours)
    return conclude(looks, about, first, settings, beside=others)


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
