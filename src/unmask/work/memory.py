"""How much memory a process holds: a limit for it, and giving back what is free."""

from __future__ import annotations

import contextlib
import ctypes


def give_back_memory() -> None:
    """Return freed memory to the system, where the C library can (glibc's ``malloc_trim``).

    Frames of some megabytes come and go between small results that stay; without this the process grows with
    the length of a video, although nothing is held.
    """
    with contextlib.suppress(AttributeError, OSError, TypeError):  # other systems give it back by themselves
        ctypes.CDLL(None).malloc_trim(0)


def limit_memory(memory_mb: int) -> None:
    """Let this process not hold more than so much; where the system cannot do that, nothing happens."""
    if not memory_mb:
        return
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        # Data, not address space: networks and threads reserve far more addresses than they use.
        resource.setrlimit(resource.RLIMIT_DATA, (memory_mb << 20, memory_mb << 20))
