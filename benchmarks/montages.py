"""What docs/long-videos.md says of montages, and how sure one face among many must be.

The counts of ``docs/montages.json`` come from videos that ``unmask data montage`` composed and a scan judged;
the file names the weights that did.
"""

from __future__ import annotations

from typing import Any

from marks import paragraph
from weights import measured_with, title

SHOTS = (14, 60)


def table(report: dict[str, Any]) -> str:
    """What was counted, and with which weights."""
    rows = [f"| {row['what']} | {row['measured']} |" for row in report["rows"]]
    lines = [
        "| on montages | measured |",
        "|---|---|",
        *rows,
        "",
        paragraph(measured_with(report["weights"])),
    ]
    return "\n".join(lines)


def alone() -> str:
    """From which probability one face makes a file fake, by itself and among many, by the shipped card."""
    from unmask.judge.card import card_path, read_card

    card = read_card(card_path())
    limit = card.thresholds.fake_at_least
    among = [f"{_needed(card, shots):.4f} among {shots}" for shots in SHOTS]
    return paragraph(
        f"With the shipped weights, {title(card.sha256)}, a single shot is `fake` from {limit:.2f} on. To",
        f"make a file of several shots `fake` by itself it must reach {' and '.join(among)}.",
        "It is first in `segments` all the same.",
    )


def _needed(card: Any, shots: int) -> float:
    """The lowest probability, to a millionth, by which one of so many, the others real, makes a file fake."""
    low, high = card.thresholds.fake_at_least, 1.0
    while high - low > 1e-6:
        middle = (low + high) / 2
        joint = card.calibration.among_many([middle] + [0.01] * (shots - 1))
        low, high = (low, middle) if joint >= card.thresholds.fake_at_least else (middle, high)
    return high
