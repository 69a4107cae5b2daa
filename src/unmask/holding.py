"""Folders and files that one run at a time works in."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from unmask.errors import DataError
from unmask.files import is_still, lock

LOCK_NAME = ".lock"


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Keep other runs out of a folder within a block.

    The lock is a file there, which goes at the end. One that a killed run left locks nothing.

    Raises:
        DataError: Another run works in the folder.
        OSError: It cannot be written to.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, alone_in(Path(folder)):
    ...     [file.name for file in Path(folder).iterdir()]
    ['.lock']
    """
    file = folder / LOCK_NAME
    held = hold(file, place=folder)
    try:
        yield
    finally:
        drop(held, file)


def hold(file: Path, *, place: Path) -> IO[bytes]:
    """Open a file, made if absent, to read and to write behind what it has; nobody else can until it closes.

    Args:
        file: The file.
        place: Where work would be disturbed, as an error calls it.

    Raises:
        DataError: Another run holds it.
        OSError: It cannot be written to.
    """
    while True:
        held = file.open("ab+")
        try:
            lock(held.fileno())
        except BlockingIOError as error:
            held.close()
            words = "another run is working in it; wait for it, or choose another place"
            raise DataError(f"{place}: {words}") from error
        # The one before may have removed it after it was opened here; then that locks nothing.
        if is_still(held.fileno(), file):
            return held
        held.close()


def drop(held: IO[bytes], file: Path) -> None:
    """Remove a file that is held, and let it go."""
    if os.name != "posix":  # nobody can remove what is open
        held.close()
    file.unlink(missing_ok=True)
    held.close()
