"""What stands first, as plain text: for the box at the top of the report, and for the page of the server."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from unmask.reasons import Reason, shown_number
from unmask.report.advice import advice, cause_code
from unmask.report.cards import fakes_found
from unmask.report.cautions import deciding, found_cautions
from unmask.report.evidence import strength_told
from unmask.report.film import too_thin
from unmask.report.light import is_dark
from unmask.report.parting import STANDS_OUT, cited, kind_of_person, parted_people, parted_stretches
from unmask.report.sections import MARKS, Story
from unmask.report.standing import cause_of, is_among_many, is_long, judged_people
from unmask.verdicts import Outcome, Person, Verdict

_HEADLINES = ("too_little", "drawn", "disagree")
"""Causes of an unsure verdict that have a headline of their own."""

_COUNTED = ("by_chance", "many_faces")
"""Those whose headline counts what stands out by itself."""

_UNJUDGED = {
    "picture": "picture",
    "worn": "picture",
    "small": "small",
    "short_side": "small",
    "lesser": "lesser",
    "unscored": "unscored",
    "doubtful": "doubtful",
}  # why a face did not count, and the message that tells it
_MOST_NAMED = 3  # faces that were not judged, told one by one


@dataclass(frozen=True, slots=True)
class ToldPerson:
    """Somebody who was judged, as the page tells of it.

    Attributes:
        id: As in the verdict.
        kind: An outcome, or ``alone``: suspicious by itself, and not among all looks.
        mark: Its shape.
        word: What it means.
        percent: The probability, by itself.
        why: Why it does not count; empty where it does.
        stands_out: Whether it is suspicious by itself.
    """

    id: int
    kind: str
    mark: str
    word: str
    percent: str
    why: str
    stands_out: bool


@dataclass(frozen=True, slots=True)
class Told:
    """The verdict in words.

    Attributes:
        language: Of all of them.
        headline: In one line.
        estimate: The probability; empty where there is none.
        real_at_most: Down to which probability it shows no sign; null where the card is not at hand.
        fake_at_least: From which on it is called manipulated; the same.
        scale: Both limits as sentences, and what the probability assumes.
        findings: Why, what was not judged, and how far to trust it: a sentence or two each.
        advice: What to do next: first what the finding is worth.
        strength: Of the evidence; empty where that is not known.
        light: That dark pictures were brightened for the eye; empty where they were not.
        people: Who was judged: first those who are suspicious by themselves, then the others by number.
    """

    language: str
    headline: str
    estimate: str
    real_at_most: float | None
    fake_at_least: float | None
    scale: str
    findings: list[str]
    advice: list[str]
    strength: str
    light: str
    people: list[ToldPerson]


def tell(story: Story) -> Told:
    """All that is told first of a verdict."""
    verdict, words, limits = story.verdict, story.words, story.thresholds
    thin = too_thin(story) if is_among_many(verdict) and not is_long(verdict) else ""
    found = (_why(story), thin, _weak(story), unjudged(story), _missed(story))
    number = verdict.p_fake
    return Told(
        language=words.language,
        headline=headline(story),
        estimate="" if number is None else words("estimate", p=story.percent(number)),
        real_at_most=None if limits is None else limits.real_at_most,
        fake_at_least=None if limits is None else limits.fake_at_least,
        scale="" if number is None else _scale(story),
        findings=[one for one in found if one],
        advice=advice(story),
        strength="" if verdict.strength is None else strength_told(verdict.strength, words),
        light=words("brightened") if is_dark(story.seen.brightness) else "",
        people=_people(story),
    )


def headline(story: Story) -> str:
    """The verdict in one line: by the cause, where the outcome alone would mislead."""
    verdict, words = story.verdict, story.words
    code = cause_code(verdict)
    if code not in _COUNTED:
        return words(headline_key(verdict))
    alone, _ = parted_stretches(story) if code == "by_chance" else parted_people(story)
    count = max(1, len(alone))
    faces = sum(one.p_fake is not None for one in verdict.people)
    return words(f"headline_{code}_{'one' if count == 1 else 'many'}", count=count, faces=faces)


def headline_key(verdict: Verdict) -> str:
    """The message that is the headline where nothing is counted in it."""
    reason = cause_of(verdict)
    code = reason.code if reason is not None and verdict.outcome is Outcome.UNSURE else ""
    return f"headline_{code}" if code in _HEADLINES else f"headline_{verdict.outcome}"


def _scale(story: Story) -> str:
    words, limits, film = story.words, story.thresholds, story.film
    if limits is None:
        return ""
    ends = {"fake": words.limit(limits.fake_at_least), "real": words.limit(limits.real_at_most)}
    told = words("estimate_scale", **ends)
    looks = film.looks if film is not None and is_among_many(story.verdict) else 0
    return f"{told} {words('estimate_looks', looks=looks)} {words('look')}" if looks else told


def _people(story: Story) -> list[ToldPerson]:
    told = [_person(story, one, one.p_fake or 0.0) for one in judged_people(story.verdict)]
    others = sorted((one for one in told if not one.stands_out), key=lambda one: one.id)
    return [*(one for one in told if one.stands_out), *others]


def _person(story: Story, person: Person, p_fake: float) -> ToldPerson:
    kind = kind_of_person(story, person)
    why = "" if story.film is None else story.film.standing(person.id, p_fake).why
    stands_out = kind in STANDS_OUT
    word = story.words(f"word_{kind}")
    return ToldPerson(person.id, kind, MARKS[kind], word, story.percent(p_fake), why, stands_out)


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
    words, half = story.words, found.kinds - found.below_half
    key = "fakes_missed" if half else "fakes_missed_all"
    return words(key, kinds=found.kinds, found=half)


def unjudged(story: Story) -> str:
    """How many faces were found and how many judged, and why not the others; empty where all were.

    What may be no face at all, or is seen in passing, is not counted: the list of what was left out has it.
    """
    people, words = story.verdict.people, story.words
    left = [one for one in people if one.dropped is not None and one.dropped.code in _UNJUDGED]
    judged = sum(one.p_fake is not None for one in people)
    if not left or not judged:
        return ""
    key = "found_one" if judged == 1 else "found_many"
    nothing = words("unjudged_nothing_one" if len(left) == 1 else "unjudged_nothing_many")
    return " ".join((words(key, faces=judged + len(left), judged=judged), _left(story, left), nothing))


def _left(story: Story, left: Sequence[Person]) -> str:
    words = story.words
    why = [_UNJUDGED[one.dropped.code] for one in left if one.dropped is not None]
    if len(left) > _MOST_NAMED:
        counted = Counter(why)
        told = [words(f"unjudged_{kind}") + f" ({count})" for kind, count in counted.items()]
        return words("unjudged_all", why=", ".join(told))
    return " ".join(
        words(
            "unjudged_person",
            id=shown_number(one.id),
            when=words.span(one.frames[0].time_seconds, one.frames[-1].time_seconds),
            why=words(f"unjudged_{kind}"),
        )
        for one, kind in zip(left, why, strict=True)
    )


def _why(story: Story) -> str:
    verdict, words = story.verdict, story.words
    reason, person = cause_of(verdict), deciding(verdict)
    if reason is not None and verdict.outcome is Outcome.UNSURE and reason.code == "by_chance":
        return _by_chance(story, reason)
    if verdict.p_fake is None or person is None or not person.frames:
        return ""
    start, end = cited(story, person)
    single = sum(one.p_fake is not None for one in verdict.people) == 1
    key = f"why_{verdict.outcome}"
    if single and words.has(f"{key}_one"):  # of one who was judged it is not said who is the most suspicious
        key += "_one"
    told = words(key, id=shown_number(person.id), when=words.span(start, end))
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
    told = story.words("why_real_among", word=word, alone=p, looks=film.looks)
    return f"{told} {film.chance(alone)}".rstrip()


def _top_frame(story: Story, person: Person, start: float, end: float) -> str:
    """Where the highest single frame is, if not in the stretch that stands out most as a whole."""
    top = max(person.frames, key=lambda one: one.p_fake or 0.0)
    if top.p_fake is None or start <= top.time_seconds <= end:
        return ""
    when = story.words.seconds(top.time_seconds)
    return story.words("why_top_frame", when=when, p=story.words.percent(top.p_fake))


def _by_chance(story: Story, reason: Reason) -> str:
    """Who looks manipulated by itself and when, how often chance does that, and what would count."""
    words, film, values = story.words, story.film, reason.values
    alone, number = values["p_fake"], values["person"]
    assert isinstance(alone, float) and isinstance(number, int)
    person = next((one for one in story.verdict.people if one.id == number), None)
    start, end = values["start_seconds"], values["end_seconds"]
    if person is not None and person.frames:
        start, end = cited(story, person)
    assert isinstance(start, float) and isinstance(end, float)
    told = {"id": shown_number(number), "when": words.span(start, end), "alone": story.percent(alone)}
    key = "why_by_chance" if is_long(story.verdict) else "why_by_chance_clip"  # which is cited by its peak
    parts = [words(key, looks=values["faces"], **told)]
    if film is not None:
        parts.append(film.chance(alone))
        if film.needed is not None:
            parts.append(words("why_needed", needed=words.limit(round(film.needed, 3))))
    return " ".join(filter(None, parts))
