"""Write small videos: frames that were drawn come in, H.264 in an MP4 or a GIF goes out."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import cv2
import numpy as np
from av.filter import Graph
from numpy.typing import NDArray

from unmask.types import Frame, Image

REPEATABLE = "asm=AVX2"
"""``x264-params``: with AVX-512 x264's macroblock tree reads memory that nobody wrote, and its bits vary.

For where the same pictures must give the same file.
"""

MAX_BYTES = 3 * 2**20
"""Of a video that `encode_video` makes."""

_TICKS = 90_000  # a second, as in MPEG
_QUALITIES = (26, 32, 38, 44)


class VideoWriter:
    """An H.264 MP4 that is encoded frame by frame into memory.

    Args:
        rate: Usual frames a second; the last frame stands as long as that says.
        quality: Constant rate factor of x264, 0 to 51; lower is better and larger.
        preset: Of x264.
        max_bytes: Beyond it the video is given up.
    """

    def __init__(
        self, *, rate: Fraction, quality: int, preset: str = "veryfast", max_bytes: float = math.inf
    ) -> None:
        self._max_bytes = max_bytes
        self._target = io.BytesIO()
        self._output = av.open(self._target, "w", format="mp4")
        self._stream = self._output.add_stream("libx264", rate=rate)
        # A key frame every two seconds, so that jumping in the video is quick.
        keys = {"g": str(math.ceil(2 * rate)), "x264-params": REPEATABLE}  # the same report twice is the same
        self._stream.options = {"crf": str(quality), "preset": preset, **keys}
        self._stream.codec_context.thread_count = 1
        self._frame_ticks = round(_TICKS / rate)
        self._first: float | None = None
        self._last = -1
        self.too_large = False

    def add(self, image: Image, time_seconds: float) -> None:
        """Take the next frame: RGB, even sides, all of one size."""
        if self.too_large:
            return
        if self._first is None:
            self._first = time_seconds
            self._stream.height, self._stream.width = image.shape[:2]
            self._stream.pix_fmt = "yuv420p"
            self._stream.codec_context.time_base = Fraction(1, _TICKS)
        tick = round((time_seconds - self._first) * _TICKS)
        if tick <= self._last:
            return
        self._last = tick
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
        frame.pts, frame.time_base = tick, Fraction(1, _TICKS)
        frame.duration = self._frame_ticks
        self._output.mux(self._stream.encode(frame))
        self.too_large = self._target.tell() > self._max_bytes

    def finish(self) -> bytes | None:
        """The video; None where it has no frame or is too large."""
        if self._first is not None:
            self._output.mux(self._stream.encode(None))
        self._output.close()
        data = self._target.getvalue()
        self.too_large = self.too_large or len(data) > self._max_bytes
        return None if self._first is None or self.too_large else data


def encode_video(
    images: Sequence[Image] | NDArray[np.uint8], *, fps: float, max_bytes: int = MAX_BYTES
) -> bytes:
    """MP4 with H.264, of at most ``max_bytes`` where the coarsest quality allows it.

    Args:
        images: RGB, all of one size with even sides.
        fps: Images a second.
        max_bytes: It is encoded again, coarser, until it fits.
    """
    data = b""
    for quality in _QUALITIES:
        writer = VideoWriter(rate=Fraction(fps).limit_denominator(1001), quality=quality, preset="medium")
        for number, image in enumerate(images):
            writer.add(image, number / fps)
        data = writer.finish() or b""
        if len(data) <= max_bytes:
            break
    return data


def even_size(frame: Frame, *, longest_px: int, enlarge: bool = False) -> tuple[int, int]:
    """Width and height of a frame whose longer side becomes so many pixels; both even, as videos want them.

    Args:
        frame: It keeps its shape.
        longest_px: Of the longer side.
        enlarge: Whether a smaller frame is enlarged; else it keeps its size.
    """
    zoom = longest_px / max(frame.width, frame.height)
    if not enlarge:
        zoom = min(1.0, zoom)
    return max(2, round(frame.width * zoom) // 2 * 2), max(2, round(frame.height * zoom) // 2 * 2)


def write_video(
    path: Path,
    images: Iterator[Image],
    *,
    rate: Fraction,
    kind: str,
    quality: int = 20,
    repeatable: bool = False,
) -> None:
    """Write images into a file; those of other sizes are brought to that of the first.

    Args:
        path: Where to.
        images: RGB; at least one.
        rate: Images a second.
        kind: ``.mp4`` or ``.gif``.
        quality: Constant rate factor of x264, as for `VideoWriter`.
        repeatable: The same images give the same MP4 on every machine, in one thread.
    """
    first = next(images)
    # H.264 wants even sides; frames of a clip that changes size are brought to those of the first one.
    height, width = (side - side % 2 for side in first.shape[:2])
    sized = (_fitted(image, width, height) for image in chain([first], images))
    frames = (av.VideoFrame.from_ndarray(image, format="rgb24") for image in sized)
    options = {} if kind == ".gif" else {"crf": str(quality), "preset": "veryfast"}
    if repeatable:
        options |= {"x264-params": REPEATABLE}
    with av.open(str(path), "w", format=kind[1:]) as output:
        stream = output.add_stream("gif" if kind == ".gif" else "libx264", rate=rate, options=options)
        stream.width, stream.height = width, height
        stream.pix_fmt = "pal8" if kind == ".gif" else "yuv420p"
        if repeatable:
            stream.codec_context.thread_count = 1
        for number, frame in enumerate(_with_palette(frames, width, height) if kind == ".gif" else frames):
            frame.pts, frame.time_base = number, 1 / rate
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))


def _fitted(image: Image, width: int, height: int) -> Image:
    if image.shape[1] >= width and image.shape[0] >= height and image.shape[1] - width < 2:
        return np.ascontiguousarray(image[:height, :width])
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _with_palette(frames: Iterable[av.VideoFrame], width: int, height: int) -> Iterator[av.VideoFrame]:
    """The frames in the 256 colours that fit them best, as a GIF wants them."""
    graph = Graph()
    pixels = av.VideoFormat("rgb24", width, height)
    source = graph.add_buffer(width=width, height=height, format=pixels, time_base=Fraction(1, 100))
    split, generate = graph.add("split"), graph.add("palettegen")
    use, sink = graph.add("paletteuse"), graph.add("buffersink")
    source.link_to(split)
    split.link_to(use, 0, 0)
    split.link_to(generate, 1, 0)
    generate.link_to(use, 0, 1)
    use.link_to(sink)
    graph.configure()
    count = 0
    for count, frame in enumerate(frames, start=1):
        frame.pts, frame.time_base = count, Fraction(1, 100)
        source.push(frame)
    source.push(None)
    for _ in range(count):
        found = sink.pull()
        assert isinstance(found, av.VideoFrame)
        yield found
