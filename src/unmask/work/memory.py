"""Giving memory back while a long task goes on."""

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
