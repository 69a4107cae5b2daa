"""Files that are written as a whole or not at all, their endings, sizes and hashes, and tables in TOML."""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from unmask.errors import MediaError, SettingsError
from unmask.reasons import because

_CHUNK_BYTES = 1 << 20


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """A draft beside a file; it takes the file's place when the block ends well, and is gone otherwise.

    A link keeps pointing where it did, and a file that is replaced keeps its mode.

    Raises:
        OSError: The folder cannot be written to.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with whole_file(Path(folder) / "a.txt") as draft:
    ...         _ = draft.write_text("all of it")
    ...     (Path(folder) / "a.txt").read_text(), len(list(Path(folder).iterdir()))
    ('all of it', 1)
    """
    target = Path(path).resolve()
    draft = target.with_name(f".draft.{secrets.token_hex(8)}{target.suffix}")
    mode = _make(draft, mode=target.stat().st_mode & 0o777 if target.exists() else None)
    try:
        yield draft
        with draft.open("rb") as written:
            os.fsync(written.fileno())
        draft.chmod(mode)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def write_whole(path: str | Path, text: str) -> None:
    """Write a text file in UTF-8, as a whole or not at all.

    Raises:
        OSError: It cannot be written.
    """
    with whole_file(path) as draft:
        draft.write_text(text, encoding="utf-8")


def size_words(size_bytes: float) -> str:
    """A size as people write it, in three digits and the unit that fits.

    Args:
        size_bytes: 0 or more.

    >>> size_words(0), size_words(48_300), size_words(999_700), size_words(12_345_678), size_words(4.72e11)
    ('0 B', '48.3 KB', '1 MB', '12.3 MB', '472 GB')
    """
    units = ("B", "KB", "MB", "GB", "TB")
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


def _make(file: Path, *, mode: int | None) -> int:
    """A new empty file; gives its mode in the end, None for that of any new file.

    The system takes the umask off the mode. To ask for the umask is to set it, for all threads.
    """
    handle = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666 if mode is None else mode)
    try:
        return os.fstat(handle).st_mode & 0o777 if mode is None else mode
    finally:
        os.close(handle)
