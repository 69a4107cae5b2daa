"""From logits to a verdict: calibrate, combine frames and people, abstain.

Pure functions; the numbers they use (calibration, thresholds) come from the card of the model.
A failure is not a score: `no_face`, `unreadable` and `error` never carry a number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from unmask.config import JudgeSettings
from unmask.judge.calibration import Calibration, Thresholds, bounded
from unmask.judge.reasons import why_among, why_nobody, why_so
from unmask.quantities import told_time
from unmask.reasons import Reason, because, shown_number
from unmask.types import Face, Track
from unmask.verdicts import ModelName, Outcome, Person, PersonFrame, Verdict
from unmask.version import __version__

PERSON_RULES = ("mean",)
"""How the logits of a person's frames become one: their arithmetic mean."""
STAGES = ("decode", "detect", "score", "total")
"""Keys of `Verdict.seconds`; ``detect`` includes linking faces and cutting crops."""
CALIBRATED_PEOPLE = 2
"""Up to here the most suspicious one decides, as in the clips on which calibrations are fitted."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was found in a clip, before anybody judges it; calibration and thresholds can still be chosen.

    Attributes:
        times_seconds: Of all sampled frames.
        tracks: Everyone found, dropped tracks included.
        logits: By id of the track and index of the frame in the clip.
        dark: The frames are so dark that faces may have been missed.
        detail_px: By id of the track, the median over the frames that were scored; empty when not measured.
        drawn: Ids of the tracks that look drawn, painted or rendered.
    """

    times_seconds: tuple[float, ...]
    tracks: tuple[Track, ...]
    logits: Mapping[int, Mapping[int, float]]
    dark: bool = False
    detail_px: Mapping[int, float] = field(default_factory=dict)
    drawn: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Ruling:
    """What is said of a file, without the file.

    Attributes:
        outcome: One of six.
        p_fake: Not yet bounded.
        reasons: Why.
        looks: How many looks at a face the number takes into account.
    """

    outcome: Outcome
    p_fake: float | None
    reasons: tuple[Reason, ...]
    looks: int = 0


def judge_person(
    track: Track,
    times_seconds: Sequence[float],
    logits: Mapping[int, float],
    calibration: Calibration,
    *,
    detail_px: float | None = None,
    drawn: bool = False,
) -> Person:
    """Combine one person's frames into one probability.

    Args:
        track: The person; a dropped track keeps its reason and gets no number.
        times_seconds: Of all frames of the clip.
        logits: By index of the frame in the clip; frames without one are shown but not counted.
        calibration: Of the model.
        detail_px: Of the face, where it was measured.
        drawn: Whether it looks drawn, painted or rendered.

    Raises:
        ValueError: A logit is not finite.
    """
    frames = tuple(
        _evidence(face, times_seconds[index], logits.get(index), calibration)
        for index, face in zip(track.frame_indices, track.faces, strict=True)
    )
    if not track.kept:
        return _dropped(track, track.dropped, frames)
    values = np.array([logits[index] for index in track.frame_indices if index in logits], np.float64)
    if not np.isfinite(values).all():
        raise ValueError(f"logits must be finite, got {values} for person {shown_number(track.id)}")
    if not len(values):
        return _dropped(track, because("unscored"), frames)
    p_fake = calibration.probability(float(values.mean()))
    return Person(track.id, p_fake, True, None, frames, track.picture, detail_px=detail_px, drawn=drawn)


def judge_track(track: Track, evidence: Evidence, calibration: Calibration) -> Person:
    """One person of a clip, by what was found in it; raises as `judge_person`."""
    return judge_person(
        track,
        evidence.times_seconds,
        evidence.logits.get(track.id, {}),
        calibration,
        detail_px=evidence.detail_px.get(track.id),
        drawn=track.id in evidence.drawn,
    )


def weigh(
    evidence: Evidence, calibration: Calibration, thresholds: Thresholds, settings: JudgeSettings
) -> tuple[tuple[Person, ...], Ruling]:
    """The people of a clip with their probabilities, and what that says of the clip."""
    times = evidence.times_seconds
    people = tuple(judge_track(track, evidence, calibration) for track in evidence.tracks)
    thin = [too_little(person, settings, sampled_frames=len(times)) for person in people]
    return people, rule(
        people, calibration, thresholds, thin=thin, sampled_frames=len(times), dark=evidence.dark
    )


def too_little(person: Person, settings: JudgeSettings, *, sampled_frames: int) -> Reason | None:
    """Why a person gives too little evidence for a verdict, or None.

    A person must be in `min_frames` frames (in all, where the clip has fewer: a still picture can be
    judged), the median over frames of the box's shorter side must reach `min_face_px`, and the detail that
    is in it `min_detail_px`. A face that looks drawn says nothing of manipulation, however large.
    """
    seen = len(person.frames)
    if seen < min(settings.min_frames, sampled_frames):
        return because("few_frames", seen=seen, frames=sampled_frames)
    sides = [min(f.box[2] - f.box[0], f.box[3] - f.box[1]) for f in person.frames]
    side = float(np.median(sides))
    if side < settings.min_face_px:
        return because("small_face", px=round(side, 6))
    if person.detail_px is not None and person.detail_px < settings.min_detail_px:
        return because("little_detail", px=round(side, 6), detail_px=round(person.detail_px, 6))
    return because("drawn", person=person.id) if person.drawn else None


def rule(
    faces: Sequence[Person],
    calibration: Calibration,
    thresholds: Thresholds,
    *,
    thin: Sequence[Reason | None],
    sampled_frames: int,
    stretches: int = 1,
    dark: bool = False,
) -> Ruling:
    """The verdict on a file: of a clip with one or two people as fake as the most suspicious of them.

    Where more faces are looked at, one of them looks suspicious by chance more easily; see
    `Calibration.among_many`.
    A face with too little evidence cannot make a file fake or real; where such faces would make it fake,
    while the others do not, it is unsure.

    Args:
        faces: Everyone found, dropped tracks included; of a longer video everyone in each stretch.
        calibration: Of the model.
        thresholds: Where probabilities become words.
        thin: For each of them why it is too little to judge by, or None.
        sampled_frames: Frames that were looked at, 0 or more.
        stretches: How many stretches these are of.
        dark: Whether they are so dark that this is the likely reason when nobody was found.
    """
    ranked = [(one.p_fake, one, why) for one, why in zip(faces, thin, strict=True) if one.p_fake is not None]
    ranked.sort(key=lambda item: -item[0])
    if not ranked:
        likely = (because("dark"),) if dark else ()
        return Ruling(Outcome.NO_FACE, None, (why_nobody(faces, sampled_frames), *likely))
    solid = [item for item in ranked if item[2] is None]
    many = stretches > 1 or len(ranked) > CALIBRATED_PEOPLE
    p_all, p_fake = (
        _of_file([number for number, _, _ in some], many=many, calibration=calibration)
        for some in (ranked, solid or ranked)
    )
    _, top, why_thin = ranked[0]
    said, said_of_all = thresholds.outcome(p_fake), thresholds.outcome(p_all)
    if why_thin and (not solid or (said is not Outcome.FAKE and said_of_all is Outcome.FAKE)):
        drawn = why_thin.code == "drawn"
        why = why_thin if drawn else because("too_little", person=top.id, why=why_thin)
        return Ruling(Outcome.UNSURE, p_all, (why,), len(ranked))
    _, top, _ = solid[0]
    if many:
        why = why_among(top, said, thresholds, p_fake=p_fake, faces=len(solid))
    else:
        why = why_so(top, said, thresholds, people=len(ranked))
    return Ruling(said, p_fake, (why, because("still_picture")) if top.picture else (why,), len(solid))


def _of_file(p_fake: Sequence[float], *, many: bool, calibration: Calibration) -> float:
    return calibration.among_many(p_fake) if many else max(p_fake)


def unreadable(
    path: str | Path,
    reason: Reason,
    model: ModelName,
    *,
    sha256: str | None = None,
    damaged: bool = False,
    ours: bool = False,
) -> Verdict:
    """The verdict on a file that could not be judged; it carries no number.

    Args:
        path: The file as it was given.
        reason: Why.
        model: The weights that would have judged.
        sha256: Of the file, where it could be read.
        damaged: The file is broken, rather than missing or not allowed.
        ours: Unmask or the machine failed; then the outcome is ``error``, and nothing is said of the file.
    """
    return Verdict(
        path=str(path),
        sha256=sha256,
        outcome=Outcome.ERROR if ours or reason.holds("machine_failed") else Outcome.UNREADABLE,
        p_fake=None,
        reason=str(reason),
        reasons=(reason,),
        damaged=damaged,
        people=(),
        model=model,
        unmask=__version__,
        seconds=dict.fromkeys(STAGES, 0.0),
    )


def _dropped(track: Track, reason: Reason | None, frames: tuple[PersonFrame, ...]) -> Person:
    return Person(track.id, None, False, str(reason), frames, track.picture, dropped=reason)


def _evidence(face: Face, time_seconds: float, logit: float | None, calibration: Calibration) -> PersonFrame:
    return PersonFrame(
        time_seconds=told_time(time_seconds),
        box=tuple(round(float(v), 2) for v in face.box),
        points=tuple((round(float(x), 2), round(float(y), 2)) for x, y in face.points),
        confidence=round(float(face.confidence), 4),
        p_fake=None if logit is None else bounded(calibration.probability(logit)),
        lightened=face.lightened,
    )
