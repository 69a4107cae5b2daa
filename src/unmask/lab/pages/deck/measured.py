"""What ``unmask evaluate`` and ``unmask submit`` wrote, read back and checked."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from unmask.errors import DataError, SettingsError
from unmask.lab.evaluate.metrics import Scored
from unmask.lab.pages.deck.reading import as_number, as_text, as_whole, read_object, read_table
from unmask.lab.submit.wanted import HEADER
from unmask.verdicts import Outcome

_COLUMNS = ("model", "name", "label", "original", "outcome", "p_fake", "reason", "path")


@dataclass(frozen=True, slots=True)
class MeasuredValue:
    """A measured value.

    Attributes:
        value: None where it cannot be had.
        low: Lower end of the 95 % interval, or None.
        high: Upper end, or None.
    """

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Judged:
    """What a model said of one clip.

    Attributes:
        name: Of the clip.
        fake: Whether it is labelled fake.
        original: Which real clip it goes back to.
        outcome: Of the scan.
        p_fake: Probability, or None where there is no number.
        reason: One sentence.
        path: What opens the clip.
        code: Of the reason; empty in tables of versions that did not write it.
    """

    name: str
    fake: bool
    original: str
    outcome: Outcome
    p_fake: float | None
    reason: str
    path: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class Measured:
    """One model on a set of clips.

    Attributes:
        name: It is measured under.
        sha256: Of its weights; empty where nothing says.
        fake_at_least: Threshold from which on it calls a clip fake.
        figures: Per video, by the names in ``metrics.json``.
        answers: One a clip.
    """

    name: str
    sha256: str
    fake_at_least: float
    figures: dict[str, MeasuredValue]
    answers: tuple[Judged, ...]

    def scored(self) -> Scored | None:
        """The clips with a number; None unless both classes are among them."""
        rows = [one for one in self.answers if one.p_fake is not None]
        try:
            return Scored(
                np.array([one.fake for one in rows], bool),
                np.array([one.p_fake for one in rows], float),
                np.array([one.original for one in rows], str),
            )
        except DataError:
            return None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """An evaluation.

    Attributes:
        name: Of the set.
        originals: How many real clips everything goes back to.
        models: In the order they were given.
    """

    name: str
    originals: int
    models: tuple[Measured, ...]


def read_evaluation(folder: Path) -> Evaluation:
    """Read ``metrics.json`` and ``scores.csv``.

    Raises:
        DataError: One of them is missing or breaks a rule.
    """
    file = folder / "metrics.json"
    summary = read_object(file)
    answers = _read_answers(folder / "scores.csv")
    try:
        models = summary.get("models")
        if not isinstance(models, dict) or not models:
            raise SettingsError(f"models must be an object with one model or more, got {models!r:.60}")
        if models.keys() != answers.keys():
            raise SettingsError(
                f"models must be those of scores.csv, got {', '.join(models)} and {', '.join(answers)}"
            )
        return Evaluation(
            as_text(summary.get("set"), "set"),
            as_whole(summary.get("originals"), "originals"),
            tuple(_measured(name, one, answers[name]) for name, one in models.items()),
        )
    except SettingsError as error:
        raise DataError(f"{file}: {error}") from error


def _measured(name: str, plain: Any, answers: list[Judged]) -> Measured:
    if not isinstance(plain, dict):
        raise SettingsError(f"{name} must be an object, got {type(plain).__name__}")
    video = plain.get("video") or {}
    if not isinstance(video, dict):
        raise SettingsError(f"video of {name} must be an object, got {type(video).__name__}")
    figures = {
        key: MeasuredValue(*(None if one.get(end) is None else as_number(one[end], key) for end in _ENDS))
        for key, one in video.items()
        if isinstance(one, dict)
    }
    threshold = as_number(plain.get("fake_at_least"), f"fake_at_least of {name}")
    sha256 = plain.get("sha256")
    return Measured(name, sha256 if isinstance(sha256, str) else "", threshold, figures, tuple(answers))


_ENDS = ("value", "low", "high")


def _read_answers(file: Path) -> dict[str, list[Judged]]:
    found: dict[str, list[Judged]] = {}
    for number, row in enumerate(read_table(file, _COLUMNS), start=2):
        if row["label"] not in ("REAL", "FAKE"):
            raise DataError(f"{file}: row {number}: label must be REAL or FAKE, got {row['label']!r:.60}")
        try:
            outcome = Outcome(row["outcome"])
        except ValueError as error:
            known = ", ".join(one.value for one in Outcome)
            raise DataError(
                f"{file}: row {number}: outcome must be one of {known}, got {row['outcome']!r:.60}"
            ) from error
        p_fake = probability(row["p_fake"], f"{file}: row {number}: p_fake") if row["p_fake"] else None
        if (p_fake is None) == outcome.has_number:
            raise DataError(
                f"{file}: row {number}: p_fake must be there for fake, real and unsure, and for them only, "
                f"got {row['p_fake']!r:.60} with {outcome.value}"
            )
        found.setdefault(row["model"], []).append(
            Judged(
                row["name"],
                row["label"] == "FAKE",
                row["original"],
                outcome,
                p_fake,
                row["reason"],
                row["path"],
                row.get("reason_code") or "",
            )
        )
    return found


def probability(text: str, name: str) -> float:
    """A number from 0 to 1.

    Raises:
        DataError: It is none.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1:
        raise DataError(f"{name} must be a number from 0 to 1, got {text!r:.60}")
    return value


@dataclass(frozen=True, slots=True)
class Timing:
    """What ``unmask submit --json`` printed.

    Attributes:
        rows: Of the submission.
        outcomes: How many videos ended how.
        frames: How many videos were given how many frames.
        seconds: Wall time.
        fallback: Label of those without a number.
    """

    rows: int
    outcomes: Counter[str]
    frames: Counter[int]
    seconds: float
    fallback: float


def read_labels(file: Path) -> list[float]:
    """The labels of a submission, from 0 (real) to 1 (fake).

    Raises:
        DataError: It is no submission, or empty.
    """
    rows = read_table(file, HEADER)
    if not rows:
        raise DataError(f"{file} must have a row for each video, has none")
    return [probability(row["label"], f"{file}: row {n}: label") for n, row in enumerate(rows, start=2)]


def read_timing(file: Path) -> Timing:
    """How a submission was made.

    Raises:
        DataError: It is not what ``unmask submit --json`` prints.
    """
    plain = read_object(file)
    try:
        outcomes, frames = plain.get("outcomes"), plain.get("frames")
        if not isinstance(outcomes, dict) or not isinstance(frames, dict):
            raise SettingsError("outcomes and frames must be objects, as unmask submit --json prints them")
        seconds = as_number(plain.get("seconds"), "seconds")
        if seconds < 0:
            raise SettingsError(f"seconds must be 0 or more, got {seconds}")
        return Timing(
            as_whole(plain.get("rows"), "rows"),
            Counter({name: as_whole(count, name) for name, count in outcomes.items()}),
            Counter({_whole(number): as_whole(count, number) for number, count in frames.items()}),
            seconds,
            as_number(plain.get("fallback"), "fallback"),
        )
    except SettingsError as error:
        raise DataError(f"{file}: {error}") from error


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise SettingsError(f"frames must be by whole numbers, got {text!r:.60}")
    return int(text)
