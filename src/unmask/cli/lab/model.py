"""``unmask model``: what models there are, getting published ones, and the card of each, readably."""

from __future__ import annotations

import json as jsonlib
from dataclasses import asdict
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unmask.cli.commands import Command, Group
from unmask.cli.device import DeviceOption, known_models, score_settings
from unmask.judge.cache import PUBLISHED

if TYPE_CHECKING:
    from unmask.lab.zoo.entry import Entry


class _CardUnlessTold(Group):
    """``unmask model`` and ``unmask model CARD`` show a card, as ``unmask model card CARD`` does."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        told = args and (args[0] in (*self.commands, "-h", "--help") or self._is_mistyped(args[0]))
        if not told and not ctx.resilient_parsing:  # while a shell completes a word, nothing is told yet
            args = ["card", *args]
        parsed: list[str] = super().parse_args(ctx, args)
        return parsed

    def _is_mistyped(self, word: str) -> bool:
        """Rather a command than the name of a model."""
        return word not in PUBLISHED and bool(get_close_matches(word, self.commands, cutoff=0.75))


model = typer.Typer(cls=_CardUnlessTold, rich_markup_mode="rich")

Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME", help="A name of unmask model list.", autocompletion=lambda: list(PUBLISHED)
    ),
]


@model.callback()
def group() -> None:
    """Show a model's card; list, get and check detectors that others published.

    Without a command it shows the card of the shipped model, or of CARD.
    """


@model.command("card", cls=Command)
def card(
    model: Annotated[
        str | None,
        typer.Argument(
            metavar="CARD",
            help="A card, a .json file, or a name (default: the shipped model).",
            autocompletion=known_models,
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="The card as it is, with every figure.")] = False,
) -> None:
    """Show what a model is, how well it does, what it cannot do, its licence, and where it lies."""
    from unmask.cli.lab.card_page import card_page, entry_page, print_page
    from unmask.cli.running import stopping_on_errors
    from unmask.judge.cache import cached_card
    from unmask.judge.card import card_path, read_card, read_weights
    from unmask.lab.zoo.table import ZOO

    with stopping_on_errors():
        if model in ZOO and not cached_card(model).is_file():
            entry = ZOO[model]
            if json:
                typer.echo(jsonlib.dumps(_plain(entry)))
            else:
                print_page(entry_page(entry))
            return
        path = card_path(model)
        found = read_card(path)
        read_weights(found, path.parent)
        if json:
            typer.echo(jsonlib.dumps(asdict(found)))
        else:
            print_page(card_page(found, path.parent))


@model.command("list", cls=Command)
def list_models(
    json: Annotated[bool, typer.Option("--json", help="A list of all that is known of them.")] = False,
) -> None:
    """List the models that come with unmask and those that can be got, and which of them are here."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    from unmask.cli.tables import print_table
    from unmask.cli.terminal import plain
    from unmask.judge.cache import cached_card
    from unmask.judge.card import DEFAULT_MODEL, SHIPPED, WEIGHTS, card_path, read_card
    from unmask.lab.zoo.table import ZOO

    if json:
        typer.echo(jsonlib.dumps([_plain(entry) for entry in ZOO.values()]))
        return
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for title in ("name", "what it is", "MB", "licence", "here"):
        table.add_column(title, overflow="fold")
    for name, model in SHIPPED.items():
        found = read_card(card_path(name))
        title = (
            "the default" if name == DEFAULT_MODEL else f"{model}, the same" if name != model else "shipped"
        )
        megabytes = (WEIGHTS / found.file).stat().st_size / 1e6
        table.add_row(*map(plain, (name, title, f"{megabytes:.0f}", found.licence, "yes")))
    for entry in ZOO.values():
        here = "yes" if cached_card(entry.name).is_file() else "no"
        size = f"{entry.megabytes:g}"
        table.add_row(*map(plain, (entry.name, entry.title, size, entry.licence, here)))
    print_table(Console(), table)


@model.command("get", cls=Command)
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
    from unmask.lab.zoo.get import get_model
    from unmask.lab.zoo.table import find_entry

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


@model.command("check", cls=Command)
def check(name: Name, device: DeviceOption = "auto") -> None:
    """Check a downloaded model: its hash, and that it computes here what torch computed when it was made."""
    from unmask.cli.running import stopping_on_errors
    from unmask.lab.zoo.get import check_model

    with stopping_on_errors():
        difference = check_model(name, score_settings(device))
        typer.echo(f"{name}: unaltered, probabilities within {difference:.1g} of torch's")


def _plain(entry: Entry) -> dict[str, Any]:
    """All that is known of a published detector, and whether it is here, as plain JSON types."""
    from unmask.judge.cache import cached_card

    values = asdict(entry)
    del values["build"]
    return values | {"here": cached_card(entry.name).is_file()}
