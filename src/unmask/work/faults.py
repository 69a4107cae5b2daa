"""Exceptions that nobody raised on purpose: faults of unmask, with what is needed to mend them."""

from __future__ import annotations

import hashlib
import platform
import traceback
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from unmask.files import write_whole
from unmask.folders import cache_folder
from unmask.reasons import Reason, because
from unmask.version import __version__

MOST_FILES = 20
_MOST_WORDS, _MOST_ABOUT, _MOST_TRACE = 300, 2000, 100_000


@dataclass(frozen=True, slots=True)
class Fault:
    """An exception as it is told by a worker.

    Attributes:
        error: Its type and message, on one line.
        place: File and line that raised it.
        key: The same for all exceptions of this type from this line, reached the same way.
        about: What was worked on, as Python shows it.
        trace: The traceback.
        note: What the worker still told of the task.
    """

    error: str
    place: str
    key: str
    about: str
    trace: str
    note: str | None = None

    @classmethod
    def of(cls, error: Exception, about: object, note: str | None = None) -> Fault:
        """An exception that has just been caught, and what was worked on."""
        frames = traceback.extract_tb(error.__traceback__)
        kind = type(error).__name__
        way = hashlib.sha256("".join(f"{f.filename}:{f.lineno};" for f in frames).encode(errors="replace"))
        trace = "".join(traceback.format_exception(error))
        if len(trace) > _MOST_TRACE:
            trace = f"{trace[: _MOST_TRACE // 2]}\n...\n{trace[-_MOST_TRACE // 2 :]}"
        return cls(
            error=" ".join(f"{kind}: {error}".split())[:_MOST_WORDS],
            place=f"{Path(frames[-1].filename).name}, line {frames[-1].lineno}",
            key=f"{kind}-{way.hexdigest()[:8]}",
            about=repr(about)[:_MOST_ABOUT],
            trace=trace,
            note=note,
        )


def tell_fault(fault: Fault, when: str, blame: str) -> str:
    """The sentence on a fault: when it came, whose it is and where its details are, which this writes."""
    return f"unmask failed {when} ({fault.error}); {blame}; {keep_details(fault)}"


def keep_details(fault: Fault) -> Reason:
    """Write down what is known of a fault; the last `MOST_FILES` faults are kept, each once.

    Returns:
        Where the details are, or that they could not be written.
    """
    try:
        folder = cache_folder() / "faults"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = folder / f"{fault.key}.txt"
        # A message may hold bytes of a path that are no UTF-8.
        write_whole(file, _page(fault).encode(errors="backslashreplace").decode())
    except (OSError, RuntimeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        return because("not_kept", place=fault.place, error=why)
    _forget_old(folder)
    return because("kept", file=str(file))


def _page(fault: Fault) -> str:
    now = datetime.now().astimezone().isoformat(timespec="seconds")
    return (
        f"unmask {__version__}, Python {platform.python_version()}, {platform.platform()}, {now}\n"
        f"worked on: {fault.about}\n\n{fault.trace}"
    )


def _forget_old(folder: Path) -> None:
    with suppress(OSError):  # another process may tidy up at the same time
        files = sorted(folder.glob("*.txt"), key=lambda file: file.stat().st_mtime, reverse=True)
        for file in files[MOST_FILES:]:
            file.unlink(missing_ok=True)
