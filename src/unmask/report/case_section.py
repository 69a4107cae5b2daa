"""The parts of a report that a case file adds: who and what, hashes, the model's domain, and each stream."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from unmask.report.card_words import card_text
from unmask.report.case import TOLD, Case, HashedFile
from unmask.report.document import section, table
from unmask.report.domain import conditions, families
from unmask.report.sections import Story, pairs, paragraph
from unmask.report.words import Words
from unmask.shown import visible
from unmask.video.facts import StreamFacts


def case_section(story: Story) -> str:
    """All of it; empty where the report belongs to no case."""
    case, words = story.options.case, story.words
    if case is None:
        return ""
    parts = [
        section(words("case"), _details(case, words) + _hashes(story, case)),
        section(words("domain"), _domain(story)),
        section(words("streams"), _streams(story)),
    ]
    return "".join(parts)


def _details(case: Case, words: Words) -> str:
    told = [(words(f"case_{name}"), getattr(case.details, name)) for name in TOLD]
    rows = [(name, f"<bdi>{escape(visible(text))}</bdi>") for name, text in told if text]
    return pairs(rows) if rows else paragraph(words("case_no_details"))


def _hashes(story: Story, case: Case) -> str:
    words, verdict = story.words, story.verdict
    rows = [(words("case_working_copy"), _file(case.working_copy))]
    if case.original is None:
        rows.insert(0, (words("case_original"), escape(words("case_no_original"))))
    else:
        same = case.original.sha256 == case.working_copy.sha256
        note = escape(words("case_same" if same else "case_differs"))
        rows.insert(0, (words("case_original"), f"{_file(case.original)}<br>{note}"))
    for key, value in (
        ("case_tool", f"{case.tool_sha256} (unmask {verdict.unmask})"),
        ("case_model", f"{verdict.model.sha256} ({verdict.model.name})"),
        ("case_settings", case.settings_sha256),
    ):
        rows.append((words(key), f"<code>{escape(visible(value))}</code>"))
    return f"<h3>{escape(words('case_hashes'))}</h3>{pairs(rows)}<p>{escape(words('case_log'))}</p>"


def _file(file: HashedFile) -> str:
    return f"<bdi>{escape(visible(file.name))}</bdi><br><code>{file.sha256}</code>"


def _domain(story: Story) -> str:
    words = story.words
    found = conditions(story.verdict, story.seen, words)
    said = {True: "domain_inside", False: "domain_outside", None: "domain_unknown"}
    rows = [
        [escape(one.name), escape(one.measured), escape(one.here), escape(words(said[one.inside]))]
        for one in found
    ]
    head = [words(f"column_{name}") for name in ("condition", "measured", "here", "inside")]
    whole = words("domain_all" if all(one.inside for one in found) else "domain_not_all")
    kinds = ""
    if story.card is not None and (names := families(story.card)):
        told = ", ".join(card_text(name, words.language) for name in names)
        kinds = f"<p>{escape(words('domain_kinds'))} {told}. {escape(words('domain_other_kinds'))}</p>"
    return f"<p>{escape(whole)}</p>{table(head, rows, text=4)}{kinds}"


def _streams(story: Story) -> str:
    words, facts = story.words, story.seen.facts
    streams: Sequence[StreamFacts] = facts.streams if facts else ()
    if not streams:
        return f"<p>{escape(words('streams_none'))}</p>"
    rows = [
        [
            str(one.index),
            escape(visible(f"{one.kind} {one.codec}".strip())),
            escape(_finding(one, story)),
        ]
        for one in streams
    ]
    return table([words(f"column_{name}") for name in ("stream", "kind", "finding")], rows, text=3)


def _finding(stream: StreamFacts, story: Story) -> str:
    words = story.words
    if stream.looked_at:
        return words(f"headline_{story.verdict.outcome}")
    if stream.kind in ("video", "audio"):
        return words(f"stream_{stream.kind}")
    return words("stream_other")
