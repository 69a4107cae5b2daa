"""Scan many files in child processes, so that a crash or a hang costs one file.

The loop around them is in ``pool``, the processes in ``processes``; here a task is a path, its answer a
verdict. A long video is parted: whoever has no file to begin with looks at pieces of it (``work/shares.py``).
"""

from __future__ import annotations

import contextlib
import math
import pickle
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from unmask.config import BatchSettings, ScanSettings
from unmask.judge.card import card_path, read_card
from unmask.judge.conclude import About, conclude
from unmask.judge.footage import Look
from unmask.judge.limits import limits_for
from unmask.judge.verdict import STAGES, unreadable
from unmask.reasons import Reason, because
from unmask.verdicts import ModelName, Verdict
from unmask.work.pool import Do, Failure, Tell, run_crew
from unmask.work.processes import Processes, default_jobs
from unmask.work.shares import Shares

if TYPE_CHECKING:
    from unmask.pipeline import Listed
    from unmask.video import Film

__all__ = ["judge_seen", "scan_each", "scan_many"]


_Looked = tuple[dict[str, float], Reason | None]
"""Of some pieces, wall time by stage and why it was stopped."""


class _Scans(Protocol):
    def scan(
        self,
        path: str | Path,
        *,
        listed: Listed | None = None,
        on_look: Callable[[Look], None] | None = None,
    ) -> Verdict:
        """Judge one file."""

    def list_file(self, path: str | Path, *, on_sha256: Callable[[str], None]) -> Listed:
        """Open it, and so learn the pieces that it can be looked at in."""

    def scan_piece(self, film: Film, piece: int, *, on_look: Callable[[Look], None]) -> _Looked:
        """Look at one of them; wall time by stage, and why it was stopped."""


_Load = Callable[[ScanSettings], _Scans]


@dataclass(frozen=True, slots=True)
class _Share:
    """A file to scan, or a piece of a film."""

    path: str
    film: bytes = b""
    piece: int = 0


@dataclass(frozen=True, slots=True)
class _Hashed:
    """Before the verdict: the file's SHA-256."""

    sha256: str


@dataclass(frozen=True, slots=True)
class _Parted:
    """Instead of a verdict: a film, and how many pieces it has.

    It is pickled, since the process in the middle only hands it on and need not load what it is made of.
    """

    film: bytes
    pieces: int


@dataclass(slots=True)
class _File:
    """What is known so far of a file that is looked at."""

    path: str
    looks: list[Look] = field(default_factory=list)
    sha256: str | None = None
    seconds: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys(STAGES, 0.0)))
    stopped: Reason | None = None
    ours: bool = False
    began: float = math.inf


def _load_networks(settings: ScanSettings) -> _Scans:
    from unmask.pipeline import load_scanner  # heavy, and only the child processes need it

    return load_scanner(settings)


def _load_scan(
    load: _Load, settings: ScanSettings, *, parting: bool
) -> Do[_Share, Verdict | _Parted | _Looked]:
    scanner = load(settings)

    def do(task: _Share, tell: Tell) -> Verdict | _Parted | _Looked:
        if task.film:
            return scanner.scan_piece(pickle.loads(task.film), task.piece, on_look=tell.part)

        def note(sha256: str) -> None:
            tell.part(_Hashed(sha256))

        listed = scanner.list_file(task.path, on_sha256=note)
        if parting and listed.film is not None and len(listed.film.pieces) > 1:
            return _Parted(pickle.dumps(listed.film), len(listed.film.pieces))
        return scanner.scan(task.path, listed=listed, on_look=tell.part)

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
        SettingsError: Workers must be closed in, and the system cannot do that.
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
    on_sha256: Callable[[int, str], None] = lambda index, sha256: None,
    on_look: Callable[[int, Look], None] = lambda index, look: None,
) -> Generator[tuple[int, Verdict]]:
    """As `scan_many`, but each verdict as soon as it is there, with the index of its path.

    Closing the iterator, or an exception such as KeyboardInterrupt in it, kills the workers at once.

    Args:
        paths: Videos and images.
        settings: As for one file.
        batch: Jobs and time limit.
        load: Makes the scanner in the child process; must be picklable.
        on_sha256: Told a file's SHA-256, with the index of its path, before anything interprets the file.
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
    shares = Shares(_Share(file.path) for file in files)

    def begin(item: tuple[int, _Share]) -> _Share:
        file = files[item[0]]
        file.began = min(file.began, time.monotonic())
        return item[1]

    def note(item: tuple[int, _Share], part: _Hashed | Look) -> None:
        if isinstance(part, _Hashed):
            files[item[0]].sha256 = part.sha256
            on_sha256(item[0], part.sha256)
        else:
            files[item[0]].looks.append(part)
            on_look(item[0], part)

    load_scan = partial(_load_scan, load, settings, parting=jobs > 1)
    crew = Processes(load_scan, jobs, batch.time_limit_seconds, limits_for(settings, batch.limits))
    found = run_crew(shares.take, crew, prepare=begin, on_part=note)
    with contextlib.closing(found):
        for (index, task), answer in found:
            file = files[index]
            if isinstance(answer, _Parted):
                pieces = range(answer.pieces)
                shares.part(index, [_Share(task.path, answer.film, piece) for piece in pieces])
            elif not isinstance(answer, Verdict):
                _end_part(file, answer)
                if file.stopped:
                    shares.drop(index)  # as one process would have stopped there
            if shares.end(index):
                yield index, answer if isinstance(answer, Verdict) else _join(file, settings, model)
                file.looks.clear()


def _end_part(file: _File, answer: Failure | _Looked) -> None:
    """Take note of how a share, or the file as a whole, ended."""
    if isinstance(answer, Failure):
        stopped: Reason | None = answer.reason
        file.ours = file.ours or (answer.ours and not file.stopped)
    else:
        seconds, stopped = answer
        file.seconds.update(seconds)
    file.stopped = file.stopped or stopped


def _join(file: _File, settings: ScanSettings, model: ModelName) -> Verdict:
    """The verdict by what was seen of a file."""
    seconds = {**file.seconds, "total": time.monotonic() - file.began}
    if any(look.evidence.times_seconds for look in file.looks):
        about = About(
            file.path, file.sha256, {name: round(s, 4) for name, s in seconds.items()}, file.stopped
        )
        return judge_seen(file.looks, about, settings)
    damage = next((look.damage for look in file.looks if look.damage), None)
    no_frame = because("no_frame") if damage is None else because("no_frame_damaged", damage=damage)
    reason = file.stopped or no_frame
    return unreadable(
        file.path, reason, model, sha256=file.sha256, damaged=damage is not None, ours=file.ours
    )


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
        return unreadable(
            about.path,
            about.stopped or because("no_frame"),
            first.model_name,
            sha256=about.sha256,
            ours=about.ours,
        )
    return conclude(looks, about, first, settings, beside=others)
