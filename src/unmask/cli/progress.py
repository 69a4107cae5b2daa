"""How far a scan is: a bar on stderr, for people."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from unmask.judge.footage import Look


class Steps:
    """Files that are done and, of a long video, how much of it.

    Args:
        progress: What shows it; None shows nothing.
        files: How many there are.
    """

    def __init__(self, progress: Progress | None, files: int) -> None:
        self._progress, self._files, self._done = progress, files, 0
        self._shares: dict[int, float] = {}  # of files that have begun, by number; 1 is the whole file
        self._task: TaskID | None = None
        if progress is not None and files > 1:
            self._show("")

    def go_on(self, number: int, path: str, look: Look) -> None:
        """A stretch of a file is done."""
        whole = max(look.until_seconds - look.since_seconds, 1e-9)
        share = self._shares.get(number, 0.0) + (look.end_seconds - look.start_seconds) / whole
        self._shares[number] = share = min(share, 1.0)
        self._show(f"{Path(path).name} {_clock(share * whole)} of {_clock(whole)}")

    def end(self, number: int) -> None:
        """A file is done, whether or not a stretch of it was told of."""
        self._done += 1
        self._shares.pop(number, None)
        if self._task is not None:
            self._show("")

    def _show(self, text: str) -> None:
        if self._progress is None:
            return
        if self._task is None:
            self._task = self._progress.add_task("scan", total=self._files)
        told = f"{self._done}/{self._files} {text}".strip() if self._files > 1 else text
        told = "".join(filter(str.isprintable, told))
        completed = self._done + sum(self._shares.values())
        self._progress.update(self._task, completed=completed, description=told)


@contextlib.contextmanager
def show_progress(files: int, console: Console | None = None) -> Iterator[Steps]:
    """A bar where somebody can see it; for a single file only once it turns out to be long.

    Args:
        files: How many there are.
        console: Where to; None takes stderr.
    """
    console = console or Console(stderr=True)
    if not console.is_terminal:
        yield Steps(None, files)
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        yield Steps(progress, files)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
