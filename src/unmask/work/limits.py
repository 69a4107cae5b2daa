"""The limits of a worker process, as it puts them on itself before it loads anything."""

from __future__ import annotations

import contextlib
import math
import os
import tempfile
from importlib import metadata
from pathlib import Path

from unmask.config import LimitSettings
from unmask.errors import MAX_TIME_SECONDS
from unmask.work.memory import limit_memory
from unmask.work.sandbox import close_in

MEMORY_MB = 4096
NO_LIMITS = LimitSettings(memory_mb=0, cpu_seconds=MAX_TIME_SECONDS, sandbox="off")
"""For work on files that are one's own."""
_FOR_ACCELERATORS = (
    "onnxruntime-gpu",
    "onnxruntime-ep-openvino",
    "onnxruntime-openvino",
    "onnxruntime-directml",
)


def apply_limits(limits: LimitSettings, scratch: Path | None) -> None:
    """Limit this process, for good.

    Args:
        limits: How.
        scratch: Folder for its temporary files, the only one that it may write to where it is closed in;
            None where there is none.

    Raises:
        OSError: It must be closed in, and the system does not do it.
    """
    if scratch is not None:
        os.environ["TMPDIR"] = tempfile.tempdir = str(scratch)
    limit_memory(memory_of(limits))
    if limits.sandbox != "off":
        close_in(scratch, wholly=limits.sandbox == "require")


def memory_of(limits: LimitSettings) -> int:
    """Most memory of a worker, in MiB; 0 where there is no limit."""
    if limits.memory_mb is not None:
        return limits.memory_mb
    return 0 if any(map(_is_installed, _FOR_ACCELERATORS)) else MEMORY_MB


def give_cpu_time(limits: LimitSettings) -> None:
    """Processor time for the next task; a process that uses it up ends with SIGXCPU, where there is that."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        used = resource.getrusage(resource.RUSAGE_SELF)
        end = math.ceil(used.ru_utime + used.ru_stime + limits.cpu_seconds)
        resource.setrlimit(resource.RLIMIT_CPU, (end, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def _is_installed(distribution: str) -> bool:
    try:
        metadata.distribution(distribution)
    except metadata.PackageNotFoundError:
        return False
    return True
