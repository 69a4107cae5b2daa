"""A part of a file as a file of its own."""

from __future__ import annotations

import io
from typing import IO, cast


class _Window(io.RawIOBase):
    """Bytes ``start`` to ``start + size`` of a file, which it closes with itself."""

    def __init__(self, file: IO[bytes], start: int, size: int) -> None:
        self._file, self._start, self._size = file, start, size
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError(f"a position must be 0 or more, got {base + offset}")
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        left = max(0, self._size - self._position)
        self._file.seek(self._start + self._position)
        data = self._file.read(min(len(buffer), left))
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


def window(file: IO[bytes], *, start: int, size: int) -> IO[bytes]:
    """Show ``size`` bytes from ``start`` as a file.

    Args:
        file: Open for reading and seekable; closed with the window.
        start: First byte, 0 or more.
        size: How many bytes; a shorter file ends early.

    Example:
        >>> with window(io.BytesIO(b"0123456789"), start=2, size=5) as part:
        ...     part.read(2), part.seek(-1, io.SEEK_END), part.read()
        (b'23', 4, b'6')
    """
    return cast(IO[bytes], io.BufferedReader(_Window(file, start, size), buffer_size=2**16))
