import json
from pathlib import Path

import pytest

from unmask.judge.card import card_path, read_card
from unmask.report.card_words import card_text, figure_name, translated

CARDS = sorted(Path(card_path(None)).parent.glob("*.json"))
SHIPPED = [file for file in CARDS if "limits" in json.loads(file.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_all_that_a_shipped_card_says_has_german_words(file):
    card = read_card(file)
    texts = [f"{card.licence}. {card.terms}", *card.training_data, *card.limits]
    assert [text for text in texts if not translated(text, "de")] == []
    assert [name for name in card.scores if "<span" in figure_name(name, "de")] == []


def test_what_has_no_german_words_is_marked_as_english():
    assert card_text("<b>new</b>", "de") == '<span lang="en">&lt;b&gt;new&lt;/b&gt;</span>'
    assert "Quellen" in card_text("1,234 real videos of 56 sources", "de")


def test_counts_are_those_of_the_card():
    assert translated("talking heads: 41 of 10 sources", "de") == "sprechende Köpfe: 41 aus 10 Quellen"
