"""Files that are written as a whole or not at all, tables read from TOML, and the hash of any file."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from unmask.errors import MediaError, SettingsError

_CHUNK_BYTES = 1 << 20


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """A draft beside a file; it takes the file's place when the block ends well, and is gone otherwise.

    A link keeps pointing where it did, and a file that is replaced keeps its mode.

    Raises:
        OSError: The folder cannot be written to.

    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with whole_file(Path(folder) / "a.txt") as draft:
    ...         _ = draft.write_text("all of it")
    ...     (Path(folder) / "a.txt").read_text(), len(list(Path(folder).iterdir()))
    ('all of it', 1)
    """
    target = Path(path).resolve()
    mode = target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask()
    handle, name = tempfile.mkstemp(prefix=".draft.", suffix=target.suffix, dir=target.parent)
    os.close(handle)
    draft = Path(name)
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


def read_toml(file: Path) -> dict[str, Any]:
    """The tables of a TOML file.

    Raises:
        SettingsError: It cannot be read, or is no TOML.
    """
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{file}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
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
        raise MediaError("a path must not hold a null character")
    kind = Path(path).stat().st_mode
    if stat.S_ISDIR(kind):
        raise MediaError(f"{path}: a folder, not a file")
    if not stat.S_ISREG(kind):
        raise MediaError(f"{path}: only regular files can be scanned, not pipes or devices")
    digest = hashlib.sha256()
    with open(os.open(path, flags), "rb") as file:  # noqa: PTH123  Path.open takes no flags
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _umask() -> int:
    mask = os.umask(0o077)  # the only way to read it is to set it
    os.umask(mask)
    return mask
