"""What a worker process does: load the networks once, then scan files and tell how it goes."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from unmask.config import ScanSettings
from unmask.errors import MediaError
from unmask.verdicts import Verdict
from unmask.web.queue import Closer
from unmask.work.pool import Do, Tell

if TYPE_CHECKING:
    from unmask.pipeline import Scanner
    from unmask.video import Film

GLANCE_SECONDS, GLANCE_FRAMES = 0.5, 2
LONG_SECONDS = 1800.0
"""Of a longer video no faces are shown before its report: reading it again would take too long."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Work of a kind begins: ``decode``, ``detect`` or ``score``."""

    name: str


@dataclass(frozen=True, slots=True)
class Glance:
    """What the first frames show, long before the verdict, and no verdict.

    Attributes:
        faces: How many people were found.
        p_fake: Of the most suspicious of them, from these frames alone; None without a face.
        end_seconds: Up to where was looked.
    """

    faces: int
    p_fake: float | None
    end_seconds: float


@dataclass(frozen=True, slots=True)
class Portraits:
    """Pictures of people, once all is judged.

    Attributes:
        jpegs: By `Person.id`, most suspicious first.
        brightness: Mean level of the frames that they are from, 0 to 255; None without any.
    """

    jpegs: dict[int, bytes]
    brightness: float | None = None


def load_scans(settings: ScanSettings) -> Do[str | Closer, Verdict]:
    """Load the networks; gives the function that scans a path and tells stages, glance and looks.

    Args:
        settings: As for one file.

    Raises:
        ModelError: The networks cannot be loaded.
    """
    from unmask.pipeline import load_scanner  # heavy, and only the child processes need it

    usual = load_scanner(settings)

    def scan(task: str | Closer, tell: Tell) -> Verdict:
        if isinstance(task, Closer):
            path, scanner = task.path, replace(usual, settings=task.settings)
        else:
            path, scanner = task, usual
        listed = scanner.list_file(path, on_sha256=tell.note, on_stage=lambda name: tell.part(Stage(name)))
        first = None if listed.film is None else glance(scanner, listed.film)
        if first is not None:
            tell.part(first)
        verdict = scanner.scan(path, listed=listed, on_look=tell.part)
        if listed.film is not None and verdict.people:
            tell.part(portraits(verdict, listed.film.under(scanner.settings.decode)))
        return verdict

    return scan


def portraits(verdict: Verdict, film: Film) -> Portraits:
    """Pictures of the people of a verdict; none of a long video, and none that cannot be read again."""
    from unmask.report.portraits import read_portraits

    if verdict.end_seconds - verdict.start_seconds > LONG_SECONDS:
        return Portraits({})
    with contextlib.suppress(MediaError, OSError):
        return Portraits(*read_portraits(verdict, film))
    return Portraits({})


def glance(scanner: Scanner, film: Film) -> Glance | None:
    """Look at the first frames only; None where that shows nothing, as the scan will say why."""
    from unmask.judge.footage import judge_footage

    decode = scanner.settings.decode
    end = decode.start_seconds + GLANCE_SECONDS
    few = replace(decode, frames=GLANCE_FRAMES, end_seconds=min(end, decode.end_seconds or end))
    quick = replace(
        scanner, others=(), embedder=None, settings=replace(scanner.settings, stability=False, decode=few)
    )
    looks = []
    with contextlib.suppress(MediaError, OSError):
        looks = [look for look, _ in zip(quick.watch(film), range(1), strict=False)]
    if not looks or not looks[0].evidence.times_seconds:
        return None
    card = scanner.model.card
    people = judge_footage(looks, card.calibration, card.thresholds, quick.settings).people
    judged = [person.p_fake for person in people if person.p_fake is not None]
    return Glance(len(judged), max(judged, default=None), looks[0].end_seconds)
