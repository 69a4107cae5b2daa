"""The command line: words that were typed come in, printed lines, files and an exit code go out.

Never here: work that `unmask` as a library could not do, or a heavy import before a command runs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from unmask.cli.commands import Command, Top
from unmask.cli.doctor import doctor
from unmask.cli.faces import faces
from unmask.cli.lab.calibrate import calibrate
from unmask.cli.lab.data import data
from unmask.cli.lab.evaluate import evaluate
from unmask.cli.lab.extract import extract
from unmask.cli.lab.model import model
from unmask.cli.lab.present import present
from unmask.cli.lab.submit import submit
from unmask.cli.lab.train import train
from unmask.cli.lab.tune import tune
from unmask.cli.report import report, verify
from unmask.cli.scan import scan
from unmask.cli.schema import schema
from unmask.cli.serve import serve
from unmask.suffixes import SUFFIXES
from unmask.version import __version__

app = typer.Typer(
    name="unmask",
    cls=Top,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
_SCANNER = (scan, serve, report, verify, faces, schema, doctor)
_LABORATORY = (extract, train, tune, evaluate, calibrate, submit, present)
for _command in (*_SCANNER, *_LABORATORY):
    app.command(cls=Command)(_command)
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
