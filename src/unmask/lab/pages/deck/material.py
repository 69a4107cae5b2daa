"""All that slides are made from, read and checked once; and which videos they want to show."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from unmask.errors import DataError, SettingsError
from unmask.lab.datasets.video_index import clip_of, read_index_file, usable
from unmask.lab.pages.deck.measured import (
    Evaluation,
    Judged,
    Timing,
    read_evaluation,
    read_labels,
    read_timing,
)
from unmask.lab.pages.deck.reading import MOST_BYTES, as_text, as_whole, read_lines
from unmask.lab.pages.deck.runs import Run, read_run
from unmask.lab.pages.deck.sources import DeckFiles
from unmask.lab.pages.deck.views import Views, Wanted
from unmask.lab.pages.mosaic import choose_originals

if TYPE_CHECKING:
    from pandas import DataFrame

MOST_FAKES, MOST_MISTAKES, MOST_CASES = 3, 3, 4
FOUND, NO_FACE, UNREADABLE, ERROR, LEFT_OUT = "done", "no_face", "unreadable", "error", "left_out"
_STATUSES = (FOUND, NO_FACE, UNREADABLE, ERROR, LEFT_OUT)


@dataclass(frozen=True, slots=True)
class Case:
    """What the search for faces came to in one video.

    Attributes:
        name: Of the video.
        status: ``done``, ``no_face``, ``unreadable``, ``error`` or ``left_out``.
        code: Of the reason why it is not done; empty when it is, or when nothing says.
        people: How many were found.
        path: What opens it; empty where nobody knows.
    """

    name: str
    status: str
    code: str
    people: int
    path: str


@dataclass(slots=True)
class Material:
    """What was given, read; None or empty for what was not.

    Attributes:
        frame: The index of videos.
        cases: What became of the search for faces, a video each.
        cases_by: Which command searched.
        runs: Training runs.
        evaluation: How good models are.
        labels: Of the submission.
        timing: How the submission was made.
        views: What could be seen of videos.
    """

    frame: DataFrame | None = None
    cases: list[Case] = field(default_factory=list)
    cases_by: str = ""
    runs: list[Run] = field(default_factory=list)
    evaluation: Evaluation | None = None
    labels: list[float] = field(default_factory=list)
    timing: Timing | None = None
    views: Views = field(default_factory=dict)


def read_material(sources: DeckFiles) -> Material:
    """Read all that was given.

    Raises:
        DataError: Something of it breaks a rule.
        MissingExtraError: An index is given and pandas is not installed.
    """
    found = Material()
    if sources.index is not None:
        found.frame = _read_index(sources.index)
    found.runs = [read_run(folder) for folder in sources.runs]
    if sources.evaluation is not None:
        found.evaluation = read_evaluation(sources.evaluation)
        found.cases = [_case(one) for one in found.evaluation.models[0].answers]
        found.cases_by = "unmask evaluate"
    if sources.extraction is not None:
        found.cases = _read_cases(sources.extraction, found.frame)
        found.cases_by = "unmask extract"
    if sources.submission is not None:
        found.labels = read_labels(sources.submission)
    if sources.timing is not None:
        found.timing = read_timing(sources.timing)
    if found.timing is not None and found.labels and found.timing.rows != len(found.labels):
        raise DataError(
            f"{sources.timing} must be of the same submission as {sources.submission}, which has "
            f"{len(found.labels)} rows, got {found.timing.rows} rows"
        )
    return found


def wanted_views(material: Material) -> list[Wanted]:
    """Which videos the slides want to show, and how."""
    wanted: list[Wanted] = []
    if material.frame is not None:
        rows = usable(material.frame)
        name = chosen_original(material.frame)
        if name is not None:
            shown = rows[(clip_of(rows) == name) & (rows.index != name)].sort_index()[:MOST_FAKES]
            some = rows[(rows.index == name) | rows.index.isin(shown.index)]
            wanted.append(Wanted("play", name, str(rows.loc[name, "path"]), some))
        first = name if name is not None else next(iter(map(str, rows.index)), None)
        if first is not None:
            wanted.append(Wanted("flow", first, str(rows.loc[first, "path"])))
    wanted += [Wanted("find", one.name, one.path) for one in chosen_cases(material.cases)]
    if material.evaluation is not None:
        reals, fakes = worst(material.evaluation.models[0].answers)
        wanted += [Wanted("strip", one.name, one.path) for one in (*reals, *fakes)]
    return wanted


def chosen_original(frame: DataFrame) -> str | None:
    """The real clip with most fakes; None where no fake has its original in the set."""
    return next(iter(map(str, choose_originals(frame, 1))), None)


def chosen_cases(cases: Sequence[Case]) -> list[Case]:
    """A video in which faces were found, and missed ones, each for another reason; all that can be opened."""
    known = [one for one in cases if one.path]
    missed: dict[str, Case] = {}
    for one in known:
        if one.status == NO_FACE:
            missed.setdefault(kind_of(one.code), one)
    found = [one for one in known if one.status == FOUND][: 1 if missed else 2]
    return [*found, *missed.values()][:MOST_CASES]


def worst(answers: Iterable[Judged]) -> tuple[list[Judged], list[Judged]]:
    """Reals that look most fake, and fakes that look most real."""
    known = [one for one in answers if one.p_fake is not None]
    reals = sorted((one for one in known if not one.fake), key=lambda one: -(one.p_fake or 0.0))
    fakes = sorted((one for one in known if one.fake), key=lambda one: one.p_fake or 0.0)
    return reals[:MOST_MISTAKES], fakes[:MOST_MISTAKES]


_KINDS = {
    "picture": "a picture of a face: poster, print, shirt",
    "worn": "a picture of a face: poster, print, shirt",
    "odd": "not built like a face, such as hands",
    "doubtful": "too unsure to be called a face",
    "small": "too small a face",
    "short_side": "too small a face",
    "seldom": "seen too briefly",
    "no_face": "no face found at all",
    "nobody_found": "no face found at all",
}
"""By the code of a reason, what a slide calls it."""


def kind_of(code: str) -> str:
    """Which kind of reason this is, in the words of a slide.

    >>> kind_of("small"), kind_of("unscored")
    ('too small a face', 'another reason')
    """
    return _KINDS.get(code, "another reason")


def _read_index(file: Path) -> DataFrame:
    if file.stat().st_size > MOST_BYTES:
        raise DataError(f"{file} may have {MOST_BYTES:,} bytes, has {file.stat().st_size:,}")
    return read_index_file(file)


def _case(answer: Judged) -> Case:
    status = answer.outcome.value if answer.p_fake is None else FOUND
    return Case(answer.name, status, answer.code if status != FOUND else "", 1, answer.path)


def _read_cases(folder: Path, frame: DataFrame | None) -> list[Case]:
    file = folder / "manifest.jsonl"
    paths = {} if frame is None else dict(zip(frame.index, frame["path"], strict=True))
    found = []
    for number, line in enumerate(read_lines(file), start=1):
        try:
            name = as_text(line.get("name"), "name")
            status = as_text(line.get("status"), "status")
            if status not in _STATUSES:
                raise SettingsError(f"status must be one of {', '.join(_STATUSES)}, got {status!r:.60}")
            code = as_text(line.get("reason_code", ""), "reason_code")
            people = as_whole(line.get("people"), "people")
        except SettingsError as error:
            raise DataError(f"{file}: line {number}: {error}") from error
        found.append(Case(name, status, code, people, str(paths.get(name) or "")))
    return found
