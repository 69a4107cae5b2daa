"""Who is measured: models with a card of ours, and peers from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from unmask.config import ScoreSettings
from unmask.errors import SettingsError
from unmask.judge.card import Card, card_path, read_card
from unmask.judge.score import CropScorer, load_model
from unmask.lab.evaluate.peers import PEERS


@dataclass(frozen=True, slots=True)
class Contender:
    """One model to be measured.

    Attributes:
        name: Unique among those that are measured together.
        path: Of the card, or of a peer's weights; None takes the shipped model.
        peer: Key of `PEERS`, or None for a model with a card.
    """

    name: str
    path: str | None = None
    peer: str | None = None


def list_contenders(models: Sequence[str], peers: Sequence[str]) -> tuple[Contender, ...]:
    """Make sense of what was asked for; nothing at all means the shipped model.

    Args:
        models: Paths of cards.
        peers: ``NAME=WEIGHTS`` each, with a name of `PEERS`.

    Raises:
        ModelError: A card cannot be read.
        SettingsError: A peer is unknown or its file absent.
    """
    found = [Contender(read_card(card_path(path)).name, path) for path in models]
    for given in peers:
        name, equals, path = given.partition("=")
        if name not in PEERS:
            raise SettingsError(f"unknown peer {name!r}; choose from: {', '.join(PEERS)}")
        if not equals or not Path(path).is_file():
            raise SettingsError(f"a peer is given as NAME=WEIGHTS with a file of weights, got {given!r}")
        found.append(Contender(f"{name} {Path(path).stem}", path, name))
    if not found:
        found = [Contender(read_card(card_path(None)).name)]
    return tuple(_told_apart(found))


def _told_apart(found: Sequence[Contender]) -> list[Contender]:
    """Models of one name are numbered."""
    apart: list[Contender] = []
    for one in found:
        same = sum(other.name == one.name for other in found[: len(apart)])
        name = f"{one.name} ({same + 1})" if same else one.name
        apart.append(Contender(name, one.path, one.peer))
    return apart


def load_contender(contender: Contender, settings: ScoreSettings) -> CropScorer:
    """Load its networks.

    Raises:
        ModelError: Card or weights break a rule.
        MissingExtraError: A peer needs a package that is not installed.
    """
    if contender.peer is not None:
        return PEERS[contender.peer](Path(contender.path or ""))
    return load_model(contender.path, settings)


def contender_card(contender: Contender) -> Card:
    """What is known of it; for a peer this loads its weights."""
    if contender.peer is not None:
        return load_contender(contender, ScoreSettings()).card
    return read_card(card_path(contender.path))
