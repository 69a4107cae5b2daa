"""Still pictures: JPEG, PNG, WebP, HEIC and AVIF as clips of one frame."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from unmask.config import DecodeSettings
from unmask.errors import DamagedError, MediaError, why_unreadable
from unmask.reasons import Reason, because
from unmask.types import Clip, Frame, Image
from unmask.video.container import Reading, Source, check_pixels
from unmask.video.heif import BRANDS, heif_size, read_heif
from unmask.video.picture import array_picture

MAX_BYTES = 512 * 2**20
"""Largest image file that is read."""

_MAX_CHUNKS = 4096


def still_format(head: bytes) -> str | None:
    """Which still format a file's first bytes announce, or None.

    Example:
        >>> still_format(b"RIFF....WEBPVP8 ")
        'webp'
    """
    if head[:3] == b"\xff\xd8\xff":
        return "jpeg"
    if head[:8] == b"\x89PNG\r\n\x1a\n":
        return "png"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    return "heif" if head[4:8] == b"ftyp" and head[8:12] in BRANDS else None


def picture_format(source: Source) -> str | None:
    """Which format a file of pictures has, or None for a video; an animated PNG is one, to FFmpeg too.

    Raises:
        MediaError: It can no longer be read.
    """
    kind = still_format(source.head)
    return None if kind == "png" and _is_animated_png(source) else kind


def read_still(source: Source, kind: str, settings: DecodeSettings) -> Clip:
    """Read a picture, turned upright by its EXIF orientation.

    Args:
        source: The file.
        kind: As ``still_format`` says.
        settings: The pixel limit, held against the file's header before anything is decoded.

    Raises:
        DamagedError: It cannot be decoded.
        MediaError: It is larger than the limits.
    """
    data = read_bytes(source)
    size = picture_size(data, kind)
    if kind == "heif" and size is None:
        raise MediaError(because("unread_layout"), source.label)
    if size is None or 0 in size:
        raise DamagedError(because("bad_header", kind=kind), source.label)
    reading = Reading.start(source, settings)
    check_pixels(reading, width=size[0], height=size[1])
    if kind == "heif":
        rgb, damage = read_heif(reading, data)
    else:
        rgb, damage = _decode(reading, data, kind), picture_damage(data, kind)
    frame = Frame(time_seconds=0.0, picture=array_picture(rgb))
    return Clip(path=source.path, frames=(frame,), duration_seconds=0.0, damage=damage)


def _decode(reading: Reading, data: bytes, kind: str) -> Image:
    source = reading.source
    import cv2  # Only needed for stills.

    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise DamagedError(because("bad_picture", kind=kind), source.label) from error
    if image is None or image.ndim != 3 or 0 in image.shape:
        raise DamagedError(because("bad_picture", kind=kind), source.label)
    check_pixels(reading, width=image.shape[1], height=image.shape[0])
    return np.ascontiguousarray(image[:, :, ::-1], dtype=np.uint8)


def _is_animated_png(source: Source) -> bool:
    """Whether more than one picture is announced before the first one (PNG, third edition, acTL)."""
    with _own_errors(source), source.path.open("rb") as file:
        file.seek(8)
        for _ in range(_MAX_CHUNKS):
            head = file.read(12)
            if len(head) < 12 or head[4:8] == b"IDAT":
                break
            if head[4:8] == b"acTL":
                return int.from_bytes(head[8:12], "big") > 1
            file.seek(int.from_bytes(head[:4], "big"), os.SEEK_CUR)
    return False


@contextmanager
def _own_errors(source: Source) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise MediaError(why_unreadable(error), source.label) from error


def read_bytes(source: Source) -> bytes:
    """All of an image file.

    Raises:
        MediaError: It is larger than ``MAX_BYTES``, or cannot be read.
    """
    with _own_errors(source), source.path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise MediaError(because("large_image", most_bytes=MAX_BYTES), source.label)
    return data


def picture_size(data: bytes, kind: str) -> tuple[int, int] | None:
    """Width and height in pixels that the header of an image file announces, or None."""
    return _SIZES[kind](data)


def picture_damage(data: bytes, kind: str) -> Reason | None:
    """What of an image file is missing or altered; None where nothing is."""
    return _DAMAGE[kind](data)


def _jpeg_segments(data: bytes) -> list[tuple[int, int]]:
    """Marker and offset of the payload of each segment up to the first scan (ITU-T T.81, B.1)."""
    segments: list[tuple[int, int]] = []
    position = 2
    while position + 4 <= len(data) and len(segments) < 4096:
        if data[position] != 0xFF:
            break
        marker = data[position + 1]
        if marker == 0xFF:  # Fill byte.
            position += 1
            continue
        segments.append((marker, position + 4))
        if marker == 0xDA:
            break
        bare = marker == 0x01 or 0xD0 <= marker <= 0xD8
        position += 2 if bare else 2 + int.from_bytes(data[position + 2 : position + 4], "big")
    return segments


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    for marker, offset in _jpeg_segments(data):
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = data[offset + 1 : offset + 3], data[offset + 3 : offset + 5]
            return int.from_bytes(width, "big"), int.from_bytes(height, "big")
    return None


def _png_size(data: bytes) -> tuple[int, int] | None:
    if data[12:16] != b"IHDR" or len(data) < 24:
        return None
    return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")


def _webp_size(data: bytes) -> tuple[int, int] | None:
    kind, body = data[12:16], data[20:30]
    if len(body) < 10:
        return None
    if kind == b"VP8X":
        return int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1
    if kind == b"VP8L" and body[0] == 0x2F:
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 " and body[3:6] == b"\x9d\x01\x2a":
        return int.from_bytes(body[6:8], "little") & 0x3FFF, int.from_bytes(body[8:10], "little") & 0x3FFF
    return None


def _jpeg_damage(data: bytes) -> Reason | None:
    scans = [offset for marker, offset in _jpeg_segments(data) if marker == 0xDA]
    ended = bool(scans) and data.find(b"\xff\xd9", scans[0]) >= 0
    return None if ended else because("picture_cut_short")


def _png_damage(data: bytes) -> Reason | None:
    position = 8
    while position + 12 <= len(data):
        end = position + 12 + int.from_bytes(data[position : position + 4], "big")
        if end > len(data):
            break
        if zlib.crc32(data[position + 4 : end - 4]) != int.from_bytes(data[end - 4 : end], "big"):
            return because("bad_checksum")
        if data[position + 4 : position + 8] == b"IEND":
            return None
        position = end
    return because("picture_cut_short")


def _webp_damage(data: bytes) -> Reason | None:
    whole = len(data) >= 8 + int.from_bytes(data[4:8], "little")
    return None if whole else because("picture_cut_short")


_SIZES: dict[str, Callable[[bytes], tuple[int, int] | None]] = {
    "jpeg": _jpeg_size,
    "png": _png_size,
    "webp": _webp_size,
    "heif": heif_size,
}
_DAMAGE: dict[str, Callable[[bytes], Reason | None]] = {
    "jpeg": _jpeg_damage,
    "png": _png_damage,
    "webp": _webp_damage,
}
