"""``unmask train``: weights from a recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def train(
    recipe: Annotated[Path, typer.Argument(metavar="RECIPE.toml", help="What to train; see recipes/.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for checkpoint, log and weights.")],
) -> None:
    """Train weights by a recipe, or go on where the output folder's checkpoint stands.

    Many GPUs: accelerate launch -m unmask train RECIPE.toml -o DIR
    """
    from unmask.cli.terminal import printable
    from unmask.errors import MissingExtraError, UnmaskError

    try:
        try:
            from unmask.train.run import run_recipe
        except ModuleNotFoundError as error:
            raise MissingExtraError(error.name or "torch", extra="train") from error
        run_recipe(recipe, output, say=lambda text: typer.echo(text, err=True))
    except UnmaskError as error:
        typer.echo(f"error: {printable(str(error))}", err=True)
        raise typer.Exit(2) from error
    except KeyboardInterrupt:
        typer.echo(f"stopped; the same command goes on from the last checkpoint in {output}", err=True)
        raise typer.Exit(130) from None
