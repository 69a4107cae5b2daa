"""Where data sets lie, and how they are opened: folders, zips read in place, stores through fsspec.

A file's path is text that ``fsspec.open`` opens too: an ordinary path, an address such as
``s3://bucket/a.mp4``, or ``zip://part_0/a.mp4::/data/part_0.zip`` for a member of a zip file.
"""

from __future__ import annotations

import errno
import os
import shutil
import struct
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, cast

from unmask.archive.windows import window
from unmask.errors import DataError, MissingExtraError

MAX_MEMBER_BYTES = 16 * 2**30

_SPOOL_BYTES = 32 * 2**20


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file of a source.

    Attributes:
        path: What opens it, see the module.
        inner: Its place within the source, with ``/``, beginning with the source's own name.
        size_bytes: As the folder, zip or store says.
        problem: Why it cannot be read, in a few words; empty when nothing is known against it.
    """

    path: str
    inner: str
    size_bytes: int
    problem: str = ""

    @property
    def name(self) -> str:
        """The file's own name."""
        return self.inner.rpartition("/")[2]

    @property
    def folder(self) -> str:
        """The place of the folder that it lies in."""
        return self.inner.rpartition("/")[0]


class SourceError(DataError):
    """A file of a source breaks a rule, or cannot be had.

    Args:
        place: Its path; of a zip's member, also its name there.
        problem: What is wrong with it, wherever it lies.

    >>> str(SourceError("/films/a.zip", "it is encrypted"))
    '/films/a.zip: it is encrypted'
    """

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(place, problem)  # both, or it could not go from one process to another
        self.place, self.problem = place, problem

    def __str__(self) -> str:
        return f"{self.place}: {self.problem}"


def lies_in_store(path: str) -> bool:
    """Whether a file, or the zip that it is in, has an address and is no file of this machine.

    >>> [lies_in_store(path) for path in ("/a.mp4", "zip://a.mp4::/b.zip", "zip://a.mp4::s3://b/b.zip")]
    [False, False, True]
    """
    return "://" in path.removeprefix("zip://")


class Opener:
    """Opens files by their path; keeps the zip that it read last open, whose table is slow to parse."""

    def __init__(self) -> None:
        self._archive: tuple[str, IO[bytes], zipfile.ZipFile] | None = None

    def __enter__(self) -> Opener:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the zip file."""
        if self._archive is not None:
            self._archive[2].close()
            self._archive[1].close()  # A file that it was given is not its to close.
            self._archive = None

    def open(self, path: str) -> IO[bytes]:
        """A file to read and seek in.

        Raises:
            DataError: It is absent, or a zip member that cannot be unpacked.
        """
        try:
            if path.startswith("zip://"):
                member, _, archive = path.removeprefix("zip://").partition("::")
                return self._open_member(archive, member)
            return open_plain(path)
        except zipfile.BadZipFile as error:
            raise SourceError(path, str(error)) from error
        except store_errors(KeyError, ValueError) as error:
            raise SourceError(path, f"it cannot be opened ({words_of(error)})") from error

    def read(self, path: str, *, limit_bytes: int) -> bytes:
        """A whole small file.

        Raises:
            DataError: It cannot be opened, or is larger than the limit.
        """
        with self.open(path) as file:
            data = file.read(limit_bytes + 1)
        if len(data) > limit_bytes:
            raise SourceError(path, f"it may have {limit_bytes} bytes, and has more")
        return data

    @contextmanager
    def local(
        self,
        path: str,
        *,
        limit_bytes: int = MAX_MEMBER_BYTES,
        on_bytes: Callable[[int], None] = lambda copied: None,
    ) -> Iterator[Path]:
        """The file under an ordinary path: itself, or a copy that is gone afterwards.

        Args:
            path: See the module.
            limit_bytes: Largest file that is copied.
            on_bytes: Told how many bytes were copied, as they come.

        Raises:
            DataError: It cannot be opened or copied, or is too large to be.
        """
        if "://" not in path:
            yield Path(path)
            return
        suffix = PurePosixPath(path.partition("::")[0]).suffix
        with tempfile.TemporaryDirectory(prefix="unmask-") as folder:
            copy = Path(folder) / f"copy{suffix}"
            try:
                with self._reading(path) as (source, size):
                    _check_room(path, size, limit_bytes, Path(folder))
                    copied = _copy(source, copy, size, on_bytes)
            except store_errors(zipfile.BadZipFile, zlib.error) as error:
                raise SourceError(path, f"it cannot be copied ({words_of(error)})") from error
            if copied != size:
                cause = OSError(errno.EIO, f"{copied} of {size} bytes came")
                raise SourceError(path, f"it cannot be copied ({cause.strerror})") from cause
            yield copy

    @contextmanager
    def _reading(self, path: str) -> Iterator[tuple[IO[bytes], int]]:
        """A file to read from its beginning to its end, and its size; a packed one is unpacked on the way."""
        packed = self._packed(path) if path.startswith("zip://") else None
        if packed is not None:
            with packed[0] as source:
                yield source, packed[1]
            return
        with self.open(path) as source:
            size = source.seek(0, os.SEEK_END)
            source.seek(0)
            yield source, size

    def _packed(self, path: str) -> tuple[IO[bytes], int] | None:
        """A zip member that is not just stored, with its size."""
        member, _, archive = path.removeprefix("zip://").partition("::")
        try:
            info = self._zip(archive).getinfo(member)
            if info.compress_type == zipfile.ZIP_STORED:
                return None
            return self._zip(archive).open(info), info.file_size
        except store_errors(zipfile.BadZipFile, KeyError, ValueError, RuntimeError) as error:
            raise SourceError(path, f"it cannot be opened ({words_of(error)})") from error

    def _zip(self, archive: str) -> zipfile.ZipFile:
        if self._archive is None or self._archive[0] != archive:
            self.close()
            file = open_plain(archive)
            self._archive = archive, file, zipfile.ZipFile(file)
        return self._archive[2]

    def _open_member(self, archive: str, member: str) -> IO[bytes]:
        zipped = self._zip(archive)
        info = zipped.getinfo(member)
        if info.compress_type == zipfile.ZIP_STORED:
            # Seeking in what zipfile gives means reading up to there; in a window it costs nothing.
            return window(open_plain(archive), start=_data_start(zipped, info), size=info.file_size)
        spool = cast(IO[bytes], tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES))  # noqa: SIM115
        try:
            with zipped.open(info) as packed:
                shutil.copyfileobj(packed, spool, 2**20)
        except BaseException:
            spool.close()
            raise
        spool.seek(0)
        return spool


def _copy(source: IO[bytes], copy: Path, size: int, on_bytes: Callable[[int], None]) -> int:
    """Copy at most so many bytes and one more, as a store may send more than it said."""
    copied = 0
    with copy.open("wb") as target:
        while copied <= size and (chunk := source.read(min(2**20, size + 1 - copied))):
            copied += target.write(chunk)
            on_bytes(copied)
    return copied


def _check_room(path: str, size: int, limit: int, folder: Path) -> None:
    if size > limit:
        raise SourceError(path, f"it has {size} bytes, and at most {limit} are copied to be read")
    free = shutil.disk_usage(folder).free
    if size > free:
        raise OSError(errno.ENOSPC, f"its copy of {size} bytes has no room in {folder.parent}, {free} free")


def open_plain(path: str) -> IO[bytes]:
    """A file, or an object by its address, to read and seek in."""
    if "://" not in path:
        return Path(path).open("rb")
    return cast(IO[bytes], open_address(path).open(path, "rb"))


def _data_start(zipped: zipfile.ZipFile, info: zipfile.ZipInfo) -> int:
    """Where a member's bytes begin: behind its local header, whose length only it knows itself."""
    with zipped.open(info) as member:  # Checks the local header against the table.
        member.read(0)
    file = cast(IO[bytes], zipped.fp)
    file.seek(info.header_offset + 26)
    lengths = struct.unpack("<HH", file.read(4))  # Of the name and of the extra field.
    return info.header_offset + 30 + int(sum(lengths))


def store_errors(*more: type[Exception]) -> tuple[type[Exception], ...]:
    """What file systems raise, also those of object stores, whose clients have errors of their own.

    Args:
        more: What else is to be caught.
    """
    found: list[type[Exception]] = [OSError, *more]
    for module, name in (
        ("botocore.exceptions", "BotoCoreError"),
        ("botocore.exceptions", "ClientError"),
        ("aiohttp", "ClientError"),
    ):
        if module in sys.modules:
            found.append(getattr(sys.modules[module], name))
    return tuple(found)


def open_address(address: str, **options: Any) -> Any:
    """The file system of fsspec that an address belongs to.

    Args:
        address: Such as ``s3://bucket``.
        options: For fsspec.

    Raises:
        DataError: There is none for its protocol, or it is no address.
        MissingExtraError: What it needs is not installed.
    """
    try:
        from fsspec.core import url_to_fs
    except ModuleNotFoundError as error:
        raise MissingExtraError("fsspec", extra="data") from error
    protocol = address.partition("://")[0]
    try:
        return url_to_fs(address, **options)[0]
    except ImportError as error:
        raise MissingExtraError(
            f"what {protocol}:// needs", extra="s3" if protocol == "s3" else "data"
        ) from error
    except ValueError as error:
        raise DataError(f"{address}: {error}") from error


def words_of(error: BaseException) -> str:
    """What an error says."""
    return str(getattr(error, "strerror", None) or error or type(error).__name__)
