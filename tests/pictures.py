"""HEIC pictures as telephones write them: a grid of tiles, each an HEVC picture, in a file of boxes."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np


def box(kind, *parts, full=None):
    body = b"".join(parts)
    head = b"" if full is None else bytes([full[0]]) + full[1].to_bytes(3, "big")
    return (8 + len(head) + len(body)).to_bytes(4, "big") + kind + head + body


def coded(image):
    """Configuration (ISO/IEC 14496-15, 8.3.3) and data of one HEVC picture, as they lie in the file."""
    context = av.CodecContext.create("libx265", "w")
    context.height, context.width = image.shape[:2]
    context.pix_fmt, context.time_base, context.framerate = "yuv420p", Fraction(1, 25), 25
    context.options = {"x265-params": "log-level=none", "crf": "12"}
    frame = av.VideoFrame.from_ndarray(image, "rgb24")
    frame.pts = 0
    packets = [*context.encode(frame), *context.encode(None)]
    stream = b"".join(bytes(packet) for packet in packets)
    units = [unit.rstrip(b"\0") for unit in stream.split(b"\0\0\1") if unit.strip(b"\0")]
    kinds = [unit[0] >> 1 & 63 for unit in units]
    sets = [(kind, unit) for kind, unit in zip(kinds, units, strict=True) if kind in (32, 33, 34)]
    arrays = [bytes([0x80 | kind, 0, 1]) + len(unit).to_bytes(2, "big") + unit for kind, unit in sets]
    profile = sets[1][1][3:15]  # of the sequence parameter set
    head = b"\1" + profile + b"\xf0\0\xfc\xfd\xf8\xf8\0\0\x0f" + bytes([len(arrays)])
    slices = [unit for kind, unit in zip(kinds, units, strict=True) if kind < 32]
    return head + b"".join(arrays), b"".join(len(unit).to_bytes(4, "big") + unit for unit in slices)


def heic(image, *, tile=160, turned=0, extra_items=0, lost=()):
    """The bytes of a HEIC file.

    Args:
        image: RGB; the picture before it is turned.
        tile: Side of a tile; the last ones reach beyond the picture, as on a telephone.
        turned: Quarter turns counterclockwise in the metadata.
        extra_items: Further tiles that belong to no picture, such as those of a gain map.
        lost: Numbers of tiles whose data is no picture.
    """
    height, width = image.shape[:2]
    rows, columns = -(-height // tile), -(-width // tile)
    padded = np.pad(image, ((0, rows * tile - height), (0, columns * tile - width), (0, 0)), mode="edge")
    tiles = [
        coded(np.ascontiguousarray(padded[r * tile : (r + 1) * tile, c * tile : (c + 1) * tile]))
        for r in range(rows)
        for c in range(columns)
    ]
    configuration = tiles[0][0]
    data = [b"no picture" if n in lost else body for n, (_, body) in enumerate(tiles)]
    data += [tiles[0][1]] * extra_items
    grid = bytes([0, 0, rows - 1, columns - 1]) + width.to_bytes(2, "big") + height.to_bytes(2, "big")
    count, primary = len(data), len(data) + 1
    names = [box(b"infe", n.to_bytes(2, "big"), b"\0\0hvc1\0", full=(2, 0)) for n in range(1, count + 1)]
    names.append(box(b"infe", primary.to_bytes(2, "big"), b"\0\0grid\0", full=(2, 0)))
    parts = [n.to_bytes(2, "big") for n in range(1, len(tiles) + 1)]
    used = box(b"dimg", primary.to_bytes(2, "big"), len(parts).to_bytes(2, "big"), *parts)
    properties = box(
        b"ipco",
        box(b"hvcC", configuration),
        box(b"ispe", tile.to_bytes(4, "big") * 2, full=(0, 0)),
        box(b"ispe", width.to_bytes(4, "big"), height.to_bytes(4, "big"), full=(0, 0)),
        box(b"irot", bytes([turned])),
    )
    links = [n.to_bytes(2, "big") + b"\2\x81\2" for n in range(1, count + 1)]
    links.append(primary.to_bytes(2, "big") + b"\2\3\x84")
    tied = box(b"ipma", (count + 1).to_bytes(4, "big"), *links, full=(0, 0))

    def meta(begin):
        places, offset = [], begin
        for number, body in enumerate(data, 1):
            place = offset.to_bytes(4, "big") + len(body).to_bytes(4, "big")
            places.append(number.to_bytes(2, "big") + b"\0\0\0\0\0\1" + place)
            offset += len(body)
        inside = b"\0\0\0\0" + len(grid).to_bytes(4, "big")
        places.append(primary.to_bytes(2, "big") + b"\0\1\0\0\0\1" + inside)
        return box(
            b"meta",
            box(b"hdlr", b"\0\0\0\0pict" + bytes(13), full=(0, 0)),
            box(b"pitm", primary.to_bytes(2, "big"), full=(0, 0)),
            box(b"iloc", b"\x44\0", len(places).to_bytes(2, "big"), *places, full=(1, 0)),
            box(b"iinf", (count + 1).to_bytes(2, "big"), *names, full=(0, 0)),
            box(b"iref", used, full=(0, 0)),
            box(b"iprp", properties, tied),
            box(b"idat", grid),
            full=(0, 0),
        )

    kind = box(b"ftyp", b"heic\0\0\0\0mif1heic")
    begin = len(kind) + len(meta(0)) + 8
    return kind + meta(begin) + box(b"mdat", *data)
