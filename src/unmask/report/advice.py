"""What to do next: by what was found, where to look, and what of this very recording stands in the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from unmask.reasons import Reason, shown_number
from unmask.report.cautions import deciding, found_cautions
from unmask.report.parting import cited, parted_people, parted_stretches
from unmask.report.sections import Story
from unmask.report.standing import cause_of, is_among_many, is_long
from unmask.verdicts import Outcome, Verdict

_KNOWN = (
    "by_chance",
    "many_faces",
    "few_frames",
    "small_face",
    "little_detail",
    "drawn",
    "disagree",
    "other_streams",
)
"""Causes of an unsure verdict that have advice of their own, which needs no more about the picture."""

_WATCHED = ("by_chance", "many_faces", "disagree")  # of these, where it helps to watch somebody at a time
_HINTED = ("", "between", "between_among", "many_faces")  # and where a better picture may help
_MOST_HINTS = 2


def advice(story: Story) -> list[str]:
    """Sentences in the order in which they are told: what the finding is worth, whom to watch, what helps."""
    verdict, words = story.verdict, story.words
    told = [words(advice_key(verdict))]
    if not verdict.outcome.has_number:
        return told
    code = cause_code(verdict)
    if code in _KNOWN and code not in _WATCHED:
        return told
    told += filter(None, (_watch(story),))
    return told + (_hints(story) if code in _HINTED else [])


def advice_key(verdict: Verdict) -> str:
    """The message that comes first, by the cause."""
    code = cause_code(verdict)
    return f"advice_{code}" if code in _KNOWN else f"meaning_{verdict.outcome}"


def cause_code(verdict: Verdict) -> str:
    """Why it cannot be told, and of too little the kind; empty for another outcome, or where nobody says."""
    reason = cause_of(verdict)
    if reason is None or verdict.outcome is not Outcome.UNSURE:
        return ""
    if reason.code == "by_chance" and not is_long(verdict):
        return "many_faces"
    why = reason.values.get("why")
    return why.code if isinstance(why, Reason) else reason.code


def _watch(story: Story) -> str:
    """Whom to watch when: what stands out by itself, apart from that of which it cannot be told."""
    verdict, words = story.verdict, story.words
    person = deciding(verdict)
    if is_among_many(verdict) and is_long(verdict):
        if not verdict.segments:
            return ""
        first = verdict.segments[0]
        told = {"id": shown_number(first.person), "when": words.span(first.start_seconds, first.end_seconds)}
        if verdict.outcome is Outcome.FAKE:
            return words("watch_person", **told)
        return _counted(story, "stretches", parted_stretches(story), told)
    if person is None or not person.frames:
        return ""
    told = {"id": shown_number(person.id), "when": words.span(*cited(story, person))}
    if is_among_many(verdict) and verdict.outcome is not Outcome.FAKE and verdict.segments:
        return _counted(story, "faces", parted_people(story), told)
    if verdict.outcome is Outcome.REAL:
        return ""
    return words("watch_face" if verdict.is_still else "watch_person", **told)


def _counted(
    story: Story, kind: str, parted: tuple[Sequence[object], Sequence[object]], first: Mapping[str, object]
) -> str:
    """How many stand out by themselves and who is first, and of how many it cannot be told."""
    words, (alone, between) = story.words, map(len, parted)

    def said(key: str, count: int) -> str:
        many = "one" if count == 1 else "many"
        return words(f"watch_{kind}_{key}_{many}", count=count, **first) if count else ""

    if not alone:
        return said("open", between)
    return f"{said('alone', alone)} {said('between', between)}".rstrip()


def _hints(story: Story) -> list[str]:
    """What would make this finding surer, by what weakens it; where nothing does, what helps instead."""
    verdict, words = story.verdict, story.words
    found = [one.code for one in found_cautions(verdict, story.seen, story.card, words)]
    hints = [words(f"hint_{code}") for code in found if words.has(f"hint_{code}")]
    if not hints and verdict.outcome is Outcome.UNSURE:
        known = [words("hint_none")] if story.seen.is_looked_at else []
        return [*known, words("hint_others")]
    return hints[:_MOST_HINTS]
