"""How strongly what was seen speaks for one of two propositions, and the conclusion on each."""

from __future__ import annotations

from html import escape

from unmask.report.cards import false_alarms
from unmask.report.document import section
from unmask.report.sections import Story, pairs
from unmask.report.words import Words
from unmask.verdicts import Outcome, Strength, Verdict

STEPS = (2.0, 10.0, 100.0)
"""Likelihood ratios at which words get stronger, after ENFSI's guideline for evaluative reporting (2015)."""

INCONSISTENT_FROM = 10.0
"""What the whole interval must reach before a proposition is called inconsistent with what was seen."""

RECORDED, MANIPULATED = "recorded", "manipulated"
"""The two propositions: all faces are as recorded; a face was swapped, reenacted or generated."""


def evidence(story: Story) -> str:
    """The two propositions, the conclusion on each, and the strength; empty where nothing was judged."""
    verdict, words = story.verdict, story.words
    if not verdict.outcome.has_number:
        return ""
    forms = conclusions(verdict)
    rows = [
        (words(f"proposition_{name}"), f"<b>{escape(words(f'form_{forms[name]}'))}</b>")
        for name in (RECORDED, MANIPULATED)
    ]
    if verdict.strength is None:
        rows.append((words("strength"), escape(words("strength_none"))))
    else:
        told = [strength_told(verdict.strength, words)]
        neutral = step_of(verdict.strength) == 0  # then neither scale nor cap says anything
        if not neutral:
            told.append(words("strength_scale"))
        if not neutral and story.card is not None and story.card.calibration.sources:
            sources = story.card.calibration.sources
            told.append(words("strength_cap", sources=sources, most=sources + 1))
        rows.append((words("strength"), escape(" ".join(told))))
    if alarms := _false_alarms(story):
        rows.append((words("alarms"), escape(alarms)))
    return section(words("evidence"), pairs(rows) + f"<p><small>{escape(words('forms_note'))}</small></p>")


def conclusions(verdict: Verdict) -> dict[str, str]:
    """For each proposition ``consistent``, ``inconsistent`` or ``inconclusive``, the forms of SWGDE 23-V-001.

    What makes a verdict is consistent with its own proposition. The other one is inconsistent with it only
    where the whole interval of the likelihood ratio reaches `INCONSISTENT_FROM`.
    """
    forms = dict.fromkeys((RECORDED, MANIPULATED), "inconclusive")
    if verdict.outcome not in (Outcome.FAKE, Outcome.REAL):
        return forms
    fake, strength = verdict.outcome is Outcome.FAKE, verdict.strength
    own, other = (MANIPULATED, RECORDED) if fake else (RECORDED, MANIPULATED)
    forms[own] = "consistent"
    if strength is not None:
        least = strength.low if fake else 1 / strength.high
        forms[other] = "inconsistent" if least >= INCONSISTENT_FROM else "inconclusive"
    return forms


def step_of(strength: Strength) -> int:
    """How many of `STEPS` the likelihood ratio reaches, towards the side that it supports."""
    ratio = max(strength.likelihood_ratio, 1 / strength.likelihood_ratio)
    return sum(ratio >= step for step in STEPS)


def strength_told(strength: Strength, words: Words) -> str:
    """The likelihood ratio with its interval, and the word for it, as sentences; neutral comes first."""
    side = "fake" if strength.likelihood_ratio >= 1 else "real"
    ends = strength.likelihood_ratio, strength.low, strength.high
    ratio, low, high = ends if side == "fake" else (1 / ends[0], 1 / ends[2], 1 / ends[1])
    told = {name: words.number(n, digits=2) for name, n in (("ratio", ratio), ("low", low), ("high", high))}
    step = step_of(strength)
    if step == 0:
        return words("strength_neutral", side=words(f"side_{side}"), **told)
    return words(f"strength_{side}", word=words(f"strength_{step}"), **told)


def _false_alarms(story: Story) -> str:
    alarms = false_alarms(story.card, story.options.settings) if story.card else None
    if alarms is None or story.verdict.outcome is not Outcome.FAKE:
        return ""
    counts = {name: f"{100 * getattr(alarms, name):.0f}" for name in ("low", "high")}
    return story.words("false_alarms", count=f"{100 * alarms.value:.0f}", clips=alarms.clips, **counts)
