"""Folders that may be filled to a share only, by a real quota of Btrfs; only root can make them."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hostile.disks import can_mount

DISK_BYTES = 256 << 20


def can_allot() -> bool:
    """Whether such file systems can be made here."""
    return can_mount() and None not in (shutil.which("mkfs.btrfs"), shutil.which("btrfs"))


@dataclass(frozen=True, slots=True)
class Allotment:
    """A file system, of which a share may be filled.

    Attributes:
        whole: The folder that all of the file system is at, from where the share is changed.
        name: Of the share.
        taken_bytes: What counts while it is empty.
    """

    whole: Path
    name: str
    taken_bytes: int

    def resize(self, size_bytes: int) -> None:
        """Let so much of it be filled."""
        _run("btrfs", "qgroup", "limit", str(self.taken_bytes + size_bytes), self.name, str(self.whole))

    def open(self) -> None:
        """Let all of it be filled."""
        _run("btrfs", "qgroup", "limit", "none", self.name, str(self.whole))


@contextmanager
def allotment(place: Path, size_bytes: int) -> Iterator[Allotment]:
    """A part of a file system at an empty folder, of which so much may be filled; gone after the block."""
    with tempfile.TemporaryDirectory() as folder:
        image, whole = Path(folder) / "image", Path(folder) / "whole"
        with image.open("wb") as file:
            file.truncate(DISK_BYTES)
        whole.mkdir()
        _run("mkfs.btrfs", "-q", str(image))
        # Files of up to 2 kB would lie in the tree, which no quota counts before it is written.
        _run("mount", "-o", "loop,max_inline=0", str(image), str(whole))
        try:
            _run("btrfs", "subvolume", "create", str(whole / "part"))
            _run("btrfs", "quota", "enable", str(whole))
            _run("mount", "--bind", str(whole / "part"), str(place))
            try:
                told = _run("btrfs", "qgroup", "show", "--raw", "-r", "-f", str(place))
                name, taken = told.splitlines()[-1].split()[:2]
                share = Allotment(whole, name, int(taken))
                share.resize(size_bytes)
                yield share
            finally:
                _run("umount", "--lazy", str(place))
        finally:
            _run("umount", "--lazy", str(whole))


def _run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
