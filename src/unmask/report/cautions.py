"""Where a recording lies outside what the model was measured on, and other reasons for care."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from unmask.judge.card import Card
from unmask.report.seen import Seen
from unmask.report.words import Words
from unmask.verdicts import Person, Verdict
from unmask.video.stretches import SHORT_SECONDS

SMALL_FACE_PX = 100
"""The shipped weights learned from faces of this width and more, and their card names it."""

DARK_LEVEL = 50.0
"""As `DetectSettings.dark_below`: from here down a frame without a face is searched in a lightened copy."""

MAX_SPANS = 6
"""Spans of time that are told in a row."""

FEW_FRAMES = 5
"""As `JudgeSettings.min_frames`."""

FEW_BITS_PER_PIXEL = 0.03
"""A choice, not a measurement: a 1080p video of 25 frames a second and 1.5 Mbit/s lies there."""


def when_seen(verdict: Verdict, words: Words) -> str:
    """What was looked at, as spans of time: several where processes that shared a file were stopped."""
    spans: list[tuple[float, float]] = []
    for shot in verdict.shots:
        if spans and shot.start_seconds <= spans[-1][1] + 1e-6:
            spans[-1] = (spans[-1][0], shot.end_seconds)
        else:
            spans.append((shot.start_seconds, shot.end_seconds))
    told = [words.span(*span) for span in spans or [(verdict.start_seconds, verdict.end_seconds)]]
    return ", ".join(told[:MAX_SPANS]) + (" ..." if len(told) > MAX_SPANS else "")


@dataclass(frozen=True, slots=True)
class Caution:
    """One reason for care.

    Attributes:
        code: Names its messages: ``caution_`` and this is the sentence, ``weak_`` and this a few words.
        values: What fills the gaps of the sentence.
    """

    code: str
    values: Mapping[str, object] = field(default_factory=dict)


def cautions(verdict: Verdict, seen: Seen, card: Card | None, words: Words) -> list[str]:
    """Sentences for the reader, the gravest first; none where nothing stands out."""
    return [words(f"caution_{one.code}", **one.values) for one in found_cautions(verdict, seen, card, words)]


def found_cautions(verdict: Verdict, seen: Seen, card: Card | None, words: Words) -> list[Caution]:
    """The same as data, with times and numbers in the reader's language."""
    found: list[Caution] = []
    if verdict.partial:
        found.append(Caution("partial", {"seen": when_seen(verdict, words)}))
    first = seen.facts.first_seconds if seen.facts else 0.0
    if verdict.start_seconds > first + 0.5:
        found.append(Caution("part", {"start": words.seconds(verdict.start_seconds)}))
    if verdict.damaged:
        found.append(Caution("damaged"))
    if not verdict.outcome.has_number:
        return found
    if verdict.stability is not None and not verdict.stability.stable:
        found.append(Caution("unstable"))
    return found + _of_footage(verdict, seen, words) + ([] if card else [Caution("no_card")])


def deciding(verdict: Verdict) -> Person | None:
    """The most suspicious person."""
    judged = [person for person in verdict.people if person.p_fake is not None]
    return max(judged, key=lambda person: person.p_fake or 0.0, default=None)


def face_px(person: Person) -> float:
    """Median of the shorter side of a person's boxes."""
    return float(np.median([min(f.box[2] - f.box[0], f.box[3] - f.box[1]) for f in person.frames]))


def _of_footage(verdict: Verdict, seen: Seen, words: Words) -> list[Caution]:
    found = []
    person = deciding(verdict)
    still = verdict.is_still
    if person is not None and person.frames:
        if face_px(person) < SMALL_FACE_PX:
            found.append(Caution("small", {"px": f"{face_px(person):.0f}", "least": SMALL_FACE_PX}))
        elif person.detail_px is not None and person.detail_px < SMALL_FACE_PX:
            sizes = {"px": f"{face_px(person):.0f}", "detail": f"{person.detail_px:.0f}"}
            found.append(Caution("detail", {**sizes, "least": SMALL_FACE_PX}))
        if len(person.frames) < FEW_FRAMES and not still:
            found.append(Caution("few", {"frames": len(person.frames)}))
    if seen.brightness is not None and seen.brightness < DARK_LEVEL:
        found.append(Caution("dark", {"level": f"{seen.brightness:.0f}"}))
    if seen.facts and 0 < seen.facts.bits_per_pixel < FEW_BITS_PER_PIXEL:
        bits = words.number(seen.facts.bits_per_pixel, digits=3)
        found.append(Caution("compressed", {"bits": bits}))
    if still:
        found.append(Caution("still"))
    if len(verdict.shots) > 1 or verdict.end_seconds - verdict.start_seconds > SHORT_SECONDS:
        found.append(Caution("long"))
    return found
