"""What the cards of the shipped models say, in other languages; cards themselves are in English."""

from __future__ import annotations

import json
import re
from functools import cache
from html import escape
from pathlib import Path

from unmask.shown import visible

_TABLES = Path(__file__).with_name("card_words.json")


def card_text(text: str, language: str) -> str:
    """A text of a card as HTML, in the reader's language; marked as English where it has no other words.

    >>> card_text("It judges pictures only: a changed voice or a changed meaning is not seen.", "de")[:26]
    'Sie beurteilt nur Bilder: '
    >>> card_text("unheard of", "de")
    '<span lang="en">unheard of</span>'
    """
    if language == "en":
        return f'<span lang="en">{escape(visible(text))}</span>'
    found = translated(text, language)
    return escape(visible(found)) if found else f'<span lang="en">{escape(visible(text))}</span>'


def translated(text: str, language: str) -> str:
    """A text of a card in another language; empty where there are no words for it.

    >>> translated("195 real videos of 51 sources", "de"), translated("unheard of", "de")
    ('195 echte Videos aus 51 Quellen', '')
    """
    for pattern, wording in _wordings(language):
        if match := pattern.fullmatch(text):
            return match.expand(wording)
    return ""


def figure_name(name: str, language: str) -> str:
    """The name of a measured figure, as HTML.

    >>> figure_name("strangers_DFDC_auc", "de")
    'AUC, fremde Quellen: DFDC'
    """
    return card_text(name.replace("_", " "), language)


@cache
def _wordings(language: str) -> list[tuple[re.Pattern[str], str]]:
    tables: dict[str, list[list[str]]] = json.loads(_TABLES.read_text(encoding="utf-8"))
    return [(re.compile(pattern), wording) for pattern, wording in tables.get(language, ())]
