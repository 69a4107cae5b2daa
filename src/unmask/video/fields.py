"""Interlaced video: two half pictures of different times in each frame, which would show as combs."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import cast

import av
from av.filter import Graph
from av.video.frame import VideoFrame


class Deinterlacer:
    """Makes whole pictures of frames that are marked as interlaced, by FFmpeg's bwdif; others stay so.

    Its filter looks at the frame before and the one after, so what it gives lags behind by a frame.

    Args:
        time_base: Seconds of one tick of the frames' times.
    """

    def __init__(self, time_base: Fraction) -> None:
        self._time_base = time_base
        self._graph: Graph | None = None
        self._shape: tuple[int, int, str] | None = None

    def feed(self, frame: VideoFrame) -> Iterator[VideoFrame]:
        """Hand in the next frame; gives those that are ready, in order."""
        shape = (frame.width, frame.height, frame.format.name)
        if self._graph is not None and shape != self._shape:
            yield from self.drain()
        if self._graph is None:
            if not frame.interlaced_frame:
                yield frame
                return
            self._graph, self._shape = self._build(frame), shape
        frame.time_base = self._time_base
        self._graph.push(frame)
        yield from self._ready(self._graph)

    def drain(self) -> Iterator[VideoFrame]:
        """What is left, where a stream or a part of it ends."""
        graph, self._graph = self._graph, None
        if graph is not None:
            graph.push(None)
            yield from self._ready(graph)

    def _build(self, frame: VideoFrame) -> Graph:
        graph = Graph()
        source = graph.add_buffer(
            width=frame.width, height=frame.height, format=frame.format, time_base=self._time_base
        )
        graph.link_nodes(
            source,
            graph.add("bwdif", "mode=send_frame:deint=interlaced"),
            graph.add("buffersink"),
        ).configure()
        return graph

    def _ready(self, graph: Graph) -> Iterator[VideoFrame]:
        while True:
            try:
                frame = cast(VideoFrame, graph.pull())
            except (av.BlockingIOError, av.EOFError):
                return
            if frame.pts is not None and frame.time_base is not None:  # the filter counts in half ticks
                frame.pts = round(frame.pts * frame.time_base / self._time_base)
            frame.time_base = self._time_base
            yield frame
