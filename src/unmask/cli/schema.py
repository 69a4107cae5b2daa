"""``unmask schema``: the promise that verdicts in JSON keep."""

from __future__ import annotations

from pathlib import Path

import typer

import unmask


def schema() -> None:
    """Print the JSON Schema of a verdict, as [bold]scan --json[/bold] and the API give it.

    [bold]Example[/bold]

    unmask schema > verdict.schema.json
    """
    file = Path(unmask.__file__).with_name("verdict.schema.json")
    typer.echo(file.read_text(encoding="utf-8"), nl=False)
