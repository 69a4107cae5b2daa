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
        self._shares: dict[str, float] = {}
        self._task: TaskID | None = None
        if progress is not None and files > 1:
            self._show("")

    def go_on(self, path: str, look: Look) -> None:
        """A stretch of a file is done."""
        whole = max(look.until_seconds - look.since_seconds, 1e-9)
        share = self._shares.get(path, 0.0) + (look.end_seconds - look.start_seconds) / whole
        self._shares[path] = share
        self._show(f"{Path(path).name} {_clock(share * whole)} of {_clock(whole)}")

    def end(self) -> None:
        """A file is done."""
        self._done += 1
        self._shares.clear()
        if self._task is not None:
            self._show("")

    def _show(self, text: str) -> None:
        if self._progress is None:
            return
        if self._task is None:
            self._task = self._progress.add_task("scan", total=self._files)
        told = f"{self._done}/{self._files} {text}".strip() if self._files > 1 else text
        told = "".join(filter(str.isprintable, told))
        completed = min(self._files, self._done + sum(self._shares.values()))
        self._progress.update(self._task, completed=completed, description=told)


@contextlib.contextmanager
def show_progress(files: int) -> Iterator[Steps]:
    """A bar on stderr where somebody can see it; for a single file only once it turns out to be long."""
    console = Console(stderr=True)
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
