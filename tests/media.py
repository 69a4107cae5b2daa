"""Synthetic media for the tests, made with PyAV: every frame carries its number in its pixels.

``write_video`` encodes, ``read_number`` tells which frame a decoded picture is, ``truncated`` and
``bit_flipped`` damage a file, ``decode_all`` is the plain way to decode that results are held against.

>>> read_number(numbered(1234))
1234
"""

from __future__ import annotations

import os
import random
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.stream import Disposition
from numpy.typing import NDArray

Image = NDArray[np.uint8]
_ROWS, _COLUMNS = 3, 4
_TICK = Fraction(1, 90_000)

# Ways to encode that differ in which frames refer to which. Name: file ending, codec, options.
ENCODINGS: dict[str, tuple[str, str, dict[str, str]]] = {
    "x264": ("mp4", "libx264", {}),
    "x264-annexb": ("ts", "libx264", {"g": "20"}),
    "x264-mkv": ("mkv", "libx264", {"g": "20"}),
    "x264-no-b": ("mp4", "libx264", {"bf": "0"}),
    "x264-baseline": ("mp4", "libx264", {"profile": "baseline", "refs": "4"}),
    "x264-many-b": ("mp4", "libx264", {"bf": "8", "x264-params": "b-adapt=0:b-pyramid=none"}),
    "x264-pyramid": ("mp4", "libx264", {"bf": "7", "x264-params": "b-adapt=0:b-pyramid=normal"}),
    "x264-strict": ("mp4", "libx264", {"bf": "5", "x264-params": "b-adapt=0:b-pyramid=strict"}),
    "x264-open-gop": ("mp4", "libx264", {"g": "12", "x264-params": "open-gop=1:b-adapt=0:bframes=3"}),
    "x264-open-gop-ts": ("ts", "libx264", {"g": "12", "x264-params": "open-gop=1:b-adapt=0:bframes=3"}),
    "x264-short-gop": ("mp4", "libx264", {"g": "4", "x264-params": "scenecut=0"}),
    "x264-short-gop-ts": ("ts", "libx264", {"g": "4", "x264-params": "scenecut=0"}),
    "x264-weighted": ("mp4", "libx264", {"x264-params": "weightp=2:weightb=1:bframes=4:ref=6"}),
    "x264-refs": ("mp4", "libx264", {"refs": "16", "bf": "3"}),
    "x264-intra-refresh": ("mp4", "libx264", {"g": "15", "x264-params": "intra-refresh=1:bframes=2"}),
    "x264-slices": ("mp4", "libx264", {"x264-params": "slices=4:bframes=3"}),
    "x264-mbaff": ("mp4", "libx264", {"x264-params": "interlaced=1:bframes=3"}),
    "x264-scaling": ("mp4", "libx264", {"x264-params": "cqm=jvt:bframes=3"}),
    "x265": ("mp4", "libx265", {"x265-params": "log-level=none"}),
    "x265-open-gop": ("mp4", "libx265", {"x265-params": "log-level=none:keyint=12:min-keyint=12:bframes=4"}),
    "x265-closed": ("mkv", "libx265", {"x265-params": "log-level=none:keyint=6:min-keyint=6:open-gop=0"}),
    "x265-layers": ("mp4", "libx265", {"x265-params": "log-level=none:temporal-layers=3:bframes=4"}),
    "x265-radl": ("mp4", "libx265", {"x265-params": "log-level=none:keyint=10:open-gop=0:radl=2:bframes=4"}),
    "x265-ts": ("ts", "libx265", {"x265-params": "log-level=none:keyint=12:min-keyint=12:bframes=4"}),
    "mpeg4-b": ("mp4", "mpeg4", {"bf": "2"}),
    "mpeg4-avi": ("avi", "mpeg4", {"bf": "2"}),
    "x264-avi": ("avi", "libx264", {}),
    "mpeg2": ("mpg", "mpeg2video", {"bf": "2"}),
    "vp8": ("webm", "libvpx", {"auto-alt-ref": "1", "lag-in-frames": "16", "cpu-used": "16", "b": "300k"}),
    "vp9": ("webm", "libvpx-vp9", {"auto-alt-ref": "1", "lag-in-frames": "16", "cpu-used": "8", "g": "10"}),
    "av1": ("mp4", "libsvtav1", {"preset": "12", "g": "16"}),
    "flv": ("flv", "libx264", {}),
    "wmv": ("wmv", "wmv2", {}),
    "mjpeg": ("mov", "mjpeg", {}),
    "gif": ("gif", "gif", {}),
}
_PIXELS = {"mjpeg": "yuvj420p", "gif": "rgb8", "ffv1": "bgr0", "png": "rgb24"}


def numbered(number: int, *, width: int = 160, height: int = 120) -> Image:
    """A picture that shows a number below 4096 as 3 x 4 light and dark fields, with texture that moves."""
    grain = max(1, max(width, height) // 480)  # Large pictures are made small and blown up, to save time.
    if grain > 1:
        small = numbered(number, width=-(-width // grain), height=-(-height // grain))
        return small.repeat(grain, axis=0).repeat(grain, axis=1)[:height, :width]
    y, x = np.mgrid[0:height, 0:width]
    fields = (y * _ROWS // height) * _COLUMNS + x * _COLUMNS // width
    light = (number >> fields) & 1
    waves = 18 * np.sin((x + 3 * number) / 7) + 18 * np.cos((y - 2 * number) / 5)
    gray = 70 + 115 * light + waves
    tinted = np.stack([gray + 12, gray, gray - 12 + 8 * np.sin((x + y + number) / 9)], axis=-1)
    return np.clip(tinted, 0, 255).astype(np.uint8)


def read_number(image: Image) -> int:
    """The number that ``numbered`` put into a picture."""
    height, width = image.shape[:2]
    number = 0
    for field in range(_ROWS * _COLUMNS):
        row, column = divmod(field, _COLUMNS)
        cell = image[
            height * row // _ROWS : height * (row + 1) // _ROWS,
            width * column // _COLUMNS : width * (column + 1) // _COLUMNS,
        ]
        number |= int(cell.mean() > 127) << field
    return number


def write_video(
    path: Path,
    *,
    frames: int = 60,
    size: tuple[int, int] = (160, 120),
    encoding: str = "x264",
    times_seconds: Sequence[float] | None = None,
    rotation: int = 0,
    options: dict[str, str] | None = None,
    audio: bool = False,
) -> Path:
    """Encode numbered frames.

    Args:
        path: Where to; the container goes by ``encoding``, whatever the name ends in.
        frames: How many, numbered from 0.
        size: Width and height.
        encoding: A key of ``ENCODINGS``, or the name of a codec, which goes into Matroska.
        times_seconds: When each frame is shown (variable frame rate); 30 a second when left out.
        rotation: Degrees counterclockwise that a player turns the picture by, in the metadata.
        options: More for the encoder.
        audio: Whether a second of silence comes along.
    """
    ending, codec, given = ENCODINGS.get(encoding, ("mkv", encoding, {}))
    names = {"ts": "mpegts", "mkv": "matroska", "mpg": "mpeg", "wmv": "asf"}
    with _scheduling_kept(), av.open(str(path), "w", format=names.get(ending, ending)) as container:
        stream = container.add_stream(codec, rate=30, options=given | (options or {}))
        stream.width, stream.height = size
        even = size[0] % 2 == 0 and size[1] % 2 == 0
        stream.pix_fmt = _PIXELS.get(codec, "yuv420p" if even else "yuv444p")
        if times_seconds is not None:
            stream.codec_context.time_base = _TICK
        if rotation:
            stream.set_display_rotation(rotation)
        sound = container.add_stream("aac", rate=48_000) if audio else None
        container.start_encoding()
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(numbered(number, width=size[0], height=size[1]), "rgb24")
            if times_seconds is None:
                frame.pts = number
            else:
                frame.pts, frame.time_base = round(times_seconds[number] / _TICK), _TICK
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        if sound is not None:
            _mux_silence(container, sound)
    return path


@contextmanager
def _scheduling_kept() -> Iterator[None]:
    """Undo what SVT-AV1 does where root runs it: it gives whoever calls it real-time priority for good.

    All that is started later inherits it, and two busy processes then keep two cores from everybody else.
    """
    if not hasattr(os, "sched_getscheduler"):
        yield
        return
    policy, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        os.sched_setscheduler(0, policy, parameters)


def write_audio(path: Path) -> Path:
    """An MP4 with sound and no picture."""
    with av.open(str(path), "w", format="mp4") as container:
        _mux_silence(container, container.add_stream("aac", rate=48_000))
    return path


def _mux_silence(container, stream) -> None:
    for number in range(40):
        frame = av.AudioFrame.from_ndarray(np.zeros((2, 1024), np.float32), format="fltp", layout="stereo")
        frame.sample_rate, frame.pts = 48_000, number * 1024
        container.mux(stream.encode(frame))
    container.mux(stream.encode())


def write_streams(path: Path, *sources: Path) -> Path:
    """A file with the video streams of others beside each other, the first of them marked as default."""
    with av.open(str(path), "w") as container, ExitStack() as opened:
        pairs = []
        for source in sources:
            given = opened.enter_context(av.open(str(source)))
            stream = given.streams.video[0]
            pairs.append((given, stream, container.add_stream_from_template(stream)))
        pairs[0][2].disposition = Disposition.default
        for given, stream, copy in pairs:
            for packet in given.demux(stream):
                if packet.dts is not None:
                    packet.stream = copy
                    container.mux(packet)
    return path


def write_playlist(path: Path, target: Path) -> Path:
    """An HLS playlist that names another file."""
    path.write_text(
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:10\n#EXT-X-MEDIA-SEQUENCE:0\n"
        f"#EXTINF:10.0,\n{target}\n#EXT-X-ENDLIST\n"
    )
    return path


def write_concat_script(path: Path, target: Path) -> Path:
    """A script for FFmpeg's concat demuxer that names another file."""
    path.write_text(f"ffconcat version 1.0\nfile '{target}'\n")
    return path


def write_png_header(path: Path, *, width: int, height: int) -> Path:
    """A PNG of any announced size and almost no data."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(64))) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    return path


def write_gif_header(path: Path, *, width: int, height: int) -> Path:
    """A playable GIF whose header announces another size, up to 65535 a side."""
    write_video(path, encoding="gif", frames=3, size=(32, 24))
    data = bytearray(path.read_bytes())
    data[6:10] = struct.pack("<HH", width, height)
    path.write_bytes(bytes(data))
    return path


def truncated(path: Path, target: Path, *, fraction: float) -> Path:
    """The first part of a file."""
    data = path.read_bytes()
    target.write_bytes(data[: int(len(data) * fraction)])
    return target


def bit_flipped(path: Path, target: Path, *, flips: int, seed: int = 0, skip_bytes: int = 0) -> Path:
    """A file with some bits turned over, chosen by the seed, none of them in the first ``skip_bytes``."""
    data = bytearray(path.read_bytes())
    chance = random.Random(seed)
    for _ in range(flips):
        data[chance.randrange(skip_bytes, len(data))] ^= 1 << chance.randrange(8)
    target.write_bytes(bytes(data))
    return target


def decode_all(path: Path) -> list[tuple[float, Image]]:
    """Every frame and its time, by plain PyAV in one thread, nothing left out and nothing turned."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        return [(frame.time, frame.to_ndarray(format="rgb24")) for frame in container.decode(stream)]


def write_growing(folder: Path, size: tuple[int, int]) -> Path:
    """An MPEG-TS clip of 20 frames of 160 x 120, and then 20 of another size."""
    small = write_video(folder / "a.ts", encoding="x264-annexb", frames=20)
    times = [2 + n / 30 for n in range(20)]
    large = write_video(folder / "b.ts", encoding="x264-annexb", frames=20, size=size, times_seconds=times)
    both = folder / "c.ts"
    both.write_bytes(small.read_bytes() + large.read_bytes())
    return both
