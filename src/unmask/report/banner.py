"""What stands first: the verdict in words, its number, why, and what to do next."""

from __future__ import annotations

from collections import Counter
from html import escape

from unmask.judge.reasons import most_suspicious
from unmask.reasons import Reason, shown_number
from unmask.report.advice import advice, cause_code
from unmask.report.cards import fakes_found
from unmask.report.cautions import deciding, found_cautions
from unmask.report.film import too_thin
from unmask.report.sections import MARKS, Story, in_words, paragraph
from unmask.report.standing import cause_of, is_among_many, is_long
from unmask.report.words import Words
from unmask.verdicts import Outcome, Person, Verdict

_HEADLINES = ("by_chance", "many_faces", "too_little", "drawn", "disagree")
"""Causes of an unsure verdict that have a headline of their own."""

_UNJUDGED = {
    "picture": "picture",
    "worn": "picture",
    "small": "small",
    "short_side": "small",
    "lesser": "lesser",
    "unscored": "unscored",
}  # why a face did not count, and the message that tells it


def banner(story: Story) -> str:
    """The verdict in words, its number, and what to do with it."""
    verdict, words = story.verdict, story.words
    outcome = verdict.outcome
    parts = [
        f'<p class="headline"><span aria-hidden="true">{MARKS[outcome]}</span> '
        f"<strong>{escape(words(headline_key(verdict)))}</strong></p>"
    ]
    if verdict.p_fake is not None:
        parts.append(_number(story, verdict.p_fake))
    thin = too_thin(story) if is_among_many(verdict) and not is_long(verdict) else ""
    parts += [paragraph(told) for told in (_why(story), thin, _weak(story), unjudged(story)) if told]
    if missed := _missed(story):
        parts.append(paragraph(missed))
    worth, *more = advice(story)
    told = f'<span class="worth">{escape(worth)}</span> {escape(" ".join(more))}'.rstrip()
    parts.append(f'<p class="{"advice" if more else ""}"><b>{escape(words("next_step"))}</b> {told}</p>')
    own = in_words(verdict.reasons, verdict.reason, words)
    parts.append(f"<p><small>{escape(words('why_own_words'))}: {own}.</small></p>")
    return f'<section class="banner {outcome}">{"".join(parts)}</section>'


def headline_key(verdict: Verdict) -> str:
    """The message that is the headline: by the cause, where the outcome alone would mislead."""
    code = "many_faces" if cause_code(verdict) == "many_faces" else _code(verdict)
    return f"headline_{code}" if code in _HEADLINES else f"headline_{verdict.outcome}"


def _code(verdict: Verdict) -> str:
    reason = cause_of(verdict)
    return reason.code if reason is not None and verdict.outcome is Outcome.UNSURE else ""


def _weak(story: Story) -> str:
    """What makes a clear verdict less sure, in one sentence; empty where nothing does, or none is clear."""
    verdict, words = story.verdict, story.words
    if verdict.outcome not in (Outcome.FAKE, Outcome.REAL):
        return ""
    found = found_cautions(verdict, story.seen, story.card, words)
    told = "; ".join(words(f"weak_{one.code}") for one in found)
    return words("weak", why=told) if told else ""


def _missed(story: Story) -> str:
    """How many fakes are missed, where none was found; empty without a figure that holds."""
    if story.verdict.outcome not in (Outcome.UNSURE, Outcome.REAL) or story.card is None:
        return ""
    found = fakes_found(story.card, story.options.settings)
    if found is None or not found.below_half:
        return ""
    shares = {name: f"{100 * getattr(found, name):.0f}" for name in ("least", "most")}
    numbers = {"fakes": story.words.whole(found.fakes), "kinds": found.kinds, "below": found.below_half}
    return story.words("fakes_missed", **numbers, **shares)


def unjudged(story: Story) -> str:
    """How many faces were not judged beside those that were, and why; empty where there is none.

    What may be no face at all, or is seen in passing, is not counted: the list of what was left out has it.
    """
    people, words = story.verdict.people, story.words
    codes = [one.dropped.code for one in people if one.dropped is not None]
    why = Counter(_UNJUDGED[code] for code in codes if code in _UNJUDGED)
    judged = sum(one.p_fake is not None for one in people)
    if not why or not judged:
        return ""
    told = [words(f"unjudged_{kind}") + (f" ({why[kind]})" if len(why) > 1 else "") for kind in why]
    key = "unjudged_one" if why.total() == 1 else "unjudged_many"
    return words(key, count=why.total(), faces=why.total() + judged, why=", ".join(told))


def _number(story: Story, p_fake: float) -> str:
    words, limits, film = story.words, story.thresholds, story.film
    looks = film.looks if film is not None and is_among_many(story.verdict) else 0
    told = words("estimate_all", looks=looks, p="") if looks else words("estimate", p="")
    lines = [f'<p class="estimate">{escape(told).rstrip()} <b>{story.percent(p_fake)}</b></p>']
    marks = scale = ""
    if limits is not None:
        for place, kind in ((limits.real_at_most, "real"), (limits.fake_at_least, "fake")):
            marks += f'<i class="{kind}" style="left:{100 * place:.1f}%"></i>'
        ends = {"fake": words.limit(limits.fake_at_least), "real": words.limit(limits.real_at_most)}
        told = words("estimate_scale", **ends) + (" " + words("look") if looks else "")
        scale = f"<p><small>{escape(told)}</small></p>"
    meter = f'<div class="meter" aria-hidden="true"><b style="width:{100 * p_fake:.1f}%"></b>{marks}</div>'
    return lines[0] + meter + scale


def _why(story: Story) -> str:
    verdict, words = story.verdict, story.words
    reason, person = cause_of(verdict), deciding(verdict)
    if reason is not None and _code(verdict) == "by_chance":
        return _by_chance(story, reason, words)
    if verdict.p_fake is None or person is None or not person.frames:
        return ""
    start, end = most_suspicious(person.frames)
    told = words(f"why_{verdict.outcome}", id=shown_number(person.id), when=words.span(start, end))
    more = _alone(story, person) if verdict.outcome is Outcome.REAL else _top_frame(story, person, start, end)
    return f"{told} {more}".rstrip()


def _alone(story: Story, person: Person) -> str:
    """That whoever comes closest is not without sign by itself, and why this does not count."""
    film, alone = story.film, person.p_fake or 0.0
    if film is None or not is_among_many(story.verdict):
        return ""
    kind = film.standing(person.id, alone).kind
    if kind == Outcome.REAL:
        return ""
    word, p = story.words(f"word_{kind}"), story.percent(alone)
    return story.words("why_real_among", word=word, alone=p, looks=film.looks)


def _top_frame(story: Story, person: Person, start: float, end: float) -> str:
    """Where the highest single frame is, if not in the stretch that stands out most as a whole."""
    top = max(person.frames, key=lambda one: one.p_fake or 0.0)
    if top.p_fake is None or start <= top.time_seconds <= end:
        return ""
    when = story.words.seconds(top.time_seconds)
    return story.words("why_top_frame", when=when, p=story.words.percent(top.p_fake))


def _by_chance(story: Story, reason: Reason, words: Words) -> str:
    values = reason.values
    start, end, alone, person = (
        values[name] for name in ("start_seconds", "end_seconds", "p_fake", "person")
    )
    assert isinstance(start, float) and isinstance(end, float)
    assert isinstance(alone, float) and isinstance(person, int)
    needed = story.film.needed if story.film is not None else None
    told = {"id": shown_number(person), "when": words.span(start, end), "alone": story.percent(alone)}
    if needed is None:
        return words("why_by_chance", looks=values["faces"], **told)
    limit = words.limit(round(needed, 3))
    return words("why_by_chance", looks=values["faces"], **told) + " " + words("why_needed", needed=limit)
