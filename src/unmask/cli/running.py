"""What long commands share: a bar, and an end without a traceback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer

EXIT_USAGE, EXIT_INTERRUPTED = 2, 130
GROWTH = (1, 2, 4, 16, 128)
"""Numbers of workers for which it is told how long something will take."""


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
        typer.echo(f"error: {printable(tell_system(error))}", err=True)
        raise typer.Exit(EXIT_USAGE) from error
    except KeyboardInterrupt:
        typer.echo(f"stopped{f'; {hint}' if hint else ''}", err=True)
        raise typer.Exit(EXIT_INTERRUPTED) from None


def tell_system(error: OSError) -> str:
    """What the system says, of what, and the way out where there is one.

    >>> import errno
    >>> tell_system(OSError(errno.ENOSPC, "No space left on device", "card.json"))
    'card.json: No space left on device; free some, then give the same command again'
    """
    from unmask.errors import system_words

    return f"{error.filename}: {system_words(error)}" if error.filename else system_words(error)


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


def duration_words(hours: float) -> str:
    """A duration as people write it.

    >>> duration_words(60), duration_words(2), duration_words(0.5), duration_words(0.01)
    ('2.5 days', '2.0 h', '30.0 min', '36 s')
    """
    if hours >= 48:
        return f"{hours / 24:.1f} days"
    if hours >= 1:
        return f"{hours:.1f} h"
    return f"{hours * 60:.1f} min" if hours * 60 >= 1 else f"{hours * 3600:.0f} s"
