"""What reading the file again gave: pictures as JPEG and MP4 made here, and facts; plain data, to be sent."""

from __future__ import annotations

from dataclasses import dataclass, field

from unmask.judge.heat_trials import HeatTrial
from unmask.reasons import Reason
from unmask.video.facts import Facts


@dataclass(frozen=True, slots=True)
class Step:
    """What is being done for a report.

    Attributes:
        name: ``pictures`` while the file is read, ``heat`` while heat maps are tried out.
        share: How much of it is done, 0 to 1.
    """

    name: str
    share: float


@dataclass(frozen=True, slots=True)
class Strip:
    """A face in one frame.

    Attributes:
        time_seconds: Container time.
        p_fake: Of this frame alone.
        jpeg: The face and what is around it.
    """

    time_seconds: float
    p_fake: float
    jpeg: bytes


@dataclass(frozen=True, slots=True)
class Glimpse:
    """A picture that stands for a part of the film.

    Attributes:
        person: Who is seen.
        time_seconds: Container time.
        p_fake: Of the look that it is from.
        jpeg: The face, or the whole frame with boxes.
    """

    person: int
    time_seconds: float
    p_fake: float
    jpeg: bytes


@dataclass(frozen=True, slots=True)
class Heat:
    """Where on one face the score comes from, tried out by covering parts of it.

    Attributes:
        time_seconds: Container time.
        plain: JPEG of the crop as the model saw it.
        heat: JPEG of the same with what drove the score upwards coloured and the marked place outlined.
        p_fake: Of this crop.
        odds_covered: The odds with the marked place covered, as a share of those without; below 1 where the
            face then looks less manipulated.
        odds_elsewhere: The same as median over other places of this size.
    """

    time_seconds: float
    plain: bytes
    heat: bytes
    p_fake: float
    odds_covered: float
    odds_elsewhere: float


@dataclass(frozen=True, slots=True)
class Pictures:
    """Pictures of one person.

    Attributes:
        person: Its number.
        most: Most suspicious frames first.
        least: Least suspicious first.
        heats: Of the most suspicious ones.
    """

    person: int
    most: tuple[Strip, ...] = ()
    least: tuple[Strip, ...] = ()
    heats: tuple[Heat, ...] = ()


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a C2PA manifest in the file says; a side note, never a score.

    Whether the file is as it was signed, and whether the signer is one of those that a list names, are two
    things: anybody can make a certificate and sign with it.

    Attributes:
        state: ``absent``, ``not_installed``, ``unreadable``, or the validation state that the library gives.
        generator: Program that signed it.
        issuer: Who issued the certificate.
        actions: What was done, as the manifest says.
        intact: Whether all that was signed is as it was; None without a manifest that can be read.
        listed: Whether the signer's certificate leads to one on the list; None without such a manifest.
        trust_list: Name of that list.
        problems: Codes of what does not hold, as the C2PA's specification has them.
    """

    state: str
    generator: str = ""
    issuer: str = ""
    actions: tuple[str, ...] = ()
    intact: bool | None = None
    listed: bool | None = None
    trust_list: str = ""
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything that reading the file again gave.

    Attributes:
        facts: None where the file could not be read.
        credentials: None where nobody looked.
        preview: MP4 with boxes, or None.
        preview_why_not: ``too_large`` or ``too_long`` where a preview was tried and is not there.
        still: JPEG of the frame that says most, with boxes.
        people: Pictures of those who are shown.
        along: The most suspicious face in each part of the film, in order of time.
        stretches: A frame of each of the first stretches; None where it could not be read.
        brightness: Mean level of the frames looked at, 0 to 255; None without any.
        brightened: Whether dark pictures were made brighter for the eye.
        heat_why_not: Key of the message that says why there is no heat map; empty otherwise.
        heat_trial: How the maps of this model did where that was measured, or None.
        problem: Key of the message that says why there are no pictures; empty otherwise.
        detail: What went wrong, or None.
    """

    facts: Facts | None = None
    credentials: Credentials | None = None
    preview: bytes | None = None
    preview_why_not: str = ""
    still: bytes | None = None
    people: tuple[Pictures, ...] = field(default_factory=tuple)
    along: tuple[Glimpse, ...] = ()
    stretches: tuple[Glimpse | None, ...] = ()
    brightness: float | None = None
    brightened: bool = False
    heat_why_not: str = ""
    heat_trial: HeatTrial | None = None
    problem: str = ""
    detail: Reason | None = None

    @property
    def is_looked_at(self) -> bool:
        """Whether light and compression are known, so that it can be said that nothing stands in the way."""
        return self.brightness is not None and self.facts is not None
