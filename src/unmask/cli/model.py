"""``unmask model``: the card of a model, readably."""

from __future__ import annotations

from typing import Annotated

import typer


def model(
    card: Annotated[
        str | None,
        typer.Argument(metavar="CARD", help="A model's card, a .json file (default: the shipped one)."),
    ] = None,
) -> None:
    """Show what a model is, what it was trained on, how well it does and what it cannot do."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from unmask.cli.terminal import plain, printable
    from unmask.errors import ModelError
    from unmask.judge.card import card_path, read_card, read_weights

    try:
        path = card_path(card)
        found = read_card(path)
        read_weights(found, path.parent)
    except ModelError as error:
        typer.echo(f"error: {printable(str(error))}", err=True)
        raise typer.Exit(2) from error
    scores = [
        f"{name}: {s.value:g} ({s.low:g} to {s.high:g}), {s.clips} clips" for name, s in found.scores.items()
    ]
    rows = {
        "model": [f"{found.name}, version {found.version}"],
        "weights": [f"{path.parent / found.file}", f"SHA-256 {found.sha256}, checked"],
        "input": [
            f"faces of {found.size_px} x {found.size_px} px, margin {found.margin_fraction:g}, "
            f"found by {found.detector}"
        ],
        "fake": [f"from p_fake {found.thresholds.fake_at_least:g} on"],
        "real": [f"up to p_fake {found.thresholds.real_at_most:g}; in between unsure"],
        "scores": scores or ["none measured"],
        "cannot": list(found.limits),
        "trained on": list(found.training_data),
        "licence": [found.licence],
        "terms": [found.terms],
        "made by": [f"{found.recipe}, commit {found.commit}"],
    }
    table = Table.grid(padding=(0, 2))
    for name, lines in rows.items():
        table.add_row(plain(name, "bold"), Text("\n".join(map(printable, lines))))
    Console().print(table)
