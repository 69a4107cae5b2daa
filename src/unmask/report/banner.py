"""The box at the top of the report: the verdict in words, its number, why, and what to do next."""

from __future__ import annotations

from html import escape

from unmask.report.sections import MARKS, Story, in_words, paragraph
from unmask.report.told import Told, tell


def banner(story: Story) -> str:
    """The verdict in words, its number, and what to do with it."""
    verdict, words, told = story.verdict, story.words, tell(story)
    outcome = verdict.outcome
    parts = [
        f'<p class="headline"><span aria-hidden="true">{MARKS[outcome]}</span> '
        f"<strong>{escape(told.headline)}</strong></p>"
    ]
    if verdict.p_fake is not None:
        parts.append(_number(told, story.percent(verdict.p_fake), verdict.p_fake))
    parts += map(paragraph, told.findings)
    worth, *more = told.advice
    said = f'<span class="worth">{escape(worth)}</span> {escape(" ".join(more))}'.rstrip()
    parts.append(f'<p class="{"advice" if more else ""}"><b>{escape(words("next_step"))}</b> {said}</p>')
    own = in_words(verdict.reasons, verdict.reason, words)
    parts.append(f"<p><small>{escape(words('why_own_words'))}: {own}.</small></p>")
    return f'<section class="banner {outcome}">{"".join(parts)}</section>'


def _number(told: Told, percent: str, p_fake: float) -> str:
    """The probability, and a bar with both limits."""
    said = escape(told.estimate).replace(escape(percent), f"<b>{escape(percent)}</b>")
    places = ((told.real_at_most, "real"), (told.fake_at_least, "fake"))
    marks = "".join(
        f'<i class="{kind}" style="left:{100 * place:.1f}%"></i>'
        for place, kind in places
        if place is not None
    )
    meter = f'<div class="meter" aria-hidden="true"><b style="width:{100 * p_fake:.1f}%"></b>{marks}</div>'
    scale = f"<p><small>{escape(told.scale)}</small></p>" if told.scale else ""
    return f'<p class="estimate">{said}</p>{meter}{scale}'
