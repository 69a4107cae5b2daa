"""``unmask train``: weights from a recipe."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

Say = Callable[[str], None]
Show = Callable[[dict[str, float]], None]
SAY_EVERY = 10
EXIT_USAGE, EXIT_INTERRUPTED = 2, 130


def train(
    recipe: Annotated[Path, typer.Argument(metavar="RECIPE.toml", help="What to train; see recipes/.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for checkpoint, log and weights.")],
    int8: Annotated[
        bool, typer.Option("--int8", help="Write NAME-int8.onnx as well, a quarter of the size.")
    ] = False,
) -> None:
    """Train weights by a recipe, or go on where the output folder's checkpoint stands.

    Ctrl-C saves and stops; the same command goes on. Curves: tensorboard --logdir DIR

    Exit code: 0 trained, 2 wrong usage or bad data, 130 stopped.

    [bold]Examples[/bold]

    unmask train recipes/smoke.toml -o runs/smoke

    torchrun --nproc-per-node 4 -m unmask train recipes/dfdc.toml -o runs/dfdc
    """
    from unmask.cli.terminal import printable
    from unmask.errors import MissingExtraError, UnmaskError

    try:
        try:
            from unmask.lab.train.run import run_recipe
        except ModuleNotFoundError as error:
            raise MissingExtraError(error.name or "torch", extra="train") from error
        with progress() as (say, show):
            done = run_recipe(recipe, output, say=say, show=show, int8=int8)
    except UnmaskError as error:
        typer.echo(f"error: {printable(str(error))}", err=True)
        raise typer.Exit(EXIT_USAGE) from error
    except KeyboardInterrupt:
        typer.echo(f"stopped; the same command goes on from the last checkpoint in {output}", err=True)
        raise typer.Exit(EXIT_INTERRUPTED) from None
    if not done:
        raise typer.Exit(EXIT_INTERRUPTED)


def describe(numbers: dict[str, float]) -> str:
    """The numbers of a step in one line.

    >>> describe({"step": 20, "end": 100, "loss": 0.5, "images_per_second": 41.7, "share_waiting": 0.02})
    'step 20 of 100 | loss 0.5000 | 42 images/s | 2 % waiting for data'
    """
    parts = [f"step {numbers['step']:.0f} of {numbers['end']:.0f}", f"loss {numbers['loss']:.4f}"]
    parts += [
        f"{name.replace('_', ' ').replace('auc', 'AUC')} {value:.3f}"
        for name, value in numbers.items()
        if name.endswith(("_auc", "_pairs"))
    ]
    parts += [f"{numbers['images_per_second']:.0f} images/s"]
    return " | ".join([*parts, f"{numbers['share_waiting']:.0%} waiting for data".replace("%", " %")])


@contextmanager
def progress() -> Iterator[tuple[Say, Show]]:
    """Where a run's lines and numbers go: a bar on a terminal, else a line every few steps."""
    from rich.console import Console

    from unmask.cli.terminal import printable

    console = Console(stderr=True)
    if not console.is_terminal:

        def show_line(numbers: dict[str, float]) -> None:
            validated = any(name.endswith("_auc") for name in numbers)
            if numbers["step"] % SAY_EVERY == 0 or validated:
                typer.echo(describe(numbers), err=True)

        yield lambda text: typer.echo(printable(text), err=True), show_line
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = BarColumn(), TextColumn("{task.description}", markup=False), TimeRemainingColumn()
    known: dict[str, float] = {}
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("preparing", total=None)

        def show_bar(numbers: dict[str, float]) -> None:
            known.update(numbers)  # what validation found stays until the next one
            bar.update(task, completed=numbers["step"], total=numbers["end"], description=describe(known))

        yield lambda text: bar.console.print(printable(text), markup=False, highlight=False), show_bar
