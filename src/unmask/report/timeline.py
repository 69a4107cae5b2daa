"""A person's score over time as SVG, with shots as bands; stretches to any width, so its words are HTML."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from html import escape

from unmask.judge.calibration import Thresholds
from unmask.reasons import shown_number
from unmask.report.words import Words
from unmask.verdicts import Person, PersonFrame, Verdict

_WIDTH, _HEIGHT = 1000.0, 100.0
_LABELS = 5


def timeline(
    verdict: Verdict, person: Person, thresholds: Thresholds | None, words: Words, *, playable: bool
) -> str:
    """HTML of one person's timeline.

    Args:
        verdict: Gives the shots and how much time there is.
        person: With one scored frame or more.
        thresholds: Drawn as lines; None draws none.
        words: For the labels.
        playable: Whether a video is there to be moved; then it is a slider for mouse and keyboard.
    """
    scale = _Scale(verdict)
    scored = [frame for frame in person.frames if frame.p_fake is not None]
    highest = max(scored, key=lambda one: one.p_fake or 0.0)
    low, high = (words.percent(one.p_fake or 0.0) for one in (min(scored, key=_p_fake), highest))
    text = words("timeline_text", low=low, high=high, when=words.seconds(highest.time_seconds))
    name = words("timeline_keys" if playable else "timeline", id=shown_number(person.id))
    role = (
        f'role="slider" tabindex="0" aria-valuemin="{scale.start:.3f}" aria-valuemax="{scale.end:.3f}" '
        f'aria-valuenow="{scale.start:.3f}" aria-valuetext="{escape(words.seconds(scale.start))}"'
        if playable
        else 'role="img"'
    )
    drawing = _bands(verdict, scale) + _lines(thresholds) + _curve(verdict, scored, scale)
    return (
        f'<div class="timeline"><div class="y" aria-hidden="true"><span>100 %</span><span>50 %</span>'
        f'<span>0 %</span></div><div class="plot" {role} aria-label="{escape(name)}. {escape(text)}" '
        f'data-start="{scale.start:.3f}" data-end="{scale.end:.3f}">'
        f'<svg viewBox="0 0 {_WIDTH:g} {_HEIGHT:g}" preserveAspectRatio="none" aria-hidden="true">'
        f"{drawing}</svg>{_names(thresholds, words)}"
        f'<i class="cursor"></i></div><div class="x" aria-hidden="true">{_times(scale, words)}</div></div>'
    )


class _Scale:
    """Times to places; a picture, or one frame, takes the middle of a second."""

    def __init__(self, verdict: Verdict) -> None:
        self.start, self.end = verdict.start_seconds, verdict.end_seconds
        if self.end - self.start < 1e-3:
            self.start, self.end = self.start - 0.5, self.start + 0.5

    def x(self, time: float) -> float:
        share = (time - self.start) / (self.end - self.start)
        return _WIDTH * min(max(share, 0.0), 1.0)


def _p_fake(frame: PersonFrame) -> float:
    return frame.p_fake or 0.0


def _y(p_fake: float) -> float:
    return _HEIGHT * (1 - p_fake)


def _bands(verdict: Verdict, scale: _Scale) -> str:
    """Shots, every second one shaded; of very many only as far as they can be told apart."""
    return "".join(
        f'<rect class="shot" x="{scale.x(shot.start_seconds):.1f}" y="0" '
        f'width="{max(scale.x(shot.end_seconds) - scale.x(shot.start_seconds), 0.5):.1f}" '
        f'height="{_HEIGHT:g}"/>'
        for shot in verdict.shots[1:2000:2]
    )


def _lines(thresholds: Thresholds | None) -> str:
    if thresholds is None:
        return ""
    places = {thresholds.fake_at_least: "fake", thresholds.real_at_most: "real"}
    return "".join(
        f'<line class="limit {kind}" x1="0" x2="{_WIDTH:g}" y1="{_y(p):.1f}" y2="{_y(p):.1f}"/>'
        for p, kind in places.items()
    )


def _curve(verdict: Verdict, scored: Sequence[PersonFrame], scale: _Scale) -> str:
    """A line within each shot, and a dot for each frame; dots are lines of no length, so they stay round."""
    starts = [shot.start_seconds for shot in verdict.shots]
    runs: dict[int, list[str]] = {}
    for frame in scored:
        place = f"{scale.x(frame.time_seconds):.1f},{_y(_p_fake(frame)):.1f}"
        runs.setdefault(bisect_right(starts, frame.time_seconds + 1e-6), []).append(place)
    lines = "".join(f'<polyline class="score" points="{" ".join(run)}"/>' for run in runs.values())
    dots = "".join(f"M{place}h0" for run in runs.values() for place in run)
    return f'{lines}<path class="dots" d="{dots}"/>'


def _names(thresholds: Thresholds | None, words: Words) -> str:
    if thresholds is None or thresholds.fake_at_least - thresholds.real_at_most < 0.2:
        return ""
    return (
        f'<small class="name" style="bottom:{100 * thresholds.fake_at_least:.1f}%">'
        f"{escape(words('line_fake'))}</small>"
        f'<small class="name under" style="top:{100 - 100 * thresholds.real_at_most:.1f}%">'
        f"{escape(words('line_real'))}</small>"
    )


def _times(scale: _Scale, words: Words) -> str:
    step = (scale.end - scale.start) / (_LABELS - 1)
    return "".join(
        f"<span>{escape(words.seconds(max(scale.start + i * step, 0.0)))}</span>" for i in range(_LABELS)
    )
