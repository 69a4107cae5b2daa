"""The command line: words that were typed come in, printed lines, files and an exit code go out.

Never here: work that `unmask` as a library could not do, or a heavy import before a command runs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from unmask.cli.calibrate import calibrate
from unmask.cli.data import data
from unmask.cli.evaluate import evaluate
from unmask.cli.extract import extract
from unmask.cli.faces import faces
from unmask.cli.inputs import SUFFIXES
from unmask.cli.model import model
from unmask.cli.present import present
from unmask.cli.running import EXIT_INTERRUPTED
from unmask.cli.scan import scan
from unmask.cli.serve import serve
from unmask.cli.submit import submit
from unmask.cli.train import train
from unmask.cli.tune import tune
from unmask.version import __version__


class _Commands(TyperGroup):
    """Ctrl-C where a command has nothing to keep yet, as while it loads, ends it with a word."""

    def make_context(self, *given: Any, **options: Any) -> Any:
        with _stopped_with_a_word():
            return super().make_context(*given, **options)

    def invoke(self, ctx: Any) -> Any:
        with _stopped_with_a_word():
            return super().invoke(ctx)


@contextmanager
def _stopped_with_a_word() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        typer.echo("stopped", err=True)
        raise typer.Exit(EXIT_INTERRUPTED) from None


app = typer.Typer(
    name="unmask",
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(scan)
app.command()(serve)
app.command()(faces)
app.command()(extract)
app.command()(train)
app.command()(tune)
app.command()(evaluate)
app.command()(calibrate)
app.command()(submit)
app.command()(present)
app.add_typer(model, name="model")
app.add_typer(data, name="data")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"unmask {__version__}")
        raise typer.Exit


@app.callback()
def unmask(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Tells from a video whether the faces in it were manipulated: who, where and when, or that it cannot."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; ends by `SystemExit` with the exit code.

    Args:
        arguments: Without the program's name; None takes those of the process.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    app(args=[_as_path(argument) for argument in given], prog_name="unmask")


def _as_path(argument: str) -> str:
    """Keep a media file whose name begins with a dash, as a shell's ``*`` gives it, from being an option."""
    is_file = argument.startswith("-") and argument.lower().endswith(SUFFIXES) and os.path.lexists(argument)
    return f"./{argument}" if is_file else argument
