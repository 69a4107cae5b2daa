"""``unmask model``: what models there are, getting published ones, and the card of each, readably."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from unmask.cli.device import DeviceOption, score_settings

if TYPE_CHECKING:
    from unmask.judge.card import Card
    from unmask.zoo.entry import Entry


class _CardUnlessTold(TyperGroup):
    """``unmask model`` and ``unmask model CARD`` show a card, as ``unmask model card CARD`` does."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args or not (args[0] in self.commands or args[0].startswith("-")):
            args = ["card", *args]
        parsed: list[str] = super().parse_args(ctx, args)
        return parsed


model = typer.Typer(cls=_CardUnlessTold, rich_markup_mode="rich")

Name = Annotated[str, typer.Argument(metavar="NAME", help="A name of unmask model list.")]


@model.callback()
def group() -> None:
    """Show a model's card; list, get and check detectors that others published.

    Without a command it shows the card of the shipped model, or of CARD.
    """


@model.command("card")
def card(
    model: Annotated[
        str | None,
        typer.Argument(metavar="CARD", help="A card, a .json file, or a name (default: the shipped model)."),
    ] = None,
) -> None:
    """Show what a model is, what it was trained on, how well it does and what it cannot do."""
    from unmask.cli.running import stopping_on_errors
    from unmask.judge.cache import NAME, cached_card
    from unmask.judge.card import card_path, read_card, read_weights
    from unmask.zoo.table import ZOO

    with stopping_on_errors():
        if model in ZOO and NAME.fullmatch(model) and not cached_card(model).is_file():
            _print_rows(_entry_rows(ZOO[model]))
            return
        path = card_path(model)
        found = read_card(path)
        read_weights(found, path.parent)
        _print_rows(_card_rows(found, path.parent))


@model.command("list")
def list_models() -> None:
    """List the published detectors that can be got, and which of them are here."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    from unmask.cli.terminal import plain
    from unmask.judge.cache import cached_card
    from unmask.zoo.table import ZOO

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for title in ("name", "what it is", "MB", "licence", "here"):
        table.add_column(title, overflow="fold")
    for entry in ZOO.values():
        here = "yes" if cached_card(entry.name).is_file() else "no"
        size = f"{entry.megabytes:g}"
        table.add_row(*map(plain, (entry.name, entry.title, size, entry.licence, here)))
    Console().print(table)


@model.command("get")
def get(
    name: Name,
    revision: Annotated[
        str | None, typer.Option(metavar="REV", help="Commit, tag or branch of its repository.")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Also when it is here already.")] = False,
) -> None:
    """Download a published detector, convert it to ONNX and write its card, all or nothing.

    A download that was stopped goes on with the same command. HF_ENDPOINT and HF_TOKEN name another hub and a
    login, UNMASK_CACHE another folder.

    [bold]Examples[/bold]

    unmask model get meso4-df

    unmask model get gend-clip-l14 && unmask scan --model gend-clip-l14 clip.mp4
    """
    from unmask.cli.running import counting, stopping_on_errors
    from unmask.cli.terminal import printable
    from unmask.zoo.get import get_model
    from unmask.zoo.table import find_entry

    with stopping_on_errors("the same command goes on where it stood"):
        entry = find_entry(name)
        with counting(name) as tell:
            got = get_model(entry, revision=revision, again=again, tell=tell)
        compared = (
            "was here already" if got.difference is None else f"ONNX within {got.difference:.1g} of torch"
        )
        lines = [
            f"{got.card}: version {got.version}, {compared}",
            f"tried here: {entry.tried}",
            f"licence: {entry.licence}; {entry.terms}",
            f"cite: {entry.cite}",
            f"unmask scan --model {name} judges with it; its numbers are no probabilities until "
            f"unmask calibrate --model {name} has made a card from labelled clips",
        ]
        for line in lines:
            typer.echo(printable(line))


@model.command("check")
def check(name: Name, device: DeviceOption = "auto") -> None:
    """Check a downloaded model: its hash, and that it computes here what torch computed when it was made."""
    from unmask.cli.running import stopping_on_errors
    from unmask.zoo.get import check_model

    with stopping_on_errors():
        difference = check_model(name, score_settings(device))
        typer.echo(f"{name}: unaltered, probabilities within {difference:.1g} of torch's")


def _card_rows(found: Card, folder: Path) -> dict[str, list[str]]:
    scores = [
        f"{name}: {s.value:g} ({s.low:g} to {s.high:g}), {s.clips} clips" for name, s in found.scores.items()
    ]
    return {
        "model": [f"{found.name}, version {found.version}"],
        "weights": [f"{folder / found.file}", f"SHA-256 {found.sha256}, checked"],
        "input": [_input(found.size_px, found.margin_fraction, found.crop) + f", found by {found.detector}"],
        "fake": [f"from p_fake {found.thresholds.fake_at_least:g} on"],
        "real": [f"up to p_fake {found.thresholds.real_at_most:g}; in between unsure"],
        "scores": scores or ["none measured"],
        "cannot": list(found.limits),
        "trained on": list(found.training_data),
        "licence": [found.licence],
        "terms": [found.terms],
        "made by": [f"{found.recipe}, commit {found.commit}"],
    }


def _entry_rows(entry: Entry) -> dict[str, list[str]]:
    from unmask.zoo.entry import Hub

    source = entry.source
    place = f"{source.repository} at {source.revision}" if isinstance(source, Hub) else source.url
    return {
        "model": [f"{entry.name}: {entry.title}; not here yet (unmask model get {entry.name})"],
        "published": [f"{place}, about {entry.megabytes:g} MB"],
        "input": [_input(entry.size_px, entry.margin_fraction, entry.crop)],
        "scores": [f"its authors: {entry.measured}"],
        "tried here": [entry.tried],
        "cannot": list(entry.limits),
        "trained on": list(entry.trained_on),
        "licence": [entry.licence],
        "terms": [entry.terms],
        "cite": [entry.cite],
    }


def _input(size_px: int, margin_fraction: float, crop: str) -> str:
    way = "aligned by five points" if crop == "aligned" else "upright"
    return f"faces of {size_px} x {size_px} px, {way}, margin {margin_fraction:.3g}"


def _print_rows(rows: dict[str, list[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from unmask.cli.terminal import plain, printable

    table = Table.grid(padding=(0, 2))
    for name, lines in rows.items():
        table.add_row(plain(name, "bold"), Text("\n".join(map(printable, lines))))
    Console().print(table)
