"""A small video of what was looked at, with the boxes drawn; given up when it grows too large."""

from __future__ import annotations

import io
from fractions import Fraction

import av
import numpy as np

from unmask.types import Image

SIDE_PX = 480
FRAMES_PER_SECOND = 12.5
_TICKS = 90_000  # a second, as in MPEG
_LAST_SECONDS = 1 / FRAMES_PER_SECOND


class Preview:
    """An H.264 MP4 that is encoded frame by frame into memory.

    Args:
        max_bytes: Beyond it the video is given up.
    """

    def __init__(self, max_bytes: float) -> None:
        self._max_bytes = max_bytes
        self._target = io.BytesIO()
        self._output = av.open(self._target, "w", format="mp4")
        self._stream = self._output.add_stream("libx264", rate=Fraction(25, 2))
        self._stream.options = {"crf": "29", "preset": "veryfast", "g": "25"}
        self._stream.codec_context.thread_count = 1
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
        frame.duration = round(_LAST_SECONDS * _TICKS)
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


def preview_size(width: int, height: int) -> tuple[int, int]:
    """Width and height of the preview of frames of this size, both even.

    >>> preview_size(1920, 1080)
    (480, 270)
    """
    zoom = min(1.0, SIDE_PX / max(width, height))
    return max(2, round(width * zoom) // 2 * 2), max(2, round(height * zoom) // 2 * 2)
