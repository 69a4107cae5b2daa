"""``unmask schema``: the promise that verdicts and records in JSON keep."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import unmask


def schema(
    record: Annotated[
        bool, typer.Option("--record", help="Of a record of an archive, as scan -o keeps them.")
    ] = False,
) -> None:
    """Print the JSON Schema of a verdict, as [bold]scan --json[/bold] and the API give it.

    [bold]Example[/bold]

    unmask schema > verdict.schema.json
    """
    kind = "record" if record else "verdict"
    file = Path(unmask.__file__).with_name(f"{kind}.schema.json")
    typer.echo(file.read_text(encoding="utf-8"), nl=False)
