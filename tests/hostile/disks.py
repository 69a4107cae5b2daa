"""Folders on file systems of their own, with little room or closed to writing; only root can make them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

BLOCK_BYTES = 4096
AMPLE_BYTES = 256 << 20


def can_mount() -> bool:
    """Whether this process may make such file systems."""
    return sys.platform == "linux" and os.geteuid() == 0 and shutil.which("mount") is not None


@dataclass(frozen=True, slots=True)
class Disk:
    """A file system in memory.

    Attributes:
        place: The folder that it is at.
    """

    place: Path

    def resize(self, size_bytes: int) -> None:
        """Give it so much room."""
        self._remount(f"size={size_bytes}")

    def seal(self) -> None:
        """Close it to writing."""
        self._remount("ro")

    def open(self) -> None:
        """Let it be written to, with ample room."""
        self._remount(f"rw,size={AMPLE_BYTES}")

    def used_bytes(self) -> int:
        """What is taken of it, in whole blocks."""
        facts = os.statvfs(self.place)
        return (facts.f_blocks - facts.f_bfree) * facts.f_frsize

    def _remount(self, options: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{options}", str(self.place)], check=True)


@contextmanager
def disk(place: Path, size_bytes: int = AMPLE_BYTES) -> Iterator[Disk]:
    """A file system at an empty folder, gone with all that is on it at the end of the block."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size_bytes}", "tmpfs", str(place)], check=True)
    try:
        yield Disk(place)
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)
