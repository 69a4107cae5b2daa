"""Faces of one person in one framing across jump cuts: one look, however often the talk was cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from unmask.judge.calibration import Calibration
from unmask.types import Track
from unmask.verdicts import Person


@dataclass(frozen=True, slots=True)
class FaceInLook:
    """One face in one stretch, judged as if it were all there is.

    Those of one ``view`` show the same person in the same framing across jump cuts, and are one look.
    """

    look: int
    track: Track
    person: Person
    logits: tuple[float, ...]
    view: int


def by_view(parts: Sequence[FaceInLook]) -> list[list[FaceInLook]]:
    """Faces by view, in order of appearance."""
    views: dict[int, list[FaceInLook]] = {}
    for part in parts:
        views.setdefault(part.view, []).append(part)
    return list(views.values())


def face_of(view: Sequence[FaceInLook], calibration: Calibration) -> Person:
    """All of a view as one face."""
    if len(view) == 1:
        return view[0].person
    logits = [logit for part in view for logit in part.logits]
    return replace(
        view[0].person,
        p_fake=calibration.probability(float(np.mean(logits))) if logits else None,
        frames=tuple(frame for part in view for frame in part.person.frames),
        drawn=any(part.person.drawn for part in view),
    )
