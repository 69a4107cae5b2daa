"""Where a run keeps what it does: a folder, in which each file is there as a whole or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from unmask.errors import NO_ROOM, DataError, system_words
from unmask.files import lock_file

DRAFT_SUFFIX = ".tmp"


class DiskFullError(DataError):
    """There is no space left; nothing is lost, and the same command goes on later."""


class Held(ABC):
    """A place that is worked in by one run."""

    @abstractmethod
    def close(self) -> None:
        """Let others in."""


class Place(ABC):
    """Files by name, with ``/`` between folders. Whatever fails raises `OSError`, see `errors`.

    Attributes:
        appends: Whether something can be written behind what a file has.
        flush_seconds: How long small things may wait to be written together, since each takes a while.
    """

    appends = False
    flush_seconds = 0.0

    @abstractmethod
    def __str__(self) -> str:
        """As it was given."""

    @abstractmethod
    def sizes(self, folder: str = "") -> dict[str, int]:
        """Bytes of each file that lies in a folder itself, by its own name; by one listing."""

    @abstractmethod
    def holds_more(self, names: Collection[str]) -> bool:
        """Whether anything is there beside files and folders of these names, and drafts."""

    @abstractmethod
    def has(self, name: str) -> bool:
        """Whether a file is there."""

    @abstractmethod
    def read(self, name: str) -> bytes:
        """A whole file."""

    @abstractmethod
    def write(self, name: str, data: bytes, *, sync: bool = False) -> None:
        """Write a file as a whole; with ``sync`` it outlasts a power cut."""

    def append(self, name: str, data: bytes) -> None:
        """Write behind what a file has, where `appends`; what a kill interrupts may be there in part."""
        raise NotImplementedError

    @abstractmethod
    def create(self, name: str, data: bytes) -> bool:
        """Write a file that is not there yet; whether this was the run that did."""

    @abstractmethod
    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""

    def make_folder(self, name: str) -> None:  # noqa: B027  a store of objects knows no folders
        """Make a folder that files can be written to."""

    @abstractmethod
    def remove_folder(self, name: str) -> None:
        """Remove a folder and all that is in it, as far as that goes."""

    @abstractmethod
    def hold(self, name: str) -> Held:
        """Keep other runs out that hold the same name.

        Raises:
            DataError: Another run is working here.
        """

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Say what to do when the disk is full."""
        try:
            yield
        except OSError as error:
            if error.errno in NO_ROOM:
                told = f"{self}: {system_words(error)}"
                raise DiskFullError(f"{told}; the same command goes on where it stopped") from error
            raise DataError(f"{self} cannot be written: {system_words(error)}") from error


class Folder(Place):
    """A folder of a file system.

    Args:
        path: Made when something is written.
    """

    appends = True

    def __init__(self, path: Path) -> None:
        self.path = path

    def __str__(self) -> str:
        return str(self.path)

    def sizes(self, folder: str = "") -> dict[str, int]:
        """Bytes of each file, by name; empty where there is no such folder."""
        try:
            with os.scandir(self.path / folder) as entries:
                return {entry.name: entry.stat().st_size for entry in entries if entry.is_file()}
        except FileNotFoundError:
            return {}

    def holds_more(self, names: Collection[str]) -> bool:
        """Whether anything is there beside files and folders of these names, and drafts."""
        if not self.path.is_dir():
            return False
        found = (file.name for file in self.path.iterdir())
        return any(name not in names and not name.endswith(DRAFT_SUFFIX) for name in found)

    def has(self, name: str) -> bool:
        """Whether a file is there."""
        return (self.path / name).is_file()

    def read(self, name: str) -> bytes:
        """A whole file."""
        return (self.path / name).read_bytes()

    def write(self, name: str, data: bytes, *, sync: bool = False) -> None:
        """Write a file under another name, then rename it."""
        with replacing(self.path / name, sync=sync) as file:
            file.write(data)

    def append(self, name: str, data: bytes) -> None:
        """Write behind what a file has."""
        with (self.path / name).open("ab") as file:
            file.write(data)

    def create(self, name: str, data: bytes) -> bool:
        """Write a file under another name, and give it its own if no other has that."""
        draft = _draft(self.path / name)
        draft.write_bytes(data)
        try:
            os.link(draft, self.path / name)
        except FileExistsError:
            return False
        finally:
            draft.unlink()
        return True

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        (self.path / name).unlink(missing_ok=True)

    def make_folder(self, name: str) -> None:
        """Make a folder that files can be written to."""
        (self.path / name).mkdir(parents=True, exist_ok=True)

    def remove_folder(self, name: str) -> None:
        """Remove a folder and all that is in it, as far as that goes."""
        shutil.rmtree(self.path / name, ignore_errors=True)

    def hold(self, name: str) -> Held:
        """Keep other runs out by a lock that the system drops with the process."""
        try:
            return _Locked(lock_file(self.path / name))
        except BlockingIOError as error:
            raise DataError(f"{self.path}: another run is working in it") from error


class _Locked(Held):
    def __init__(self, lock: IO[str]) -> None:
        self._lock = lock

    def close(self) -> None:
        self._lock.close()


def _draft(path: Path) -> Path:
    """Of its own for each run, as several may write the same file at once."""
    return path.with_name(f"{path.name}.{secrets.token_hex(4)}{DRAFT_SUFFIX}")


@contextmanager
def replacing(path: Path, *, sync: bool = True) -> Iterator[IO[bytes]]:
    """Write a file under another name and rename it at the end: it is there as a whole or not at all."""
    draft = _draft(path)
    try:
        with draft.open("wb") as file:
            yield file
            if sync:
                file.flush()
                os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise
