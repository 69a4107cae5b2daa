"""What a run tells: a JSON line a step, and the same for TensorBoard."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from torch.utils.tensorboard import SummaryWriter

from unmask.files import write_whole
from unmask.lab.train.loop import Report

LOG_NAME = "log.jsonl"
BOARD_FOLDER = "tensorboard"
FLUSH_SECONDS = 20


@contextmanager
def open_log(folder: Path, *, step: int) -> Iterator[Report]:
    """A function that logs the numbers of a step to ``log.jsonl`` and for TensorBoard.

    A run that was killed had logged steps that its checkpoint does not hold; they are taken out, so that
    each step is logged once.

    Args:
        folder: Of the run.
        step: Steps that are done.
    """
    file = folder / LOG_NAME
    _forget_after(file, step)
    board = SummaryWriter(str(folder / BOARD_FOLDER), purge_step=step + 1, flush_secs=FLUSH_SECONDS)
    with _quiet_threads(), file.open("a", encoding="utf-8") as lines:

        def report(numbers: dict[str, float]) -> None:
            lines.write(json.dumps(numbers) + "\n")
            lines.flush()
            for name, value in numbers.items():
                if name != "step":
                    board.add_scalar(name, value, int(numbers["step"]))

        try:
            yield report
        finally:
            board.close()


@contextmanager
def _quiet_threads() -> Iterator[None]:
    """A thread of TensorBoard's that cannot write shows no traceback: what writes next says so, too."""
    usual = threading.excepthook

    def tell(failed: threading.ExceptHookArgs) -> None:
        if not isinstance(failed.exc_value, OSError):
            usual(failed)

    threading.excepthook = tell
    try:
        yield
    finally:
        threading.excepthook = usual


def _forget_after(file: Path, step: int) -> None:
    if not file.exists():
        return
    kept = []
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            if json.loads(line)["step"] <= step:
                kept.append(line)
        except (ValueError, TypeError, KeyError):  # a kill cut it short
            continue
    write_whole(file, "".join(line + "\n" for line in kept))
