"""Still pictures in HEIF: HEIC of telephones, often a grid of tiles, and AVIF (ISO/IEC 23008-12).

FFmpeg gives each tile as a stream of its own, so the boxes that say how they lie are read here, and only the
tiles are left to its decoders.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

import av
import numpy as np
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from unmask.errors import DamagedError, MediaError
from unmask.reasons import Reason, because
from unmask.types import Image
from unmask.video.boxes import each_box
from unmask.video.container import Reading, check_pixels, use_threads
from unmask.video.picture import Converter

BRANDS = (b"heic", b"heix", b"heim", b"heis", b"mif1", b"mif2", b"avif", b"miaf")
"""Major brands of files that are one picture; those of sequences are read as videos."""

_CODECS = {b"hvc1": ("hevc", b"hvcC"), b"av01": ("libdav1d", b"av1C")}
_MOST_TILES = 1024
_MOST_META_BYTES = 2**24


@dataclass(slots=True)
class _Item:
    """A picture, a tile, or what says how tiles lie."""

    kind: bytes = b""
    parts: list[tuple[int, int, int]] = field(default_factory=list)  # where from, offset, length
    made_of: list[int] = field(default_factory=list)
    properties: list[tuple[bytes, bytes]] = field(default_factory=list)

    def of_kind(self, kind: bytes) -> bytes | None:
        return next((body for name, body in self.properties if name == kind), None)


@dataclass(slots=True)
class _Layout:
    """What the boxes say: which item is the picture, and all items by number."""

    data: bytes
    primary: int = 0
    items: dict[int, _Item] = field(default_factory=dict)
    inside: bytes = b""

    def item(self, number: int) -> _Item:
        return self.items.setdefault(number, _Item())

    def content(self, item: _Item) -> bytes:
        if sum(length for *_, length in item.parts) > len(self.data):
            return b""  # parts of it are told twice, as no picture has it
        return b"".join(
            (self.inside if source == 1 else self.data)[offset : offset + length if length else None]
            for source, offset, length in item.parts
        )


class _Numbers:
    """Reads numbers from the left; raises ValueError past the end."""

    def __init__(self, data: bytes) -> None:
        self._data, self._position = data, 0

    def take(self, size: int) -> int:
        return int.from_bytes(self.raw(size), "big")

    def raw(self, size: int) -> bytes:
        part = self._data[self._position : self._position + size]
        if len(part) < size:
            raise ValueError("past the end")
        self._position += size
        return part


def heif_size(data: bytes) -> tuple[int, int] | None:
    """Width and height that the file announces for its picture, before it is turned, or None."""
    layout = _read_layout(data)
    item = layout.items.get(layout.primary) if layout else None
    size = item.of_kind(b"ispe") if item else None
    return None if size is None else (int.from_bytes(size[4:8], "big"), int.from_bytes(size[8:12], "big"))


def read_heif(reading: Reading, data: bytes) -> tuple[Image, Reason | None]:
    """Decode the picture of a HEIF file, its tiles put together, upright.

    Args:
        reading: The file and its limits.
        data: All of it.

    Returns:
        RGB, (H, W, 3), uint8; and what of it is missing, or None.

    Raises:
        DamagedError: Nothing of it can be decoded.
        MediaError: It is laid out in a way that is not read, or beyond a limit.
    """
    label, layout = reading.source.label, _read_layout(data)
    item = layout.items.get(layout.primary) if layout else None
    if layout is None or item is None:
        raise MediaError(because("unread_layout"), label)
    if item.kind == b"grid":
        image, damage = _join_grid(reading, layout, item)
    elif item.kind in _CODECS:
        found = _decode(reading, layout, item)
        if found is None:
            raise DamagedError(because("bad_picture", kind="heif"), label)
        image, damage = found, None
    else:
        named = item.kind.decode("latin-1")
        raise MediaError(because("unread_kind", kind=named), label)
    for kind, body in item.properties:
        if kind == b"irot" and body:
            image = np.rot90(image, body[0] & 3)
        elif kind == b"imir" and body:
            image = image[:, ::-1] if body[0] & 1 else image[::-1]
    return np.ascontiguousarray(image), damage


def _join_grid(reading: Reading, layout: _Layout, item: _Item) -> tuple[Image, Reason | None]:
    """Lay the tiles beside each other, row by row (6.6.2.3.2)."""
    label = reading.source.label
    try:
        numbers = _Numbers(layout.content(item))
        flags = numbers.raw(2)[1]
        rows, columns = numbers.take(1) + 1, numbers.take(1) + 1
        side = 4 if flags & 1 else 2
        width, height = numbers.take(side), numbers.take(side)
    except ValueError as error:
        raise DamagedError(because("grid_cut_short"), label) from error
    count = rows * columns
    if count > _MOST_TILES or len(item.made_of) != count:
        told = because("bad_grid", most=_MOST_TILES, tiles=len(item.made_of), columns=columns, rows=rows)
        raise MediaError(told, label)
    check_pixels(reading, width=width, height=height)
    image, found, size = np.zeros((height, width, 3), np.uint8), 0, (0, 0)
    for place, number in enumerate(item.made_of):
        reading.check_time()
        tile = _decode(reading, layout, layout.item(number))
        if tile is None:
            continue
        found, size = found + 1, size if found else (tile.shape[0], tile.shape[1])
        top, left = place // columns * size[0], place % columns * size[1]
        part = image[top : top + size[0], left : left + size[1]]
        part[:] = tile[: part.shape[0], : part.shape[1]] if tile.shape[:2] == size else 0
        reading.renew()
    if not found:
        raise DamagedError(because("no_tile"), label)
    lost = count - found
    return image, because("tiles_missing", missing=lost, tiles=count) if lost else None


def _decode(reading: Reading, layout: _Layout, item: _Item) -> Image | None:
    """One coded picture; None where it cannot be decoded."""
    if item.kind not in _CODECS:
        return None
    codec, configuration = _CODECS[item.kind]
    context = cast(VideoCodecContext, av.CodecContext.create(codec, "r"))
    context.extradata = item.of_kind(configuration)
    use_threads(context, threads=1, max_pixels=reading.settings.max_pixels)
    try:
        frames = [*context.decode(Packet(layout.content(item))), *context.decode(None)]
    except (av.FFmpegError, ValueError):
        return None
    if not frames or frames[0].is_corrupt:
        return None
    check_pixels(reading, width=frames[0].width, height=frames[0].height)
    _tag(frames[0], item.of_kind(b"colr"))
    return Converter().rgb(frames[0], width=frames[0].width, height=frames[0].height)


def _tag(frame: VideoFrame, colour: bytes | None) -> None:
    """What the file says of the colours goes before what the stream says (ISO/IEC 14496-12, 12.1.5)."""
    if colour is not None and colour[:4] == b"nclx" and len(colour) >= 11:
        numbers = _Numbers(colour[4:])
        frame.color_primaries, frame.color_trc, frame.colorspace = (numbers.take(2) for _ in range(3))
        frame.color_range = 2 if numbers.take(1) >> 7 else 1


def _read_layout(data: bytes) -> _Layout | None:
    layout = _Layout(data)
    meta = next((body for kind, body in each_box(data) if kind == b"meta"), None)
    if meta is None or len(meta) > _MOST_META_BYTES:
        return None
    try:
        for kind, body in each_box(meta[4:]):
            if kind == b"idat":
                layout.inside = body
            elif kind in _READERS and body:
                _READERS[kind](layout, body)
    except ValueError:
        return None
    return layout


def _primary(layout: _Layout, body: bytes) -> None:
    layout.primary = int.from_bytes(body[4:], "big")


def _kinds(layout: _Layout, body: bytes) -> None:
    for kind, info in each_box(body[6 if body[0] == 0 else 8 :]):
        if kind == b"infe" and info and info[0] >= 2:
            numbers = _Numbers(info[4:])
            number = numbers.take(2 if info[0] == 2 else 4)
            numbers.take(2)
            layout.item(number).kind = numbers.raw(4)


def _places(layout: _Layout, body: bytes) -> None:
    version, numbers = body[0], _Numbers(body[4:])
    sizes = numbers.take(2)
    offset_size, length_size, base_size, index_size = (sizes >> shift & 15 for shift in (12, 8, 4, 0))
    for _ in range(numbers.take(2 if version < 2 else 4)):
        item = layout.item(numbers.take(2 if version < 2 else 4))
        source = numbers.take(2) & 15 if version else 0
        numbers.take(2)
        base = numbers.take(base_size)
        for _ in range(numbers.take(2)):
            numbers.take(index_size if version else 0)
            offset, length = numbers.take(offset_size), numbers.take(length_size)
            item.parts.append((source, base + offset, length))


def _references(layout: _Layout, body: bytes) -> None:
    size = 2 if body[0] == 0 else 4
    for kind, reference in each_box(body[4:]):
        if kind == b"dimg":
            numbers = _Numbers(reference)
            item = layout.item(numbers.take(size))
            item.made_of = [numbers.take(size) for _ in range(numbers.take(2))]


def _properties(layout: _Layout, body: bytes) -> None:
    boxes = dict(each_box(body))
    known, links = list(each_box(boxes.get(b"ipco", b""))), boxes.get(b"ipma", b"")
    if len(links) < 8:
        return
    numbers, wide = _Numbers(links[4:]), links[3] & 1
    for _ in range(numbers.take(4)):
        item = layout.item(numbers.take(2 if links[0] == 0 else 4))
        for _ in range(numbers.take(1)):
            place = numbers.take(2) & 0x7FFF if wide else numbers.take(1) & 0x7F
            item.properties += known[place - 1 : place] if place else ()


_READERS: dict[bytes, Callable[[_Layout, bytes], None]] = {
    b"pitm": _primary,
    b"iinf": _kinds,
    b"iloc": _places,
    b"iref": _references,
    b"iprp": _properties,
}
