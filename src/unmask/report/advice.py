"""What to do next: by what was found, where to look, and what of this very recording stands in the way."""

from __future__ import annotations

from unmask.judge.reasons import most_suspicious
from unmask.reasons import Reason, shown_number
from unmask.report.cautions import deciding, found_cautions
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
    """Whom to watch when: the most suspicious stretch, or where the deciding person stands out most."""
    verdict, words = story.verdict, story.words
    person = deciding(verdict)
    if is_among_many(verdict) and is_long(verdict):
        if not verdict.segments:
            return ""
        first, count = verdict.segments[0], len(verdict.segments)
        who, when = first.person, words.span(first.start_seconds, first.end_seconds)
        key = "watch_one" if count == 1 else "watch_first"
        if verdict.outcome is Outcome.FAKE:
            key = "watch_person"
        return words(key, count=count, id=shown_number(who), when=when)
    if person is None or not person.frames:
        return ""
    when = words.span(*most_suspicious(person.frames))
    if is_among_many(verdict) and verdict.outcome is not Outcome.FAKE and len(verdict.segments) > 1:
        return words("watch_faces", count=len(verdict.segments), id=shown_number(person.id), when=when)
    if verdict.outcome is Outcome.REAL:
        return ""
    if verdict.is_still:
        return words("watch_face", id=shown_number(person.id))
    return words("watch_person", id=shown_number(person.id), when=when)


def _hints(story: Story) -> list[str]:
    """What would make this finding surer, by what weakens it; where nothing does, what helps instead."""
    verdict, words = story.verdict, story.words
    found = [one.code for one in found_cautions(verdict, story.seen, story.card, words)]
    hints = [words(f"hint_{code}") for code in found if words.has(f"hint_{code}")]
    if not hints and verdict.outcome is Outcome.UNSURE:
        return [words("hint_none")]
    return hints[:_MOST_HINTS]
