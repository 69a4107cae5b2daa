"""A model's card, or what is known of one that is not here yet, as a page for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from unmask.config import CropSettings
from unmask.judge.card import WEIGHTS, Card, Score
from unmask.lab.pages.evaluation import HEADLINE
from unmask.lab.zoo.entry import Entry, Hub

Page = Mapping[str, list[str]]
"""Lines by title."""
_MEASURES = {
    "auc": "AUC",
    "pair_accuracy": "share of fakes above their own original",
    "recall_at_5_percent_false_alarms": "share of fakes found with 5 % false alarms",
    "calibration_error": "mean error of the probabilities",
}
"""What the page shows of the figures on a card; ``--json`` has them all."""
_ALARMS, _FOUND = "false_alarms_on_", "_found"


def card_page(found: Card, folder: Path) -> Page:
    """The page of a card.

    Args:
        found: The card.
        folder: Where it lies, with the weights.
    """
    shipped = folder == WEIGHTS
    unit = "all crops of a person together" if found.kind == "clip" else "each crop by itself"
    limits = found.thresholds
    return {
        "model": [f"{found.name}, version {found.version}{', shipped with unmask' if shipped else ''}"],
        "what it is": [
            f"a network that judges {unit}: {_input(found.crop_settings)}",
            f"the faces are found by {found.detector}; made by {found.recipe}, commit {found.commit}",
        ],
        "what it says": [
            f"fake from p_fake {limits.fake_at_least:g} on, real up to {limits.real_at_most:g}, "
            "unsure in between"
        ],
        "measured": list(_scores(found.scores)) or ["nothing"],
        "cannot": list(found.limits),
        "trained on": list(found.training_data),
        "licence": [found.licence, found.terms],
        "where": [f"{folder / found.file}", f"SHA-256 {found.sha256}, checked"],
    }


def entry_page(entry: Entry) -> Page:
    """The page of a published detector that is not here yet."""
    source = entry.source
    view = CropSettings(entry.size_px, entry.margin_fraction, entry.crop, entry.template)
    place = f"{source.repository} at {source.revision}" if isinstance(source, Hub) else source.url
    return {
        "model": [f"{entry.name}, not here yet: unmask model get {entry.name}"],
        "what it is": [
            entry.title,
            f"judges each crop by itself: {_input(view)}",
        ],
        "measured": [f"by its authors: {entry.measured}", f"tried here: {entry.tried}"],
        "cannot": list(entry.limits),
        "trained on": list(entry.trained_on),
        "licence": [entry.licence, entry.terms],
        "cite": [entry.cite],
        "where": [f"{place}, about {entry.megabytes:g} MB"],
    }


def print_page(page: Page) -> None:
    """Print it, wrapped where there is a terminal."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from unmask.cli.tables import print_table
    from unmask.cli.terminal import plain, printable

    table = Table.grid(padding=(0, 2))
    for title, lines in page.items():
        for place, line in enumerate(lines):
            table.add_row(plain("" if place else title, "bold"), Text(printable(line)))
    print_table(Console(), table)


def _scores(scores: Mapping[str, Score]) -> Iterator[str]:
    """A line for each figure that is shown; what this file has no words for keeps its name on the card."""
    if scores:
        yield "(in brackets the 95 % interval; an AUC of 0.5 is guessing, 1 is never wrong)"
    hidden = 0
    for key, score in scores.items():
        told = _named(key)
        if told:
            yield f"{told} {score.value:.2f} ({score.low:.2f} to {score.high:.2f}), {score.clips} clips"
        hidden += not told
    if hidden:
        yield f"and {hidden} more figures with --json"


def _named(key: str) -> str:
    """What a figure is called on the page; empty for what the page leaves out."""
    if key.startswith(_ALARMS):
        return f"{_words(key.removeprefix(_ALARMS))}, real: share that is called fake"
    if key.endswith(_FOUND):
        return f"{_words(key.removesuffix(_FOUND))}: share that is called fake"
    known = max((one for one in HEADLINE if key.endswith(f"_{one}")), key=len, default="")
    if not known:
        return f"{_words(key)}:"
    return f"{_words(key.removesuffix(f'_{known}'))}: {_MEASURES[known]}" if known in _MEASURES else ""


def _words(name: str) -> str:
    return name.replace("_", " ")


def _input(view: CropSettings) -> str:
    way = "aligned by five points" if view.crop == "aligned" else "upright"
    told = f"faces of {view.size_px} x {view.size_px} px, {way}, margin {view.margin_fraction:.3g}"
    return (
        f"{told}; a person's are first brought to one size, at most {view.common_px} px"
        if view.common_px
        else told
    )
