"""What unmask says of a file: outcome, people, when, and how sure.

Boxes and points are in pixels of the upright full-resolution frame, times are container seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from html import escape
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from unmask.errors import MissingExtraError
from unmask.quantities import SCHEMA, Box, Flag, Number, Points, Seconds, Sha256, Share, Whole
from unmask.reasons import Reason, shown_number
from unmask.shown import counted, html_table, short, visible

if TYPE_CHECKING:
    from pandas import DataFrame

_MOST_ROWS = 20  # of people, in a notebook
_COLUMNS = {
    "person": "int64",
    "kept": "bool",
    "shot": "Int64",
    "time_seconds": "float64",
    "x0": "float64",
    "y0": "float64",
    "x1": "float64",
    "y1": "float64",
    "confidence": "float64",
    "p_fake": "float64",
    "lightened": "bool",
}
"""Columns of `Verdict.to_frame` and their pandas types."""


class Outcome(StrEnum):
    """What unmask says about a file."""

    FAKE = "fake"
    REAL = "real"
    UNSURE = "unsure"
    NO_FACE = "no_face"
    UNREADABLE = "unreadable"
    ERROR = "error"  # of unmask or the machine; nothing is said of the file

    @property
    def has_number(self) -> bool:
        """Whether a probability goes with it; a failure is not a score."""
        return self in (Outcome.FAKE, Outcome.REAL, Outcome.UNSURE)

    @property
    def has_failed(self) -> bool:
        """Whether nothing was looked at, by the fault of the file or of unmask."""
        return self in (Outcome.UNREADABLE, Outcome.ERROR)


@dataclass(frozen=True, slots=True)
class PersonFrame:
    """One person in one sampled frame, as evidence.

    Attributes:
        time_seconds: Container time.
        box: ``x0 y0 x1 y1`` in frame pixels.
        points: Five ``(x, y)`` in frame pixels.
        confidence: The detector's, 0 to 1.
        p_fake: Calibrated probability for this frame alone; None where it was not scored.
        lightened: The face was found only in a lightened copy of a dark frame.
    """

    time_seconds: Seconds
    box: Box
    points: Points
    confidence: Share
    p_fake: Share | None
    lightened: Flag = False

    def __repr__(self) -> str:
        box = " ".join(f"{corner:.0f}" for corner in self.box)
        return f"<PersonFrame at {self.time_seconds:.2f} s: box {box}, {_p_fake(self.p_fake)}>"


@dataclass(frozen=True, slots=True)
class Appearance:
    """One person in one shot.

    Attributes:
        shot: Number of the shot, from 0.
        start_seconds: When the face is first seen.
        end_seconds: When it is last seen.
        p_fake: Calibrated probability from its own frames; None where it was not judged.
        frames: How many sampled frames show it.
    """

    shot: Whole
    start_seconds: Seconds
    end_seconds: Seconds
    p_fake: Share | None
    frames: Whole


@dataclass(frozen=True, slots=True)
class Sighting(Appearance):
    """One person in one shot, told while the video is read: who, when and where.

    Attributes:
        person: Who, as `Person.id` in the verdict on the whole video.
        seen: The face in each sampled frame that shows it, in order of time.
    """

    person: Whole
    seen: tuple[PersonFrame, ...]

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Where the face mostly is: ``x0 y0 x1 y1`` in frame pixels, each the median over ``seen``."""
        x0, y0, x1, y1 = (median(corner) for corner in zip(*(face.box for face in self.seen), strict=True))
        return x0, y0, x1, y1

    def __repr__(self) -> str:
        when = f"{self.start_seconds:.2f} to {self.end_seconds:.2f} s"
        box = " ".join(f"{corner:.0f}" for corner in self.box)
        return (
            f"<Sighting of person {self.person}, shot {self.shot}, {when}: box {box}, {_p_fake(self.p_fake)}>"
        )


@dataclass(frozen=True, slots=True)
class Shot:
    """What lies between two cuts.

    Attributes:
        start_seconds: Its first frame.
        end_seconds: Its end.
        frames: How many frames were sampled.
        people: How many people in it were judged.
        why_not: Why nobody in it was judged, in English, or None.
        unjudged: The same as data.
    """

    start_seconds: Seconds
    end_seconds: Seconds
    frames: Whole
    people: Whole
    why_not: str | None = None
    unjudged: Reason | None = None


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of time in which somebody is not clearly real, taken by itself.

    Attributes:
        person: Whose face, a `Person.id`.
        shot: In which shot.
        start_seconds: When it begins.
        end_seconds: When it ends.
        p_fake: Calibrated probability from its own frames, as if it were all there is.
        outcome: ``fake`` or ``unsure``, by itself.
    """

    person: Whole
    shot: Whole
    start_seconds: Seconds
    end_seconds: Seconds
    p_fake: Share
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Person:
    """One person in a verdict; dropped tracks are listed too, with the reason.

    Attributes:
        id: Number of the person in the file, from 0 in order of appearance; told from 1.
        p_fake: Calibrated probability from all of the person's frames, or None.
        kept: Whether the track counts as a person.
        why_dropped: Why it does not, in English, or None.
        frames: The evidence, in order of time.
        picture: It is a poster, a print or a painting of a face rather than a living one.
        appearances: The person shot by shot.
        dropped: Why it does not count, as data, or None.
        detail_px: Shorter side in pixels to which the face could be shrunk without losing detail, the median
            over frames; None where that was not measured.
        drawn: It looks drawn, painted or rendered rather than photographed.
    """

    id: Whole
    p_fake: Share | None
    kept: Flag
    why_dropped: str | None
    frames: tuple[PersonFrame, ...]
    picture: Flag = False
    appearances: tuple[Appearance, ...] = ()
    dropped: Reason | None = None
    detail_px: Number | None = None
    drawn: Flag = False

    @property
    def when(self) -> str:
        """From when to when it is seen, in seconds with two digits; empty where it has no frames."""
        times = [frame.time_seconds for frame in self.frames]
        return f"{times[0]:.2f} to {times[-1]:.2f} s" if times else ""

    def shot_at(self, time_seconds: float) -> int | None:
        """In which shot it is seen at this time, or None where it is not."""
        shown = (one for one in self.appearances if one.start_seconds <= time_seconds <= one.end_seconds)
        return next((one.shot for one in shown), None)

    def __repr__(self) -> str:
        said = _p_fake(self.p_fake) if self.kept else "dropped"
        return f"<Person {self.id}: {said}, {counted(len(self.frames), 'frame', 'frames')}, {self.when}>"


@dataclass(frozen=True, slots=True)
class ModelName:
    """Which weights judged: the card's name and the SHA-256 of the file."""

    name: str
    sha256: Sha256


@dataclass(frozen=True, slots=True)
class Stability:
    """What becomes of a verdict when the clip is made a little worse.

    Attributes:
        stable: Whether fake and real never both occur, the verdict itself included.
        outcomes: By distortion.
        p_fake: By distortion; None where there was no number.
    """

    stable: Flag
    outcomes: dict[str, Outcome]
    p_fake: dict[str, Share | None]


@dataclass(frozen=True, slots=True)
class Strength:
    """How much more probable what was seen is if a face was manipulated than if all are as recorded.

    Attributes:
        likelihood_ratio: Above 1 it speaks for manipulation (swapped, reenacted or generated), below 1 for
            faces as recorded. It says nothing of how common either is.
        low: Lower end of its 95 % interval, over the sources that the calibration was measured on.
        high: Upper end of it.
        base_rate: Share of manipulated files that ``p_fake`` assumes; with another share the odds of
            manipulation are the odds of that share times the ratio.
    """

    likelihood_ratio: Number
    low: Number
    high: Number
    base_rate: Share


def _plain(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return {key: value.value if isinstance(value, Outcome) else value for key, value in pairs}


def _p_fake(p_fake: float | None) -> str:
    return "no p_fake" if p_fake is None else f"p_fake {p_fake:.2f}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What unmask says about one file.

    Attributes:
        schema: Version of the form in which verdicts are stored, see `unmask.quantities.SCHEMA`.
        path: The file as it was given.
        sha256: Of the file's bytes; None when it could not be read at all.
        outcome: One of six; only three of them carry a number.
        p_fake: Calibrated probability that a face in it was manipulated, 0.01 to 0.99, or None; it takes into
            account how many faces were looked at. No calibration supports more, so 0.99 is the word for all
            that lies above, for people and frames too.
        reason: Why, as one sentence in English.
        damaged: The file showed damage; what could be decoded was judged.
        people: Everyone found, dropped tracks included.
        model: The weights that judged.
        unmask: Version of the package.
        seconds: Wall time by stage: decode, detect, score, total.
        stability: How it holds when the clip is made worse; None when that was not asked for.
        start_seconds: Container time at which looking began.
        end_seconds: Container time up to which the file was looked at.
        partial: It was stopped before the end.
        shots: In order of time; a picture is one shot of no length.
        segments: When somebody is not clearly real, most suspicious first.
        log_odds: Ranks files, also those that share a bound of ``p_fake``; its size proves nothing. None
            where there is no ``p_fake``.
        reasons: What ``reason`` says, as data: first what decides, then what else is to be known. Empty in
            verdicts that were stored before there was a ``schema``.
        strength: Of the evidence; None without ``p_fake`` and where the model's calibration was not measured
            on sources that were left out.
        looks: How many looks at a face ``p_fake`` takes into account: those that were judged, or those of
            the whole film where a stretch of it was examined. A look is one face, judged over up to ten
            seconds of one shot. 0 where nobody was judged, and in verdicts that were stored before schema
            1.1.
    """

    schema: str = field(default=SCHEMA, init=False)
    path: str
    sha256: Sha256 | None
    outcome: Outcome
    p_fake: Share | None
    reason: str
    damaged: Flag
    people: tuple[Person, ...]
    model: ModelName
    unmask: str
    seconds: dict[str, Seconds] = field(default_factory=dict)
    stability: Stability | None = None
    start_seconds: Seconds = 0.0
    end_seconds: Seconds = 0.0
    partial: Flag = False
    shots: tuple[Shot, ...] = ()
    segments: tuple[Segment, ...] = ()
    log_odds: Number | None = None
    reasons: tuple[Reason, ...] = ()
    strength: Strength | None = None
    looks: Whole = 0

    def __post_init__(self) -> None:
        if self.outcome.has_number != (self.p_fake is not None):
            raise ValueError(f"outcome {self.outcome} and p_fake {self.p_fake} do not go together")

    @property
    def is_still(self) -> bool:
        """Whether it is of a single picture."""
        return self.end_seconds == self.start_seconds

    def to_dict(self) -> dict[str, Any]:
        """The verdict as plain JSON types, keys in a fixed order."""
        from dataclasses import asdict

        return asdict(self, dict_factory=_plain)

    def to_frame(self) -> DataFrame:
        """One row a person and frame, dropped tracks included, as a pandas DataFrame.

        Returns:
            Columns ``person`` (`Person.id`), ``kept``, ``shot``, ``time_seconds``, ``x0 y0 x1 y1`` in frame
            pixels, ``confidence``, ``p_fake`` (NaN where a frame was not scored) and ``lightened``.

        Raises:
            MissingExtraError: pandas is not installed.
        """
        try:
            from pandas import DataFrame
        except ModuleNotFoundError as error:
            raise MissingExtraError("pandas", extra="data") from error
        rows = [
            (
                person.id,
                person.kept,
                person.shot_at(seen.time_seconds),
                seen.time_seconds,
                *seen.box,
                seen.confidence,
                seen.p_fake,
                seen.lightened,
            )
            for person in self.people
            for seen in person.frames
        ]
        return DataFrame(rows, columns=list(_COLUMNS)).astype(_COLUMNS)

    def __repr__(self) -> str:
        said = f"{self.outcome}, {_p_fake(self.p_fake)}" if self.outcome.has_number else self.outcome
        if self.outcome.has_failed:
            found = short(self.reason)
        else:
            people = counted(sum(person.kept for person in self.people), "person", "people")
            found = f"{people} in {counted(len(self.shots), 'shot', 'shots')}"
        return f"<Verdict {said}: {short(Path(self.path).name)}, {found}>"

    def _repr_html_(self) -> str:
        """For a notebook: outcome, file, reason and a table of people, numbered from 1 as in the reason."""
        said = "" if self.p_fake is None else f", {_p_fake(self.p_fake)}"
        name = escape(visible(Path(self.path).name))
        kept = [person for person in self.people if person.kept]
        rows = [
            (
                str(shown_number(person.id)),
                "" if person.p_fake is None else f"{person.p_fake:.2f}",
                str(len(person.frames)),
                person.when,
            )
            for person in kept[:_MOST_ROWS]
        ]
        table = html_table(("person", "p_fake", "frames", "seen"), rows) if rows else ""
        more = len(kept) - len(rows)
        rest = f"<p>and {counted(more, 'more person', 'more people')}</p>" if more else ""
        reason = escape(visible(self.reason))
        return f"<div><p><b>{self.outcome}</b>{said}: <bdi>{name}</bdi></p><p>{reason}</p>{table}{rest}</div>"
