"""From logits to a verdict: calibrate, combine frames and people, abstain.

Pure functions; the numbers they use (calibration, thresholds) come from the card of the model.
A failure is not a score: `no_face` and `unreadable` never carry a number.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from unmask.config import JudgeSettings
from unmask.errors import SettingsError
from unmask.types import Face, ModelName, Outcome, Person, PersonFrame, Track, Verdict
from unmask.version import __version__

PERSON_RULES = ("mean",)
"""How the logits of a person's frames become one: their arithmetic mean."""
STAGES = ("decode", "detect", "score", "total")
"""Keys of `Verdict.seconds`; ``detect`` includes linking faces and cutting crops."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Turns a logit into a probability: ``sigmoid((logit + bias) / temperature)``, or along a drawn curve.

    Fitted on the logits of whole videos; for single frames it is only an indication.

    Attributes:
        temperature: Above 0; 1 leaves the logit as it is, more makes it less sure.
        bias: Added to the logit first.
        isotonic: Points (logit, probability) of a rising curve that takes the place of the formula; straight
            between them, level beyond the first and the last. Empty when the formula holds.
        clip: A submission for log loss keeps probabilities within ``clip`` and ``1 - clip``, 0 to below 0.5;
            verdicts are not clipped. The default is a common choice, not a measurement.

    >>> Calibration(temperature=2.0, bias=1.0).probability(-1.0)
    0.5
    """

    temperature: float = 1.0
    bias: float = 0.0
    isotonic: tuple[tuple[float, float], ...] = ()
    clip: float = 0.01

    def __post_init__(self) -> None:
        if not (math.isfinite(self.temperature) and self.temperature > 0):
            raise SettingsError(f"temperature must be a number above 0, got {self.temperature!r}")
        if not math.isfinite(self.bias):
            raise SettingsError(f"bias must be a finite number, got {self.bias!r}")
        if not 0 <= self.clip < 0.5:
            raise SettingsError(f"clip must be 0 to below 0.5, got {self.clip!r}")
        logits, values = [x for x, _ in self.isotonic], [0.0, *(y for _, y in self.isotonic), 1.0]
        rising = all(a < b for a, b in pairwise(logits)) and all(a <= b for a, b in pairwise(values))
        if not (rising and all(map(math.isfinite, logits)) and len(logits) != 1):
            rule = "isotonic must be two points or more, of rising finite logits and probabilities 0 to 1"
            raise SettingsError(f"{rule}, got {self.isotonic!r}")

    def probability(self, logit: float) -> float:
        """Probability of a fake, 0 to 1, rounded to 6 decimals so that what is shown is what is judged."""
        if self.isotonic:
            logits, values = [x for x, _ in self.isotonic], [y for _, y in self.isotonic]
            return round(float(np.interp(logit, logits, values)), 6)
        half = 0.5 * (logit + self.bias) / self.temperature
        return round(0.5 * (1.0 + math.tanh(half)), 6)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where a probability becomes a word; between the two it is ``unsure``.

    Attributes:
        fake_at_least: ``p_fake`` from which the outcome is ``fake``, 0 to 1.
        real_at_most: ``p_fake`` down to which it is ``real``, 0 to ``fake_at_least``.
    """

    fake_at_least: float
    real_at_most: float

    def __post_init__(self) -> None:
        if not 0 <= self.real_at_most <= self.fake_at_least <= 1:  # also false for NaN
            raise SettingsError(
                "thresholds must be 0 <= real_at_most <= fake_at_least <= 1, "
                f"got {self.real_at_most!r} and {self.fake_at_least!r}"
            )

    def with_fake_at_least(self, threshold: float) -> Thresholds:
        """Move the fake threshold; the real one stays, unless it would lie above and is pulled down.

        >>> Thresholds(0.7, 0.3).with_fake_at_least(0.2)
        Thresholds(fake_at_least=0.2, real_at_most=0.2)

        Raises:
            SettingsError: ``threshold`` is not 0 to 1.
        """
        if not 0 <= threshold <= 1:
            raise SettingsError(f"threshold must be 0 to 1, got {threshold!r}")
        return Thresholds(threshold, min(self.real_at_most, threshold))

    def outcome(self, p_fake: float) -> Outcome:
        """The word for a probability.

        >>> Thresholds(0.7, 0.3).outcome(0.7).value
        'fake'
        """
        if p_fake >= self.fake_at_least:
            return Outcome.FAKE
        return Outcome.REAL if p_fake <= self.real_at_most else Outcome.UNSURE


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
        return Ruling(Outcome.NO_FACE, None, _why_nobody(people, sampled_frames) + likely)
    thin = {p.id: too_little(p, settings, sampled_frames=sampled_frames) for p in kept}
    solid = [p for p in kept if thin[p.id] is None]
    top = kept[0]
    if not solid or (thin[top.id] and _p_fake(solid[0]) < thresholds.fake_at_least <= _p_fake(top)):
        return Ruling(Outcome.UNSURE, top.p_fake, f"too little to judge by: person {top.id} {thin[top.id]}")
    top = solid[0]
    outcome = thresholds.outcome(_p_fake(top))
    why = _why(top, outcome, thresholds, people=len(kept))
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


def most_suspicious(frames: Sequence[PersonFrame]) -> tuple[float, float]:
    """The stretch of time whose frames stand out most above the person's own average.

    The run of frames with the largest sum of (frame - average), by Kadane's algorithm; it needs no
    threshold and no window length. Frames that are all alike give the whole stretch.

    Args:
        frames: One or more frames in order of time; only those that were scored count, if any was.

    Returns:
        First and last time of the run, in container seconds.
    """
    frames = [frame for frame in frames if frame.p_fake is not None] or frames
    values = np.array([frame.p_fake or 0.0 for frame in frames])
    excess = values - values.mean()
    if np.ptp(values) < 1e-6:
        return frames[0].time_seconds, frames[-1].time_seconds
    best, best_run, total, start = -math.inf, (0, 0), 0.0, 0
    for i, value in enumerate(excess):
        if total <= 0:
            total, start = 0.0, i
        total += float(value)
        if total > best:
            best, best_run = total, (start, i)
    return frames[best_run[0]].time_seconds, frames[best_run[1]].time_seconds


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


def _when(person: Person) -> str:
    if len(person.frames) == 1:
        return f"at {person.frames[0].time_seconds:.1f} s"
    first, last = (f"{t:.1f}" for t in most_suspicious(person.frames))
    return f"at {first} s" if first == last else f"at {first}-{last} s"


def _why(person: Person, outcome: Outcome, thresholds: Thresholds, *, people: int) -> str:
    who = f"person {person.id}"
    if outcome is Outcome.FAKE:
        return f"{who} looks manipulated, most clearly {_when(person)}"
    if outcome is Outcome.UNSURE:
        low, high = thresholds.real_at_most, thresholds.fake_at_least
        return (
            f"{who} is neither clearly real nor clearly manipulated (p_fake {_p_fake(person):.2f} lies "
            f"between {low:g} and {high:g}), most suspicious {_when(person)}"
        )
    judged = sum(frame.p_fake is not None for frame in person.frames)
    seen = f"{judged} frames" if judged != 1 else "1 frame"
    alone = f"{who} shows no clear sign of manipulation in {seen}"
    if people == 1:
        return alone
    return f"none of {people} people shows a clear sign of manipulation; {who} comes closest, {_when(person)}"


def _why_nobody(people: Sequence[Person], sampled_frames: int) -> str:
    where = f"any of the {sampled_frames} sampled frames" if sampled_frames != 1 else "the only frame"
    if not people:
        return f"no face was found in {where}"
    longest = max(people, key=lambda p: len(p.frames))
    found = "1 candidate" if len(people) == 1 else f"{len(people)} candidates"
    return (
        f"no credible face was found in {where}: {found} dropped, the longest because {longest.why_dropped}"
    )
