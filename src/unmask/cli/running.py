"""What long commands share: a bar, and an end without a traceback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer

EXIT_USAGE, EXIT_INTERRUPTED = 2, 130


@contextmanager
def stopping_on_errors(hint: str = "") -> Iterator[None]:
    """Turn errors that unmask raises on purpose, and Ctrl-C, into a line and an exit code.

    Args:
        hint: What a user who stopped the command should know.
    """
    from unmask.cli.terminal import printable
    from unmask.errors import UnmaskError

    try:
        yield
    except UnmaskError as error:
        typer.echo(f"error: {printable(str(error))}", err=True)
        raise typer.Exit(EXIT_USAGE) from error
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        typer.echo(f"error: {printable(f'{where}{error.strerror or error}')}", err=True)
        raise typer.Exit(EXIT_USAGE) from error
    except KeyboardInterrupt:
        typer.echo(f"stopped{f'; {hint}' if hint else ''}", err=True)
        raise typer.Exit(EXIT_INTERRUPTED) from None


@contextmanager
def progress(title: str, total: int) -> Iterator[Callable[[], None]]:
    """A bar on stderr, where that is a terminal; gives what to call after each step."""
    with counting(title) as tell:
        done = 0

        def step() -> None:
            nonlocal done
            done += 1
            tell(done, total)

        tell(0, total)
        yield step


@contextmanager
def counting(title: str) -> Iterator[Callable[[int, int], None]]:
    """The same for work whose size shows on the way; gives what to tell how many of how many are done."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda done, total: None
        return
    columns = (
        TextColumn(title),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
