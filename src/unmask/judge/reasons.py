"""The sentence of a verdict: who decides it, when that shows most, or why nobody could be judged."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from unmask.judge.calibration import Thresholds, bounded
from unmask.verdicts import Outcome, Person, PersonFrame, shown_number


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


def _when(person: Person) -> str:
    if len(person.frames) == 1:
        return f"at {person.frames[0].time_seconds:.1f} s"
    first, last = (f"{t:.1f}" for t in most_suspicious(person.frames))
    return f"at {first} s" if first == last else f"at {first}-{last} s"


def why_so(person: Person, outcome: Outcome, thresholds: Thresholds, *, people: int) -> str:
    """Why a clip has this outcome, by the person who decides it, out of so many ``people``."""
    who, alone = f"person {shown_number(person.id)}", bounded(person.p_fake or 0.0)
    if outcome is Outcome.FAKE:
        return f"{who} looks manipulated, most clearly {_when(person)}"
    if outcome is Outcome.UNSURE:
        low, high = thresholds.real_at_most, thresholds.fake_at_least
        return (
            f"{who} is neither clearly real nor clearly manipulated (p_fake {alone:.2f} lies "
            f"between {low:g} and {high:g}), most suspicious {_when(person)}"
        )
    judged = sum(frame.p_fake is not None for frame in person.frames)
    seen = f"{judged} frames" if judged != 1 else "1 frame"
    if people == 1:
        return f"{who} shows no clear sign of manipulation in {seen}"
    return f"none of {people} people shows a clear sign of manipulation; {who} comes closest, {_when(person)}"


def why_among(person: Person, outcome: Outcome, thresholds: Thresholds, *, p_fake: float, faces: int) -> str:
    """Why a video with many faces has this outcome, by the most suspicious of them in its stretch."""
    who = f"person {shown_number(person.id)}"
    alone = f"{who} comes closest, {_when(person)}"
    if outcome is Outcome.FAKE:
        return f"{who} looks manipulated, most clearly {_when(person)}"
    if outcome is Outcome.REAL:
        return f"none of {faces} looks at a face shows a clear sign of manipulation; {alone}"
    by_itself, among_all = bounded(person.p_fake or 0.0), bounded(p_fake)
    if thresholds.outcome(by_itself) is Outcome.FAKE:
        return (
            f"{who} by itself looks manipulated {_when(person)}, but among {faces} looks at a "
            f"face one may do so by chance (p_fake {by_itself:.2f} alone, {among_all:.2f} among all)"
        )
    return f"{faces} looks at a face are neither clearly real nor clearly manipulated; {alone}"


def why_nobody(people: Sequence[Person], sampled_frames: int) -> str:
    """Why nobody in a clip can be judged, by what was found and dropped."""
    where = f"any of the {sampled_frames} sampled frames" if sampled_frames != 1 else "the only frame"
    if not people:
        return f"no face was found in {where}"
    longest = max(people, key=lambda p: len(p.frames))
    found = "1 candidate" if len(people) == 1 else f"{len(people)} candidates"
    return (
        f"no credible face was found in {where}: {found} dropped, the longest because {longest.why_dropped}"
    )
