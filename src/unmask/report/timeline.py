"""Scores over time as SVG, with shots as bands; stretches to any width, so its words are HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from unmask.reasons import shown_number
from unmask.report.scale import WIDTH, Scale, of_person
from unmask.report.words import Words
from unmask.verdicts import Person, PersonFrame, Verdict

_HEIGHT = 100.0
_LABELS = 5
_PX_A_SECOND, _LEAST_PX = 40, 260  # how wide a person's chart is at most


@dataclass(frozen=True, slots=True)
class Line:
    """A limit across a chart.

    Attributes:
        p_fake: Where.
        kind: ``fake``, ``real`` or ``all``; how it is drawn.
        name: What it says; it stands above the chart, where it covers nothing.
    """

    p_fake: float
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Chart:
    """What a chart has of its own.

    Attributes:
        name: What it is, for who cannot see it.
        text: What it shows, as a sentence.
        drawing: SVG over bands and limits.
        kind: A further class, or nothing.
    """

    name: str
    text: str
    drawing: str
    kind: str = ""


def timeline(verdict: Verdict, person: Person, lines: Sequence[Line], words: Words, *, playable: bool) -> str:
    """HTML of one person's timeline; no wider than the time that it shows needs.

    Args:
        verdict: Gives the shots.
        person: With one scored frame or more.
        lines: Limits that are drawn.
        words: For the labels.
        playable: Whether a video is there to be moved; then it is a slider for mouse and keyboard.
    """
    scale = of_person(person)
    scored = [frame for frame in person.frames if frame.p_fake is not None]
    highest = max(scored, key=_p_fake)
    low, high = (words.percent(one.p_fake or 0.0) for one in (min(scored, key=_p_fake), highest))
    text = words("timeline_text", low=low, high=high, when=words.seconds(highest.time_seconds))
    name = words("timeline_keys" if playable else "timeline", id=shown_number(person.id))
    width = max(_LEAST_PX, round(_PX_A_SECOND * scale.seconds))
    chart = Chart(name, text, _curve(verdict, scored, scale))
    drawn = plot(verdict, chart, lines, scale, words, playable=playable)
    return f'<div style="max-width:{width}px">{drawn}</div>'


def plot(
    verdict: Verdict, chart: Chart, lines: Sequence[Line], scale: Scale, words: Words, *, playable: bool
) -> str:
    """A chart with shots, limits, both axes, and a place for the cursor; arguments as of `timeline`."""
    role = (
        f'role="slider" tabindex="0" aria-valuemin="{scale.start:.3f}" aria-valuemax="{scale.end:.3f}" '
        f'aria-valuenow="{scale.start:.3f}" aria-valuetext="{escape(words.seconds(scale.start))}"'
        if playable
        else 'role="img"'
    )
    names = "".join(map(_name, lines)) + (_cursor_name(words) if playable else "")
    drawing = _bands(verdict, scale) + "".join(map(_limit, lines)) + chart.drawing + _gaps(scale)
    return (
        f'<div class="timeline {chart.kind}"><div class="names">{names}</div>'
        '<div class="y" aria-hidden="true"><span>100 %</span><span>50 %</span><span>0 %</span></div>'
        f'<div class="plot" {role} '
        f'aria-label="{escape(chart.name)}. {escape(chart.text)}" data-pieces="{scale.data}">'
        f'<svg viewBox="0 0 {WIDTH:g} {_HEIGHT:g}" preserveAspectRatio="none" aria-hidden="true">'
        f'{drawing}</svg><i class="cursor"></i></div>'
        f'<div class="x" aria-hidden="true">{_times(scale, words)}</div></div>'
    )


def y_of(p_fake: float) -> float:
    """Place of a probability, from the top."""
    return _HEIGHT * (1 - p_fake)


def _p_fake(frame: PersonFrame) -> float:
    return frame.p_fake or 0.0


def _bands(verdict: Verdict, scale: Scale) -> str:
    """Shots, every second one shaded; of very many only as far as they can be told apart."""
    cuts = [shot.start_seconds for shot in verdict.shots[1:]]
    if not any(scale.start < cut < scale.end for cut in cuts):
        return ""  # all of it is one shot
    places = ((scale.x(shot.start_seconds), scale.x(shot.end_seconds)) for shot in verdict.shots[1:2000:2])
    return "".join(
        f'<rect class="shot" x="{left:.1f}" y="0" width="{max(right - left, 0.5):.1f}" height="{_HEIGHT:g}"/>'
        for left, right in places
        if right > left
    )


def _limit(line: Line) -> str:
    y = f"{y_of(line.p_fake):.1f}"
    return f'<line class="limit {line.kind}" x1="0" x2="{WIDTH:g}" y1="{y}" y2="{y}"/>'


def _name(line: Line) -> str:
    sample = (
        f'<svg viewBox="0 0 24 4" aria-hidden="true"><line class="sample limit {line.kind}" '
        'x1="0" x2="24" y1="2" y2="2"/></svg>'
    )
    return f"<small>{sample} {escape(line.name)}</small>"


def _cursor_name(words: Words) -> str:
    line = '<line class="sample now" x1="2" x2="2" y1="0" y2="12"/>'
    sample = f'<svg class="upright" viewBox="0 0 4 12" aria-hidden="true">{line}</svg>'
    return f'<small class="screen">{sample} {escape(words("line_now"))}</small>'


def _gaps(scale: Scale) -> str:
    """Where time is left out."""
    return "".join(
        f'<rect class="gap" x="{one.right:.1f}" y="-2" width="{after.left - one.right:.1f}" '
        f'height="{_HEIGHT + 4:g}"/>'
        for one, after in zip(scale.pieces, scale.pieces[1:], strict=False)
    )


def _curve(verdict: Verdict, scored: Sequence[PersonFrame], scale: Scale) -> str:
    """A line within each shot, and a dot for each frame; dots are lines of no length, so they stay round."""
    shots = (
        Scale([(shot.start_seconds, shot.end_seconds) for shot in verdict.shots]) if verdict.shots else None
    )
    runs: dict[tuple[int, int], list[str]] = {}
    for frame in scored:
        time = frame.time_seconds
        place = f"{scale.x(time):.1f},{y_of(_p_fake(frame)):.1f}"
        runs.setdefault((shots.piece_at(time) if shots else 0, scale.piece_at(time)), []).append(place)
    lines = "".join(f'<polyline class="score" points="{" ".join(run)}"/>' for run in runs.values())
    dots = "".join(f"M{place}h0" for run in runs.values() for place in run)
    return f'{lines}<path class="dots" d="{dots}"/>'


def _times(scale: Scale, words: Words) -> str:
    if len(scale.pieces) > 1:
        ends = (scale.start, scale.end)
        return "".join(f"<span>{escape(words.seconds(max(time, 0.0)))}</span>" for time in ends)
    step = (scale.end - scale.start) / (_LABELS - 1)
    return "".join(
        f"<span>{escape(words.seconds(max(scale.start + i * step, 0.0)))}</span>" for i in range(_LABELS)
    )
