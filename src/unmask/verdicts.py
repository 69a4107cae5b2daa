"""What unmask says of a file: outcome, people, when, and how sure.

Boxes and points are in pixels of the upright full-resolution frame, times are container seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Outcome(StrEnum):
    """What unmask says about a file."""

    FAKE = "fake"
    REAL = "real"
    UNSURE = "unsure"
    NO_FACE = "no_face"
    UNREADABLE = "unreadable"

    @property
    def has_number(self) -> bool:
        """Whether a probability goes with it; a failure is not a score."""
        return self in (Outcome.FAKE, Outcome.REAL, Outcome.UNSURE)


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

    time_seconds: float
    box: tuple[float, ...]
    points: tuple[tuple[float, ...], ...]
    confidence: float
    p_fake: float | None
    lightened: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    """One person in a verdict; dropped tracks are listed too, with the reason.

    A ``picture`` is a poster, a print or a painting of a face rather than a living one.
    """

    id: int
    p_fake: float | None
    kept: bool
    why_dropped: str | None
    frames: tuple[PersonFrame, ...]
    picture: bool = False


@dataclass(frozen=True, slots=True)
class ModelName:
    """Which weights judged: the card's name and the SHA-256 of the file."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Stability:
    """What becomes of a verdict when the clip is made a little worse.

    Attributes:
        stable: Whether fake and real never both occur, the verdict itself included.
        outcomes: By distortion.
        p_fake: By distortion; None where there was no number.
    """

    stable: bool
    outcomes: dict[str, Outcome]
    p_fake: dict[str, float | None]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What unmask says about one file.

    Attributes:
        path: The file as it was given.
        sha256: Of the file's bytes; None when it could not be read at all.
        outcome: One of five; only three of them carry a number.
        p_fake: Calibrated probability that a face in it was manipulated, 0 to 1, or None.
        reason: One sentence.
        damaged: The file showed damage; what could be decoded was judged.
        people: Everyone found, dropped tracks included.
        model: The weights that judged.
        unmask: Version of the package.
        seconds: Wall time by stage: decode, detect, score, total.
        stability: How it holds when the clip is made worse; None when that was not asked for.
    """

    path: str
    sha256: str | None
    outcome: Outcome
    p_fake: float | None
    reason: str
    damaged: bool
    people: tuple[Person, ...]
    model: ModelName
    unmask: str
    seconds: dict[str, float] = field(default_factory=dict)
    stability: Stability | None = None

    def __post_init__(self) -> None:
        if self.outcome.has_number != (self.p_fake is not None):
            raise ValueError(f"outcome {self.outcome} and p_fake {self.p_fake} do not go together")

    def to_dict(self) -> dict[str, Any]:
        """The verdict as plain JSON types, keys in a fixed order."""
        from dataclasses import asdict

        return asdict(self) | {"outcome": self.outcome.value}
