"""Tables on their way to a terminal, or into a pipe."""

from __future__ import annotations

import textwrap

from rich.console import Console
from rich.table import Table

_PIPE_COLUMNS = 65_536


def print_table(console: Console, table: Table) -> None:
    """Print a table as wide as the terminal; into a pipe each row is one line, whatever its length."""
    if console.is_terminal:
        console.print(table)
        return
    table.columns[-1].ratio = None  # or it would fill the width
    table.caption_justify = "left"
    console.width = _PIPE_COLUMNS
    with console.capture() as text:
        console.print(table)
    lines = [line.rstrip() for line in text.get().splitlines()]
    console.file.write(textwrap.dedent("\n".join(lines)).strip("\n") + "\n\n")
