"""Verdicts on films that nobody shot: people, shots and looks as numbers, for what is told of them."""

from __future__ import annotations

from dataclasses import replace

from unmask.judge.calibration import Thresholds
from unmask.reasons import because
from unmask.verdicts import Appearance, ModelName, Outcome, Person, PersonFrame, Segment, Shot, Verdict

LIMITS = Thresholds(fake_at_least=0.8, real_at_most=0.2)
POINTS = ((10.0, 10.0), (20.0, 10.0), (15.0, 15.0), (11.0, 20.0), (19.0, 20.0))


def person(number, spans, *, step=0.5):
    """Somebody who is seen shot by shot, as ``(shot, start, end, p_fake)``."""
    frames, seen = [], []
    for shot, start, end, p_fake in spans:
        times = [start + i * step for i in range(int((end - start) / step) + 1)]
        frames += [PersonFrame(time, (0.0, 0.0, 120.0, 120.0), POINTS, 0.99, p_fake) for time in times]
        seen.append(Appearance(shot, start, end, p_fake, len(times)))
    mean = sum(frame.p_fake for frame in frames) / len(frames)
    return Person(number, mean, True, None, tuple(frames), appearances=tuple(seen))


def film(people, *, shots=20, seconds=4.0, looks=58, outcome=Outcome.UNSURE, p_fake=0.52, reasons=()):
    """A film of so many shots of one length; its segments are the appearances that are not clearly real."""
    shown = [
        (one.id, seen) for one in people for seen in one.appearances if seen.p_fake > LIMITS.real_at_most
    ]
    segments = [
        Segment(number, *_span(seen), seen.p_fake, LIMITS.outcome(seen.p_fake)) for number, seen in shown
    ]
    worst = max(people, key=lambda one: one.p_fake)
    when = {"start_seconds": worst.frames[0].time_seconds, "end_seconds": worst.frames[-1].time_seconds}
    chance = because(
        "by_chance", person=worst.id, faces=looks, p_fake=worst.p_fake, p_fake_among_all=p_fake, **when
    )
    found = Verdict(
        path="film.mp4",
        sha256="0" * 64,
        outcome=outcome,
        p_fake=p_fake,
        reason=str(chance),
        damaged=False,
        people=tuple(people),
        model=ModelName("tiny", "1" * 64),
        unmask="1",
        end_seconds=shots * seconds,
        shots=tuple(Shot(i * seconds, (i + 1) * seconds, 8, 1) for i in range(shots)),
        segments=tuple(sorted(segments, key=lambda one: -one.p_fake)),
        reasons=reasons or (chance,),
    )
    return replace(found, looks=looks)


def _span(seen):
    return seen.shot, seen.start_seconds, seen.end_seconds


def interview():
    """Two who talk in turns without a sign, and a third whose one shot of 5 s looks manipulated."""
    turns = [[(i, 4.0 * i, 4.0 * i + 4, 0.1) for i in range(first, 20, 2) if i != 12] for first in (0, 1)]
    return film([person(0, turns[0]), person(1, turns[1]), person(2, [(12, 48.0, 52.0, 0.99)])])
