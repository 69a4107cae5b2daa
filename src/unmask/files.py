"""Files that are written as a whole or not at all, their endings, sizes and hashes, and tables in TOML."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import stat
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

from unmask.errors import NO_ROOM, MediaError, SettingsError
from unmask.reasons import because

_CHUNK_BYTES = 1 << 20
_DRAFT = ".draft."
_OF_WRITING = NO_ROOM | {errno.EIO, errno.EROFS}


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """A draft beside a file; it takes the file's place when the block ends well, and is gone otherwise.

    A link keeps pointing where it did, and a file that is replaced keeps its mode. A draft that a killed
    process left is used by the next that writes this file, so that they do not heap up.

    Raises:
        OSError: The folder cannot be written to.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with whole_file(Path(folder) / "a.txt") as draft:
    ...         _ = draft.write_text("all of it")
    ...     (Path(folder) / "a.txt").read_text(), len(list(Path(folder).iterdir()))
    ('all of it', 1)
    """
    with _drafted(path) as (draft, target, mode):
        yield draft
        _settle(draft, mode)
        draft.replace(target)


def write_whole(path: str | Path, text: str) -> None:
    """Write a text file in UTF-8, as a whole or not at all.

    Raises:
        OSError: It cannot be written.
    """
    with whole_file(path) as draft:
        draft.write_text(text, encoding="utf-8")


def write_together(folder: Path, texts: Mapping[str, str], *, last: str) -> None:
    """Write text files in UTF-8 that belong together: none takes its place before all are on the disk.

    Args:
        folder: Where.
        texts: What each is to hold, by name.
        last: The one that tells of the others. An older one goes first and the new one comes last, so what
            lies beside it belongs to it also after a kill.

    Raises:
        OSError: They cannot be written; the older ones are still there.
    """
    made = []
    with ExitStack() as stack:
        for name in sorted(texts, key=lambda name: name == last):
            draft, target, mode = stack.enter_context(_drafted(folder / name))
            draft.write_text(texts[name], encoding="utf-8")
            _settle(draft, mode)
            made.append((draft, target))
        put_in_place(made)


def put_in_place(made: Sequence[tuple[Path, Path]]) -> None:
    """Let drafts that belong together take their places, the last of which tells of the others.

    An older one of that goes first and the new one comes last, also where a kill comes between.

    Args:
        made: Drafts, and where each is to lie; in the same file system.
    """
    made[-1][1].unlink(missing_ok=True)
    for draft, target in made:
        draft.replace(target)


def lock_file(file: Path) -> IO[str]:
    """Open a file that no other process can lock until it is closed or this process ends.

    Raises:
        BlockingIOError: Another process holds it.
        OSError: It cannot be opened.
    """
    handle = file.open("w", encoding="utf-8")
    try:
        lock(handle.fileno())
    except OSError as error:
        handle.close()
        raise BlockingIOError(error.errno, f"{file} is held by another process") from error
    return handle


def lock(handle: int) -> None:
    """Lock an open file for this process alone; the lock goes with the handle.

    Args:
        handle: Its file descriptor.

    Raises:
        BlockingIOError: Another process holds it.
        OSError: Files cannot be locked there.
    """
    if sys.platform == "win32":
        import msvcrt

        os.lseek(handle, 0, os.SEEK_SET)  # from where the one byte counts that is locked
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except PermissionError as error:
            raise BlockingIOError(error.errno, "another process holds the file") from error
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def is_still(handle: int, file: Path) -> bool:
    """Whether a file that was opened is still what its name leads to."""
    try:
        return os.path.samestat(os.fstat(handle), file.stat())
    except FileNotFoundError:
        return False


def size_words(size_bytes: float) -> str:
    """A size as people write it, in three digits and the unit that fits.

    Args:
        size_bytes: 0 or more.

    >>> size_words(0), size_words(48_300), size_words(999_700), size_words(12_345_678), size_words(4.72e11)
    ('0 B', '48.3 kB', '1 MB', '12.3 MB', '472 GB')
    """
    units = ("B", "kB", "MB", "GB", "TB")
    power = 0
    while power + 1 < len(units) and round(size_bytes / 1000**power, 1) >= 999.5:
        power += 1
    value = size_bytes / 1000**power
    return f"{value:.0f} {units[power]}" if value >= 999.5 else f"{value:.3g} {units[power]}"


def read_toml(file: Path) -> dict[str, Any]:
    """The tables of a TOML file.

    Raises:
        SettingsError: It cannot be read, or is no TOML.
    """
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{file}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SettingsError(f"{file} is no TOML file: {error}") from error


def fingerprint(path: str | Path) -> str:
    """SHA-256 of a file's bytes, 64 hex digits.

    Raises:
        MediaError: The path is no regular file; a pipe or a device could be read forever.
        OSError: It cannot be read.
    """
    # Without O_NONBLOCK, opening a pipe that nobody writes to would wait forever.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    if "\0" in str(path):
        raise MediaError(because("null_character"))
    kind = Path(path).stat().st_mode
    if stat.S_ISDIR(kind):
        raise MediaError(because("folder"), str(path))
    if not stat.S_ISREG(kind):
        raise MediaError(because("not_regular"), str(path))
    digest = hashlib.sha256()
    with open(os.open(path, flags), "rb") as file:  # noqa: PTH123  Path.open takes no flags
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


@contextmanager
def _drafted(path: str | Path) -> Iterator[tuple[Path, Path, int]]:
    """A draft, the file that it is to become, and with which mode; gone where the block fails."""
    target = Path(path).resolve()
    mode = target.stat().st_mode & 0o777 if target.exists() else None
    try:
        with _draft(target, mode=mode) as (draft, mode):
            try:
                yield draft, target, mode
            except BaseException:  # afterwards the name may already be another's
                draft.unlink(missing_ok=True)
                raise
    except OSError as error:
        if _is_draft(error.filename) or (error.filename is None and error.errno in _OF_WRITING):
            error.filename = str(target)  # which is what the user knows
        raise


def _settle(draft: Path, mode: int) -> None:
    """Wait until a draft is on the disk, and set its mode; what a disk has no room for may show only now."""
    with draft.open("rb+") as written:  # Windows refuses it of files that are open for reading
        os.fsync(written.fileno())
    draft.chmod(mode)


def _is_draft(name: object) -> bool:
    return isinstance(name, str) and Path(name).name.startswith(_DRAFT)


@contextmanager
def _draft(target: Path, *, mode: int | None) -> Iterator[tuple[Path, int]]:
    """An empty file beside another one, held while it is written, and the mode that the other is to have.

    Its name depends on the other's alone, so that it is found again after a kill. Where another process holds
    that one, or somebody else made it, it gets a name by chance.
    """
    name = hashlib.sha256(target.name.encode()).hexdigest()[:16]
    usual = target.with_name(f"{_DRAFT}{name}{target.suffix}")
    if (handle := _take(usual, mode=mode)) is not None:
        try:
            yield usual, os.fstat(handle).st_mode & 0o777 if mode is None else mode
        finally:
            os.close(handle)
        return
    chance = target.with_name(f"{_DRAFT}{secrets.token_hex(8)}{target.suffix}")
    yield chance, _make(chance, mode=mode)


def _take(file: Path, *, mode: int | None) -> int | None:
    """Make or take over a draft; None where it is not ours to write. The lock goes with the handle."""
    if sys.platform == "win32":  # cannot put in its place what is open
        return None
    try:
        handle = os.open(file, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o666 if mode is None else mode)
    except OSError:
        return None
    try:
        lock(handle)
        facts = os.fstat(handle)
        mine = stat.S_ISREG(facts.st_mode) and facts.st_uid == os.geteuid() and facts.st_nlink == 1
        # Between opening and locking, the one before may have put it in its place.
        if mine and is_still(handle, file):
            if mode is not None:  # of one that was left, it may let others read
                os.fchmod(handle, mode)
            os.ftruncate(handle, 0)
            return handle
    except OSError:
        pass
    os.close(handle)
    return None


def _make(file: Path, *, mode: int | None) -> int:
    """A new empty file; gives its mode in the end, None for that of any new file.

    The system takes the umask off the mode. To ask for the umask is to set it, for all threads.
    """
    handle = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666 if mode is None else mode)
    try:
        return os.fstat(handle).st_mode & 0o777 if mode is None else mode
    finally:
        os.close(handle)
