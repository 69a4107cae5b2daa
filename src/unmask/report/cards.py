"""The card of the model that judged, if it is still at hand."""

from __future__ import annotations

from unmask.config import ScanSettings
from unmask.errors import ModelError
from unmask.judge.card import Card, Score, card_path, read_card
from unmask.verdicts import Verdict


def card_of(verdict: Verdict, settings: ScanSettings) -> Card | None:
    """The card that the settings name, or None where it is not that of the weights in the verdict."""
    try:
        card = read_card(card_path(settings.model))
    except ModelError:
        return None
    return card if card.model_name == verdict.model else None


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
