"""Where the model was measured, and whether a recording lies there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from unmask.judge.card import Card
from unmask.report.cautions import DARK_LEVEL, FEW_BITS_PER_PIXEL, SMALL_FACE_PX, deciding, face_px
from unmask.report.seen import Seen
from unmask.report.words import Words
from unmask.verdicts import Verdict
from unmask.video.stretches import SHORT_SECONDS


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing in which recordings differ.

    Attributes:
        name: Plain text.
        measured: Where the model was measured, or is said to work.
        here: What this recording has; empty where that is not known.
        inside: Whether it lies there; None where that is not known.
    """

    name: str
    measured: str
    here: str
    inside: bool | None


def conditions(verdict: Verdict, seen: Seen, words: Words) -> list[Condition]:
    """What is held against the model's domain; what is not known is told too."""
    return list(_conditions(verdict, seen, words))


def _conditions(verdict: Verdict, seen: Seen, words: Words) -> Iterator[Condition]:
    def told(name: str, here: float | None, least: float, digits: int = 0) -> Condition:
        """That a number reaches what it should."""
        shown = "" if here is None else words.number(here, digits=digits)
        measured = words("domain_least", least=words.number(least, digits=digits))
        return Condition(words(f"domain_{name}"), measured, shown, None if here is None else here >= least)

    shots = len(verdict.shots)
    seconds = verdict.end_seconds - verdict.start_seconds
    if verdict.shots:
        yield Condition(
            words("domain_length"),
            words("domain_short", seconds=f"{SHORT_SECONDS:g}"),
            words("domain_shots", seconds=words.number(seconds), shots=shots),
            shots == 1 and 0 < seconds <= SHORT_SECONDS,
        )
    person = deciding(verdict)
    face = face_px(person) if person is not None and person.frames else None
    yield told("face", face, SMALL_FACE_PX)
    yield told("detail", person.detail_px if person is not None else None, SMALL_FACE_PX)
    yield told("light", seen.brightness, DARK_LEVEL)
    bits = seen.facts.bits_per_pixel if seen.facts and seen.facts.bits_per_pixel else None
    yield told("bits", bits, FEW_BITS_PER_PIXEL, 3)


def families(card: Card) -> list[str]:
    """Kinds of manipulation that the card has figures of, in its own words."""
    names = [name.removesuffix("_auc") for name in card.scores if name.endswith("_auc")]
    return [name.removeprefix("strangers_").replace("_", " ") for name in names]
