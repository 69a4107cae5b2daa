"""Why a verdict is as it is: who decides it, when that shows most, or why nobody could be judged."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from unmask.judge.calibration import Thresholds, bounded
from unmask.reasons import Reason, because
from unmask.verdicts import Outcome, Person, PersonFrame


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


def why_so(person: Person, outcome: Outcome, thresholds: Thresholds, *, people: int) -> Reason:
    """Why a clip has this outcome, by the person who decides it, out of so many ``people``."""
    if outcome is Outcome.FAKE:
        return because("manipulated", person=person.id, **_when(person))
    if outcome is Outcome.UNSURE:
        return because(
            "between",
            person=person.id,
            p_fake=bounded(person.p_fake or 0.0),
            real_at_most=thresholds.real_at_most,
            fake_at_least=thresholds.fake_at_least,
            **_when(person),
        )
    if people == 1:
        judged = sum(frame.p_fake is not None for frame in person.frames)
        return because("no_sign", person=person.id, frames=judged)
    return because("no_sign_in_any", people=people, person=person.id, **_when(person))


def why_among(
    person: Person, outcome: Outcome, thresholds: Thresholds, *, p_fake: float, faces: int
) -> Reason:
    """Why a video with many faces has this outcome, by the most suspicious of them in its stretch."""
    if outcome is Outcome.FAKE:
        return because("manipulated", person=person.id, **_when(person))
    if outcome is Outcome.REAL:
        return because("no_sign_among", faces=faces, person=person.id, **_when(person))
    by_itself = bounded(person.p_fake or 0.0)
    if thresholds.outcome(by_itself) is not Outcome.FAKE:
        return because("between_among", faces=faces, person=person.id, **_when(person))
    return because(
        "by_chance",
        person=person.id,
        faces=faces,
        p_fake=by_itself,
        p_fake_among_all=bounded(p_fake),
        **_when(person),
    )


def why_nobody(people: Sequence[Person], sampled_frames: int) -> Reason:
    """Why nobody in a clip can be judged, by what was found and dropped."""
    longest = max(people, key=lambda p: len(p.frames), default=None)
    if longest is None or longest.dropped is None:
        return because("nobody_found", frames=sampled_frames)
    return because("nobody_credible", frames=sampled_frames, candidates=len(people), longest=longest.dropped)


def _when(person: Person) -> dict[str, float]:
    first, last = most_suspicious(person.frames)
    return {"start_seconds": first, "end_seconds": last}
