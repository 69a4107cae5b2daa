"""The parts of a report that are words and tables: the verdict, what was left out, the file, the method."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from html import escape
from typing import Any

from unmask.config import ScanSettings
from unmask.judge.calibration import Thresholds
from unmask.judge.card import Card
from unmask.reasons import Reason, sentences, shown_number
from unmask.report.card_words import card_text, figure_name
from unmask.report.cautions import cautions, when_seen
from unmask.report.document import section, table
from unmask.report.options import ReportOptions
from unmask.report.provenance import provenance
from unmask.report.seen import Seen
from unmask.report.standing import ALONE, Film
from unmask.report.words import Words
from unmask.shown import visible
from unmask.verdicts import Outcome, Verdict
from unmask.video.facts import Facts

MAX_ROWS = 50
MARKS: dict[str, str] = {
    Outcome.FAKE: "▲",
    Outcome.REAL: "●",
    Outcome.UNSURE: "◆",
    Outcome.NO_FACE: "○",
    Outcome.UNREADABLE: "✕",
    Outcome.ERROR: "!",
    ALONE: "△",
}
"""A shape for each outcome, as colour is never the only sign."""


@dataclass(frozen=True, slots=True)
class Story:
    """Everything that a report is made from.

    Attributes:
        verdict: What was judged.
        seen: What reading the file again gave.
        options: How the report is made.
        card: Of the model that judged; None where it is not at hand.
        thresholds: Probability to word; None without a card.
        words: In the reader's language.
        film: How people and stretches stand in it; None without a card.
    """

    verdict: Verdict
    seen: Seen
    options: ReportOptions
    card: Card | None
    thresholds: Thresholds | None
    words: Words
    film: Film | None

    def percent(self, p_fake: float) -> str:
        """A probability in per cent, told so that it is on the same side of each limit as it is."""
        return self.words.percent(p_fake, () if self.film is None else self.film.limits)


def caution_list(story: Story) -> str:
    """Reasons for care; empty where there are none."""
    found = cautions(story.verdict, story.seen, story.card, story.words)
    items = "".join(f"<li>{escape(text)}</li>" for text in found)
    return section(story.words("cautions"), f"<ul>{items}</ul>") if items else ""


def left_out(story: Story) -> str:
    """Faces that did not count, and why."""
    words = story.words
    dropped = [person for person in story.verdict.people if not person.kept]
    if not dropped:
        return ""
    head = [words(f"column_{name}") for name in ("when", "why", "person", "frames")]
    rows = [
        [
            words.span(person.frames[0].time_seconds, person.frames[-1].time_seconds)
            if person.frames
            else "",
            in_words((person.dropped,), person.why_dropped or "", words),
            str(shown_number(person.id)),
            str(len(person.frames)),
        ]
        for person in dropped[:MAX_ROWS]
    ]
    more = _more(words, "left_out_more", len(dropped))
    return section(words("left_out"), paragraph(words("left_out_note")) + table(head, rows, text=2) + more)


def file_facts(story: Story) -> str:
    """What the file is and says of itself."""
    verdict, words, facts = story.verdict, story.words, story.seen.facts
    name = words("file_name") if story.options.name_only else words("file_path")
    rows = [(name, f"<bdi>{escape(visible(verdict.path))}</bdi>")]
    sha256 = verdict.sha256 or (facts.sha256 if facts else None)
    if sha256:
        rows.append((words("file_sha256"), f"<code>{escape(sha256)}</code>"))
    if facts is not None:
        rows += _facts(facts, words)
    if verdict.shots:
        when = when_seen(verdict, words)
        frames = sum(shot.frames for shot in verdict.shots)
        looked = words("file_looked_at", when=when, frames=frames, shots=len(verdict.shots))
        rows.append((words("file_looked"), escape(looked)))
    if story.seen.credentials is not None:
        rows.append((words("file_c2pa"), escape(provenance(story.seen.credentials, words))))
    return section(words("file"), pairs(rows))


def _facts(facts: Facts, words: Words) -> list[tuple[str, str]]:
    size = words("file_bytes", size=words.size(facts.size_bytes), bytes=facts.size_bytes)
    picture = words("file_pixels", width=facts.width, height=facts.height)
    if facts.frames_per_second:
        picture += ", " + words("file_rate", rate=words.number(facts.frames_per_second, digits=2))
    rows = [
        (words("file_size"), escape(size)),
        (words("file_format"), escape(visible(f"{facts.container}, {facts.codec}"))),
        (words("file_picture"), escape(picture)),
    ]
    if facts.duration_seconds:
        rows.append((words("file_duration"), words.seconds(facts.duration_seconds)))
    tags = _rows(f"<bdi>{escape(visible(f'{name}: {value}'))}</bdi>" for name, value in facts.tags)
    rows.append((words("file_tags"), tags or escape(words("file_none"))))
    signs = ", ".join(visible(sign) for sign in facts.reencoded)
    told = words("file_encoded_yes", signs=signs) if signs else words("file_encoded_no")
    return [*rows, (words("file_encoded"), f"<bdi>{escape(told)}</bdi>")]


def method(story: Story) -> str:
    """Model, versions, settings, and the command that repeats it."""
    verdict, words, card = story.verdict, story.words, story.card
    version = f" {card.version}" if card else ""
    rows = [
        (words("method_model"), escape(visible(verdict.model.name + version))),
        (words("method_sha256"), f"<code>{escape(visible(verdict.model.sha256))}</code>"),
        (words("method_program"), escape(visible(f"unmask {verdict.unmask}"))),
        (words("method_made"), escape(made_on(story.options))),
    ]
    if story.options.command:
        rows.append((words("method_command"), f"<code>{escape(visible(story.options.command))}</code>"))
    changed = changed_settings(story.options.settings)
    text = "<br>".join(escape(visible(line)) for line in changed) or escape(words("method_usual"))
    rows.append((words("method_settings"), text))
    if total := verdict.seconds.get("total"):
        rows.append((words("method_time"), words.seconds(total)))
    extra = ""
    if card is not None:
        language = words.language
        rows += [
            (words("method_licence"), card_text(f"{card.licence}. {card.terms}", language)),
            (words("method_data"), _rows(card_text(text, language) for text in card.training_data)),
            (words("method_limits"), _rows(card_text(text, language) for text in card.limits)),
        ]
        extra = _scores(card, words)
    return section(words("method"), pairs(rows) + extra)


def made_on(options: ReportOptions) -> str:
    """When the report is made, for a reader: ``2026-05-01 12:00 UTC``."""
    date, _, time = options.made_at.partition("T")
    return f"{date} {time[:5]} UTC"


def _scores(card: Card, words: Words) -> str:
    head = [words(f"column_{name}") for name in ("figure", "value", "interval", "clips")]
    rows = [
        [
            figure_name(name, words.language),
            words.number(score.value, digits=3),
            f"{words.number(score.low, digits=3)} - {words.number(score.high, digits=3)}",
            str(score.clips),
        ]
        for name, score in card.scores.items()
    ]
    return f"<details><summary>{escape(words('method_scores'))}</summary>{table(head, rows)}</details>"


def limits(story: Story) -> str:
    """What no report of this kind can say."""
    words = story.words
    items = "".join(
        f"<li>{escape(words(f'limit_{key}'))}</li>" for key in ("estimate", "meaning", "who", "intent")
    )
    return section(words("limits"), f"<ul>{items}</ul>")


def changed_settings(settings: ScanSettings) -> list[str]:
    """Settings that are not the default, as ``decode.frames = 60``."""
    return _changed(settings, ScanSettings(), "")


def _changed(now: Any, usual: Any, prefix: str) -> list[str]:
    lines = []
    for one in fields(now):
        mine, theirs = getattr(now, one.name), getattr(usual, one.name)
        if is_dataclass(mine):
            lines += _changed(mine, theirs, f"{prefix}{one.name}.")
        elif mine != theirs:
            lines.append(f"{prefix}{one.name} = {json.dumps(mine, default=str)}")
    return lines


def in_words(reasons: Sequence[Reason | None], english: str, words: Words) -> str:
    """Reasons as HTML in the reader's language; in English, and marked so, where there are no words for them.

    Args:
        reasons: As data; none in verdicts of earlier versions.
        english: The same as a sentence.
        words: In the reader's language.
    """
    known = [reason for reason in reasons if reason is not None and reason.is_known]
    if not known or len(known) < len(reasons):
        return in_english(english)
    return escape(visible(sentences(known, words.language)))


def pairs(rows: Sequence[tuple[str, str]]) -> str:
    """A list of names (plain text) and what belongs to each (HTML)."""
    items = "".join(f"<dt>{escape(name)}</dt><dd>{content}</dd>" for name, content in rows)
    return f'<dl class="facts">{items}</dl>'


def _rows(texts: Iterable[str]) -> str:
    """Pieces of HTML, each in a line of its own on the screen, one after the other on paper."""
    return " ".join(f'<span class="row">{text}</span>' for text in texts)


def _more(words: Words, key: str, count: int) -> str:
    return paragraph(words(key, count=count - MAX_ROWS)) if count > MAX_ROWS else ""


def in_english(text: str) -> str:
    """Text that is in English in every language, marked so."""
    return f'<span lang="en">{escape(visible(text))}</span>'


def paragraph(text: str) -> str:
    """Plain text as a paragraph of HTML."""
    return f"<p>{escape(text)}</p>"
