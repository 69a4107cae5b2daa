"""Boxes of the ISO base media format (ISO/IEC 14496-12), as in MP4, MOV, HEIC and AVIF."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

_MOST_BOXES = 100_000


def each_box(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    r"""Kind and contents of each box in the contents of another; what does not fit ends it.

    >>> list(each_box(b"\0\0\0\x0cpitm\0\0\0\0"))
    [(b'pitm', b'\x00\x00\x00\x00')]
    """
    position = 0
    while position + 8 <= len(data):
        size, head = int.from_bytes(data[position : position + 4], "big"), 8
        if size == 1:
            size, head = int.from_bytes(data[position + 8 : position + 16], "big"), 16
        end = len(data) if size == 0 else position + size
        if end < position + head or end > len(data):
            return
        yield data[position + 4 : position + 8], data[position + head : end]
        position = end


def outer_boxes(path: Path) -> Iterator[tuple[bytes, int, int, bool]]:
    """The outermost boxes of a file: kind, begin and end of the contents, and whether they are all there.

    Raises:
        OSError: The file cannot be read.
    """
    with path.open("rb") as file:
        length, position = os.fstat(file.fileno()).st_size, 0
        for _ in range(_MOST_BOXES):
            file.seek(position)
            head = file.read(16)
            if len(head) < 8:
                return
            size, begin = int.from_bytes(head[:4], "big"), position + 8
            if size == 1:
                size, begin = int.from_bytes(head[8:16], "big"), position + 16
            end = length if size == 0 else position + size
            if end < begin:
                return
            yield head[4:8], begin, min(end, length), end <= length
            if end >= length:  # a position may also be too large for a file
                return
            position = end
