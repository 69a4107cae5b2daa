"""The parts of a report about a closer look at a stretch: how to get one, and what one found."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from html import escape

from unmask.judge.calibration import bounded
from unmask.reasons import shown_number
from unmask.report.document import section, table
from unmask.report.film import said_of
from unmask.report.sections import MARKS, Story, paragraph
from unmask.report.standing import is_among_many
from unmask.report.words import Words
from unmask.shown import visible
from unmask.verdicts import Outcome, Segment, Verdict

MAX_STRETCHES = 5
"""That are offered for a closer look, the most suspicious first."""


def closer(story: Story) -> str:
    """Stretches to look at more closely; the command for each, and within the page a button in its place."""
    verdict, words = story.verdict, story.words
    examined_already = story.options.settings.judge.chosen_among
    if examined_already or verdict.is_still or not verdict.looks or not verdict.segments:
        return ""
    if verdict.looks == 1 and _is_whole(verdict):  # nothing was chosen among others
        return ""
    items = "".join(f"<li>{_ask(story, some)}</li>" for some in _by_time(verdict)[:MAX_STRETCHES])
    told = words("closer_note")
    if is_among_many(verdict):
        told += f" {words('closer_among', looks=verdict.looks)} {words('look')}"
    note = paragraph(told)
    return section(words("closer"), f'{note}<ul class="closer">{items}</ul>')


def _is_whole(verdict: Verdict) -> bool:
    """Whether the only stretch is all of the clip."""
    first, *more = verdict.segments
    starts, ends = first.start_seconds <= verdict.start_seconds, first.end_seconds >= verdict.end_seconds
    return not more and starts and ends


def _by_time(verdict: Verdict) -> list[list[Segment]]:
    """Stretches, the most suspicious first; people who are seen in the same one are together."""
    found: dict[tuple[float, float], list[Segment]] = {}
    for one in verdict.segments:
        found.setdefault((one.start_seconds, one.end_seconds), []).append(one)
    return list(found.values())


def _ask(story: Story, some: Sequence[Segment]) -> str:
    words, one = story.words, some[0]
    told = ", ".join(
        words("closer_person", id=shown_number(other.person), p=story.percent(other.p_fake))
        for other in some[:MAX_STRETCHES]
    ) + (" ..." if len(some) > MAX_STRETCHES else "")
    kind, _ = said_of(story, one)  # the shape says which, beside the words
    mark = f'<span aria-hidden="true">{MARKS[kind]}</span>'
    ask = words("closer_ask", when=words.span(one.start_seconds, one.end_seconds))
    return (
        f"{mark} {escape(told)}: "
        f'<details class="ask" data-examine="{one.start_seconds:.3f} {one.end_seconds:.3f}">'
        f"<summary>{escape(ask)}</summary>{escape(words('closer_command'))} "
        f"<code>{escape(visible(command(story, one)))}</code></details>"
    )


def command(story: Story, one: Segment) -> str:
    """What examines a stretch, as typed in a shell."""
    verdict, settings = story.verdict, story.options.settings
    first = verdict.start_seconds  # the command counts from the first frame
    times = (f"{max(time - first, 0.0):.2f}" for time in (one.start_seconds, one.end_seconds))
    models = [part for name in (settings.model, *settings.beside) if name for part in ("--model", name)]
    asked = ["--examine", "-".join(times), "--looks", str(verdict.looks), "--report", "closer.html"]
    return shlex.join(["unmask", "scan", verdict.path, *asked, *models])


def examined(story: Story) -> str:
    """What a closer look found: from how many looks the stretch was chosen, and how worse versions do."""
    verdict, words = story.verdict, story.words
    chosen = next((reason for reason in verdict.reasons if reason.code == "chosen"), None)
    parts = []
    if chosen is not None and verdict.p_fake is not None:
        alone = chosen.values["p_fake"]
        numbers = {"p": story.percent(verdict.p_fake), "looks": verdict.looks}
        if isinstance(alone, float):
            told = words("examined_note", alone=story.percent(bounded(alone)), **numbers)
            parts.append(paragraph(f"{told} {words('look')}"))
    if verdict.stability is not None:
        parts.append(f"<h3>{escape(words('worse'))}</h3><p>{escape(words('worse_note'))}</p>{_worse(story)}")
    return section(words("examined" if chosen else "worse"), "".join(parts)) if parts else ""


def _worse(story: Story) -> str:
    verdict, words = story.verdict, story.words
    stability = verdict.stability
    assert stability is not None  # the caller looked
    found: list[tuple[str, Outcome, float | None]] = [("as_is", verdict.outcome, verdict.p_fake)]
    found += [(name, outcome, stability.p_fake[name]) for name, outcome in stability.outcomes.items()]
    rows = [
        [
            escape(_version(name, words)),
            f"{MARKS[outcome]} {escape(words(f'word_{outcome}'))}",
            story.percent(p_fake) if p_fake is not None else escape(words("file_none")),
        ]
        for name, outcome, p_fake in found
    ]
    head = [words(f"column_{name}") for name in ("version", "verdict", "score")]
    return table(head, rows, text=2)


def _version(name: str, words: Words) -> str:
    kind, _, amount = name.partition(" ")
    told = words(f"version_{kind}") if words.has(f"version_{kind}") else kind
    return f"{told} ({amount})" if amount else told
