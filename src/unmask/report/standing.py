"""How a person or a stretch stands in its film: what looks suspicious by itself need not count among all."""

from __future__ import annotations

from dataclasses import dataclass

from unmask.judge.alone import chance_among, needed_alone
from unmask.judge.calibration import MOST_P_FAKE, Thresholds
from unmask.judge.card import Card
from unmask.judge.verdict import CALIBRATED_PEOPLE
from unmask.reasons import Reason, in_short
from unmask.report.cautions import deciding
from unmask.report.words import Words
from unmask.verdicts import Outcome, Person, Verdict
from unmask.video.stretches import SHORT_SECONDS

ALONE = "alone"
"""In place of an outcome: suspicious by itself, and not in the film."""

MARK_ALONE = "△"


@dataclass(frozen=True, slots=True)
class Standing:
    """What is said of one person or stretch.

    Attributes:
        kind: An outcome, or `ALONE`.
        why: Why it does not count, as a sentence; empty where it does.
    """

    kind: str
    why: str = ""


class Film:
    """What the film says of its parts.

    Args:
        verdict: Of the film.
        thresholds: Of one look.
        card: Of the model that judged, or None.
        words: In the reader's language.

    Attributes:
        thresholds: Of one look.
        looks: How many looks at a face the verdict takes into account; 0 where that is not known.
        needed: From which probability on one look counts by itself; None where that is not known.
    """

    def __init__(self, verdict: Verdict, thresholds: Thresholds, card: Card | None, words: Words) -> None:
        self._verdict, self.thresholds, self._words = verdict, thresholds, words
        self._first = deciding(verdict)
        self.looks = looks_taken(verdict)
        self.needed: float | None = None
        self._calibration = None if card is None else card.calibration
        if card is not None and self.looks:
            most = thresholds.fake_at_least
            self.needed = (
                needed_alone(most, card.calibration, looks=self.looks) if is_among_many(verdict) else most
            )

    @property
    def needs_more(self) -> bool:
        """Whether one look must be clearly more suspicious to count among all than by itself."""
        return self.needed is not None and self.needed > self.thresholds.fake_at_least + 1e-4

    def chance(self, p_fake: float) -> str:
        """How often one of so many looks at real faces gets this far; empty where that is not known."""
        if self._calibration is None or not is_among_many(self._verdict):
            return ""
        share = chance_among(p_fake, self._calibration, looks=self.looks)
        count = max(1, round(100 * share))
        return self._words("chance", looks=self.looks, count=count) if count < 100 else ""

    @property
    def limits(self) -> tuple[float, ...]:
        """Every probability at which something becomes another word."""
        own = (self.thresholds.real_at_most, self.thresholds.fake_at_least)
        return own if self.needed is None else (*own, self.needed)

    def standing(self, person: int, p_fake: float) -> Standing:
        """How somebody stands who is given this probability by himself."""
        outcome = self.thresholds.outcome(p_fake)
        if outcome is not Outcome.FAKE:
            return Standing(outcome.value)
        if self._verdict.outcome is not Outcome.FAKE:
            return Standing(ALONE, self._why(person))
        first = self._first is not None and self._first.id == person
        if first or self.needed is None or p_fake >= min(self.needed, MOST_P_FAKE):
            return Standing(outcome.value)
        return Standing(ALONE, self._among())

    def _why(self, person: int) -> str:
        reason = cause_of(self._verdict)
        code = reason.code if reason is not None else ""
        if code == "disagree":
            return self._words("alone_models")
        if reason is not None and code in ("too_little", "drawn") and reason.values["person"] == person:
            why = reason.values.get("why")
            return (
                self._words("alone_thin", why=in_short(why, self._words.language))
                if isinstance(why, Reason) and why.code != "drawn"
                else self._words("alone_drawn")
            )
        return self._among() if is_among_many(self._verdict) else self._words("alone_film")

    def _among(self) -> str:
        if self.needed is None:
            return self._words("alone_film")
        limit = self._words.limit(round(self.thresholds.fake_at_least, 4))
        needed = self._words.limit(round(self.needed, 3))
        return self._words("alone_among", looks=self.looks, limit=limit, needed=needed)


def cause_of(verdict: Verdict) -> Reason | None:
    """What decides the verdict; None in verdicts of earlier versions."""
    return verdict.reasons[0] if verdict.reasons else None


def judged_people(verdict: Verdict) -> list[Person]:
    """Who was judged, most suspicious first."""
    judged = [person for person in verdict.people if person.p_fake is not None]
    return sorted(judged, key=lambda person: (-(person.p_fake or 0.0), person.id))


def looks_taken(verdict: Verdict) -> int:
    """How many looks at a face the verdict takes into account; 0 where it does not say so."""
    reason = cause_of(verdict)
    told = reason.values.get("faces", 0) if reason is not None else 0  # before they were counted
    return verdict.looks or (told if isinstance(told, int) else 0)


def is_among_many(verdict: Verdict) -> bool:
    """Whether looks are judged together, so that one must stand out more to count."""
    return looks_taken(verdict) > (1 if is_long(verdict) else CALIBRATED_PEOPLE)


def is_long(verdict: Verdict) -> bool:
    """Whether it was looked at in several stretches."""
    return len(verdict.shots) > 1 or verdict.end_seconds - verdict.start_seconds > SHORT_SECONDS
