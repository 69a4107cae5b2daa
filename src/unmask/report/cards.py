"""The card of the model that judged, if it is still at hand."""

from __future__ import annotations

from dataclasses import dataclass

from unmask.config import ScanSettings
from unmask.errors import ModelError
from unmask.judge.card import Card, Score, card_path, read_card
from unmask.verdicts import Verdict

_HALF = 0.5


def card_of(verdict: Verdict, settings: ScanSettings) -> Card | None:
    """The card that the settings name, or None where it is not that of the weights in the verdict."""
    card = card_at_hand(settings)
    return card if card is not None and card.model_name == verdict.model else None


def card_at_hand(settings: ScanSettings) -> Card | None:
    """The card that the settings name, or None where it cannot be read."""
    try:
        return read_card(card_path(settings.model))
    except ModelError:
        return None


@dataclass(frozen=True, slots=True)
class FakesFound:
    """How many fakes are found that are of sources that a model never learned from.

    Attributes:
        kinds: Of fakes that were measured.
        below_half: In how many of them fewer than half were found.
    """

    kinds: int
    below_half: int


def fakes_found(card: Card, settings: ScanSettings) -> FakesFound | None:
    """How many fakes of strangers are called fake, kind by kind; None as `false_alarms`."""
    if settings.threshold is not None or settings.beside:
        return None
    kinds = [
        score
        for name, score in card.scores.items()
        if name.startswith("strangers_") and name.endswith("_found")
    ]
    if not kinds:
        return None
    return FakesFound(len(kinds), sum(score.value < _HALF for score in kinds))


def false_alarms(card: Card, settings: ScanSettings) -> Score | None:
    """How many real videos are called fake: the worst figure on the card, or None.

    A card may have one of real videos that a part of the model learned from, and one of those that it never
    saw; a reader must not be told the kinder one. With a threshold of one's own none of them holds, nor where
    several models have to agree.
    """
    if settings.threshold is not None or settings.beside:
        return None
    found = [score for name, score in card.scores.items() if name.startswith("false_alarms_on_")]
    return max(found, key=lambda score: score.value, default=None)
