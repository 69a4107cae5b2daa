"""From a folder of videos to a complete submission within a time budget."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import math
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from unmask.config import BatchSettings, ScanSettings
from unmask.errors import DataError, SettingsError
from unmask.files import whole_file
from unmask.judge.calibration import from_log_odds
from unmask.judge.card import card_path, read_card
from unmask.lab.submit.journal import Finding, Journal
from unmask.lab.submit.pace import Pace
from unmask.lab.submit.wanted import HEADER, Wanted
from unmask.pipeline import Scanner, load_scanner
from unmask.verdicts import Outcome, Verdict
from unmask.work.each import Do, Failure, Tell, run_each
from unmask.work.processes import default_jobs

OUT_OF_TIME = "out_of_time"
LEAST_CLIP = 1e-6  # what six decimals can tell from 0
_MARGIN_SHARE, _MOST_MARGIN_SECONDS = 0.02, 60.0  # of the budget, for writing and whatever comes after


@dataclass(frozen=True, slots=True)
class SubmitSettings:
    """How a submission is made.

    Attributes:
        budget_seconds: Wall time for everything.
        fallback: Label of videos without a number, above 0 and below 1. Half of the competition's public test
            was fake, unlike its training set (84 %).
        clip: Labels are kept within ``clip`` and ``1 - clip``; None takes the card's.
    """

    budget_seconds: float = 9 * 3600.0
    fallback: float = 0.5
    clip: float | None = None

    def __post_init__(self) -> None:
        if not 0 < self.fallback < 1:
            raise SettingsError(f"fallback must be above 0 and below 1, got {self.fallback!r}")
        if self.clip is not None and not LEAST_CLIP <= self.clip < 0.5:
            raise SettingsError(f"clip must be {LEAST_CLIP:g} to below 0.5, got {self.clip!r}")


@dataclass(frozen=True, slots=True)
class Submission:
    """What came of it.

    Attributes:
        rows: In the file.
        outcomes: How many videos ended how; ``out_of_time`` for those that were not reached.
        frames: How many videos were given how many frames.
        reused: Answers that an earlier, stopped run had left.
        seconds: Wall time.
        clip: What labels were clipped to.
        fallback: Label of those without a number.
        errors: Why unmask itself failed, by name; these have the fallback too.
    """

    rows: int
    outcomes: dict[str, int]
    frames: dict[int, int]
    reused: int
    seconds: float
    clip: float
    fallback: float
    errors: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Attempt:
    """A video to scan, and by how many frames."""

    path: str
    frames: int


def make_submission(
    wanted: Sequence[Wanted],
    output: Path,
    scan: ScanSettings,
    submit: SubmitSettings | None = None,
    *,
    batch: BatchSettings | None = None,
    on_done: Callable[[], None] = lambda: None,
) -> Submission:
    """Score videos and write ``filename,label``, complete or not at all.

    Answers are kept in ``OUTPUT.partial`` as they come; the same call goes on from there after a stop, and
    tries those again on which unmask itself failed.

    Args:
        wanted: The rows.
        output: The file.
        scan: Model, detection; ``decode.frames`` is the most that a video gets.
        submit: Budget, fallback, clipping.
        batch: Jobs and time limit.
        on_done: Called after each video.

    Raises:
        DataError: The journal is of another model, or another run writes to it.
        ModelError: The model cannot be loaded.
        OSError: The output cannot be written.
    """
    submit, batch = submit or SubmitSettings(), batch or BatchSettings()
    started = time.monotonic()
    card = read_card(card_path(scan.model))
    digest = hashlib.sha256(repr(card.calibration).encode()).hexdigest()
    head = {"model": card.name, "weights": card.sha256[:12], "calibration": digest[:12]}
    clip = max(LEAST_CLIP, card.calibration.clip if submit.clip is None else submit.clip)
    with Journal(journal_path(output), head) as journal:
        known = journal.read(wanted)
        answers = {name: one for name, one in known.items() if one.outcome != Outcome.ERROR.value}
        reused = len(answers)
        for one in wanted:
            if not one.path:
                answers[one.name] = Finding(one.name, 0, "absent", None, "no such file", 0, 0.0)
            if one.name in answers:
                on_done()
        margin = min(_MARGIN_SHARE * submit.budget_seconds, _MOST_MARGIN_SECONDS)
        todo = [one for one in wanted if one.name not in answers]
        for answer in _scan(todo, scan, batch, started + submit.budget_seconds - margin):
            answers[answer.name] = answer
            journal.add(answer)
            on_done()
        labels = {
            one.name: _label(answers.get(one.name), fallback=submit.fallback, clip=clip) for one in wanted
        }
        write_submission(output, labels)
        outcomes = Counter(a.outcome if (a := answers.get(one.name)) else OUT_OF_TIME for one in wanted)
        if not (outcomes[OUT_OF_TIME] or outcomes[Outcome.ERROR]):
            journal.forget()
    return Submission(
        rows=len(labels),
        outcomes=dict(sorted(outcomes.items())),
        frames=dict(sorted(Counter(answer.frames for answer in answers.values()).items())),
        reused=reused,
        seconds=round(time.monotonic() - started, 2),
        clip=clip,
        fallback=submit.fallback,
        errors={one.name: one.reason for one in answers.values() if one.outcome == Outcome.ERROR.value},
    )


def journal_path(output: Path) -> Path:
    """Where the answers are kept until the submission is complete."""
    return output.with_name(f"{output.name}.partial")


def _scan(todo: Sequence[Wanted], scan: ScanSettings, batch: BatchSettings, ends: float) -> Iterator[Finding]:
    """Answers as they come, with as many frames as there is time for, until there is none."""
    jobs = min(batch.jobs or default_jobs(), max(1, len(todo)))
    pace = Pace(len(todo), jobs, scan.decode.frames, ends)
    given: dict[str, int] = {}

    def prepare(task: _Attempt) -> _Attempt:
        given[task.path] = pace.begin()
        return _Attempt(task.path, given[task.path])

    tasks = [_Attempt(one.path, scan.decode.frames) for one in todo]
    found = run_each(tasks, partial(_load, scan), batch, until=ends, prepare=prepare)
    with contextlib.closing(found):
        for place, verdict in found:
            one, frames = todo[place], given[todo[place].path]
            if isinstance(verdict, Failure):
                outcome = Outcome.ERROR if verdict.ours else Outcome.UNREADABLE
                reason = str(verdict.reason)
                yield Finding(one.name, one.size_bytes, outcome.value, None, reason, frames, 0.0)
                continue
            seconds = verdict.seconds
            by_frame = seconds["detect"] + seconds["score"]
            if verdict.outcome is not Outcome.UNREADABLE:
                pace.record(frames=frames, fixed_seconds=seconds["total"] - by_frame, frame_seconds=by_frame)
            yield Finding(
                one.name,
                one.size_bytes,
                verdict.outcome.value,
                # What verdicts say is bounded; a submission has a clip of its own.
                None if verdict.log_odds is None else round(from_log_odds(verdict.log_odds), 6),
                verdict.reason,
                frames,
                seconds["total"],
            )


def _load(settings: ScanSettings) -> Do[_Attempt, Verdict]:
    return partial(_scan_one, load_scanner(settings))


def _scan_one(scanner: Scanner, task: _Attempt, tell: Tell) -> Verdict:
    decode = replace(scanner.settings.decode, frames=task.frames)
    chosen = replace(scanner, settings=replace(scanner.settings, decode=decode))
    # People and frames would only be sent to the parent to be thrown away there.
    return replace(chosen.scan(task.path, on_sha256=tell.note), people=())


def _label(answer: Finding | None, *, fallback: float, clip: float) -> float:
    if answer is None or answer.p_fake is None:
        return fallback
    return min(max(answer.p_fake, clip), 1 - clip)


def write_submission(output: Path, labels: dict[str, float]) -> None:
    """Write a submission, read it back, and only then put it in its place.

    Args:
        output: The file.
        labels: Probability of a fake by file name, in order.

    Raises:
        DataError: What was written is no valid submission.
        OSError: It cannot be written.
    """
    with whole_file(output) as draft:
        with draft.open("w", newline="", encoding="utf-8", errors="surrogateescape") as file:
            rows = csv.writer(file, lineterminator="\n")
            rows.writerow(HEADER)
            rows.writerows((name, f"{label:.6f}") for name, label in labels.items())
        check_submission(draft, list(labels))


def check_submission(path: Path, names: Sequence[str]) -> None:
    """Hold a file against the competition's format.

    Args:
        path: The file.
        names: Exactly these, in any order, once each.

    Raises:
        DataError: The header is another, a row is missing, too much or twice, or a label is no probability.
    """
    with path.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
        head, *rows = list(csv.reader(file)) or [[]]
    if tuple(head) != HEADER:
        raise DataError(f"{path}: the header must be {','.join(HEADER)}, got {','.join(head)}")
    given = Counter(row[0] for row in rows if row)
    if given != Counter(names):
        wrong = sorted((given - Counter(names)) + (Counter(names) - given))
        raise DataError(f"{path}: each file must have one row, it is otherwise for {', '.join(wrong[:3])}")
    for row in rows:
        try:
            label = float(row[1])
        except (IndexError, ValueError):
            label = math.nan
        if len(row) != 2 or not 0 < label < 1:
            raise DataError(f"{path}: a label must be above 0 and below 1, got {','.join(row)!r}")
