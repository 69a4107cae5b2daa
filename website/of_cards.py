"""The cards of every model and face detector that ships or can be got, as one page."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import unmask.faces.detectors
from prose import words
from unmask.cli.lab.card_page import card_page, entry_page
from unmask.judge.card import WEIGHTS, read_card
from unmask.lab.zoo.table import ZOO

HEAD = """# Model cards

A card says what a model is, what was measured of it, what it cannot do, what it learned from and under
which licence it is. Scans read size, cut, calibration and thresholds from it. `unmask model card NAME`
prints the same. What each model costs, and how to get one: [Models](models.md).
"""


def page() -> str:
    """The whole page."""
    lines = [HEAD]
    for file in sorted(WEIGHTS.glob("*.json")):
        card = read_card(file)
        lines += [f"## {card.name} {card.version}, shipped", "", *_told(card_page(card, WEIGHTS)), ""]
    for name, entry in ZOO.items():
        lines += [f"## {name}", "", *_told(entry_page(entry)), ""]
    lines += ["## Face detectors", ""]
    folder = Path(unmask.faces.detectors.__file__).parent / "weights"
    for file in sorted(folder.glob("*.json")):
        card = json.loads(file.read_text(encoding="utf-8"))
        lines += [
            f"### {card['name']}",
            "",
            *_told({key: _lines(card[key]) for key in card if key != "seal"}),
            "",
        ]
    return "\n".join(lines)


def _told(card: Mapping[str, list[str]]) -> Iterator[str]:
    for title, lines in card.items():
        if title in {"model", "name", "where"}:
            lines = [line for line in lines if line.startswith("SHA-256")]
        if len(lines) == 1:
            yield f"**{title}**: {words(lines[0])}\n"
        elif lines:
            yield "\n".join([f"**{title}**\n", *[f"- {words(line)}" for line in lines], ""])


def _lines(value: object) -> list[str]:
    if isinstance(value, dict):
        return [f"{key}: {_flat(inner)}" for key, inner in value.items()]
    return [str(value)]


def _flat(value: object) -> str:
    return (
        ", ".join(f"{key} {inner}" for key, inner in value.items()) if isinstance(value, dict) else str(value)
    )
