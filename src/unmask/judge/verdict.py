"""From logits to a verdict: calibrate, combine frames and people, abstain.

Pure functions; the numbers they use (calibration, thresholds) come from the card of the model.
A failure is not a score: `no_face` and `unreadable` never carry a number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from unmask.config import JudgeSettings
from unmask.judge.calibration import Calibration, Thresholds
from unmask.judge.reasons import why_nobody, why_so
from unmask.types import Face, Track
from unmask.verdicts import ModelName, Outcome, Person, PersonFrame, Verdict
from unmask.version import __version__

PERSON_RULES = ("mean",)
"""How the logits of a person's frames become one: their arithmetic mean."""
STAGES = ("decode", "detect", "score", "total")
"""Keys of `Verdict.seconds`; ``detect`` includes linking faces and cutting crops."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was found in a clip, before anybody judges it; calibration and thresholds can still be chosen.

    Attributes:
        times_seconds: Of all sampled frames.
        tracks: Everyone found, dropped tracks included.
        logits: By id of the track and index of the frame in the clip.
        dark: The frames are so dark that faces may have been missed.
    """

    times_seconds: tuple[float, ...]
    tracks: tuple[Track, ...]
    logits: Mapping[int, Mapping[int, float]]
    dark: bool = False


@dataclass(frozen=True, slots=True)
class Ruling:
    """What is said of a file, without the file: outcome, number and one sentence."""

    outcome: Outcome
    p_fake: float | None
    reason: str


def judge_person(
    track: Track, times_seconds: Sequence[float], logits: Mapping[int, float], scale: Calibration
) -> Person:
    """Combine one person's frames into one probability.

    Args:
        track: The person; a dropped track keeps its reason and gets no number.
        times_seconds: Of all frames of the clip.
        logits: By index of the frame in the clip; frames without one are shown but not counted.
        scale: The model's calibration.

    Raises:
        ValueError: A logit is not finite.
    """
    frames = tuple(
        _evidence(face, times_seconds[index], logits.get(index), scale)
        for index, face in zip(track.frame_indices, track.faces, strict=True)
    )
    if not track.kept:
        return Person(track.id, None, False, track.why_dropped, frames, track.picture)
    values = np.array([logits[index] for index in track.frame_indices if index in logits], np.float64)
    if not np.isfinite(values).all():
        raise ValueError(f"logits must be finite, got {values} for person {track.id}")
    if not len(values):
        return Person(track.id, None, False, "none of its frames could be scored", frames)
    return Person(track.id, scale.probability(float(values.mean())), True, None, frames, track.picture)


def weigh(
    evidence: Evidence, scale: Calibration, thresholds: Thresholds, settings: JudgeSettings
) -> tuple[tuple[Person, ...], Ruling]:
    """The people of a clip with their probabilities, and what that says of the clip."""
    times = evidence.times_seconds
    people = tuple(
        judge_person(track, times, evidence.logits.get(track.id, {}), scale) for track in evidence.tracks
    )
    return people, rule(people, thresholds, settings, sampled_frames=len(times), dark=evidence.dark)


def too_little(person: Person, settings: JudgeSettings, *, sampled_frames: int) -> str | None:
    """Why a person gives too little evidence for a verdict, as a clause, or None.

    A person must be in `min_frames` frames (in all, where the clip has fewer: a still picture can be
    judged) and the median over frames of the box's shorter side must reach `min_face_px`.
    """
    seen = len(person.frames)
    if seen < min(settings.min_frames, sampled_frames):
        return f"was seen in only {seen} of {sampled_frames} frames"
    sides = [min(f.box[2] - f.box[0], f.box[3] - f.box[1]) for f in person.frames]
    side = float(np.median(sides))
    if side < settings.min_face_px:
        return f"has a face of only {side:.0f} pixels"
    return None


def rule(
    people: Sequence[Person],
    thresholds: Thresholds,
    settings: JudgeSettings,
    *,
    sampled_frames: int,
    dark: bool = False,
) -> Ruling:
    """The verdict on a clip: as fake as its most suspicious credible person.

    A person who gives too little evidence cannot make a clip fake or real; one who would make it fake,
    while nobody credible does, makes it unsure.

    Args:
        people: Everyone found, dropped tracks included.
        thresholds: Where probabilities become words.
        settings: What counts as enough evidence.
        sampled_frames: Frames that were looked at, 0 or more.
        dark: Whether they are so dark that this is the likely reason when nobody was found.
    """
    kept = sorted((p for p in people if p.p_fake is not None), key=_p_fake, reverse=True)
    if not kept:
        likely = "; the likely reason is that the picture is dark" if dark else ""
        return Ruling(Outcome.NO_FACE, None, why_nobody(people, sampled_frames) + likely)
    thin = {p.id: too_little(p, settings, sampled_frames=sampled_frames) for p in kept}
    solid = [p for p in kept if thin[p.id] is None]
    top = kept[0]
    if not solid or (thin[top.id] and _p_fake(solid[0]) < thresholds.fake_at_least <= _p_fake(top)):
        return Ruling(Outcome.UNSURE, top.p_fake, f"too little to judge by: person {top.id} {thin[top.id]}")
    top = solid[0]
    outcome = thresholds.outcome(_p_fake(top))
    why = why_so(top, outcome, thresholds, people=len(kept))
    return Ruling(outcome, top.p_fake, f"{why}; the face is a still picture" if top.picture else why)


def unreadable(
    path: str | Path, reason: str, model: ModelName, *, sha256: str | None = None, damaged: bool = False
) -> Verdict:
    """The verdict on a file that could not be judged; it carries no number.

    Args:
        path: The file as it was given.
        reason: One sentence.
        model: The weights that would have judged.
        sha256: Of the file, where it could be read.
        damaged: The file is broken, rather than missing or not allowed.
    """
    return Verdict(
        path=str(path),
        sha256=sha256,
        outcome=Outcome.UNREADABLE,
        p_fake=None,
        reason=reason,
        damaged=damaged,
        people=(),
        model=model,
        unmask=__version__,
        seconds=dict.fromkeys(STAGES, 0.0),
    )


def _evidence(face: Face, time_seconds: float, logit: float | None, scale: Calibration) -> PersonFrame:
    return PersonFrame(
        time_seconds=round(float(time_seconds), 6),
        box=tuple(round(float(v), 2) for v in face.box),
        points=tuple((round(float(x), 2), round(float(y), 2)) for x, y in face.points),
        confidence=round(float(face.confidence), 4),
        p_fake=None if logit is None else scale.probability(logit),
        lightened=face.lightened,
    )


def _p_fake(person: Person) -> float:
    return -1.0 if person.p_fake is None else person.p_fake
