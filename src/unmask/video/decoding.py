"""Run the decoder over chosen packets: what comes out, with its times, and the first damage met."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import av
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from unmask.errors import DamagedError, MediaError
from unmask.reasons import Reason, because
from unmask.video.container import Reading, VideoPacket, check_pixels, use_threads, words_of
from unmask.video.fields import Deinterlacer
from unmask.video.survey import Survey

MAX_KEPT_BYTES = 2**30
"""Memory for the frames that are held at a time, as decoded: 345 at 1080p, 86 at 4K, 21 at 8K."""

Timed = tuple[int, VideoFrame]


@dataclass(slots=True)
class Decoding:
    """One run of the decoder over a stream.

    Attributes:
        reading: The file and its limits.
        survey: What its packets say.
        held: How many of its frames will be in memory at a time.
        careful: Go on behind damage, in one thread, so that the same file always gives the same pixels; else
            stop there, as whoever asked will start over.
        broken_too: Whether frames that the decoder marks as broken are given.
        problem: The first damage met, or None.
    """

    reading: Reading
    survey: Survey
    held: int
    careful: bool = False
    broken_too: bool = False
    problem: Reason | None = None

    def run(self, context: VideoCodecContext, packets: Iterable[VideoPacket | None]) -> Iterator[Timed]:
        """The frames of these packets with their presentation times, in the order of the decoder.

        Args:
            context: A decoder that is not open yet.
            packets: None where the decoder is emptied and starts afresh.

        Raises:
            MediaError: A frame is too large, all of them are, or time is up.
        """
        settings = self.reading.settings
        threads = 1 if self.careful else settings.threads
        use_threads(context, threads=threads, max_pixels=settings.max_pixels)
        return self._timed(self._frames(context, packets))

    def until_damage(
        self, packets: Iterable[VideoPacket], *, first: int = 0
    ) -> Iterator[tuple[int, VideoPacket]]:
        """Packets with their numbers, as long as the file can be read and is the one that was surveyed.

        Args:
            packets: From the file.
            first: Number of the first of them.
        """
        sizes = self.survey.sizes
        for number, packet in enumerate(self._until_error(packets), first):
            if number >= len(sizes) or packet.size != sizes[number]:
                self._note(because("file_changed"))
                return
            yield number, packet

    def _frames(
        self, context: VideoCodecContext, packets: Iterable[VideoPacket | None]
    ) -> Iterator[VideoFrame]:
        fields = Deinterlacer(self.survey.time_base)
        for packet in packets:
            self.reading.check_time()
            try:
                frames = context.decode(packet)
            except av.FFmpegError as error:
                self._note(because("bad_packet", error=words_of(error)))
                frames = []
            if packet is None:
                context.flush_buffers()
            for frame in frames:
                check_pixels(self.reading, width=frame.width, height=frame.height)
                _check_memory(self.reading, frame, self.held)
                if frame.is_corrupt:
                    self._note(because("broken_frame"))
            if self.problem and not self.careful:
                return
            for frame in frames:
                if self.broken_too or not frame.is_corrupt:
                    yield from fields.feed(frame)
            if packet is None:
                yield from fields.drain()

    def _timed(self, frames: Iterator[VideoFrame]) -> Iterator[Timed]:
        """Frames with their presentation times, which are the sorted decoding times where there are none."""
        times = self.survey.times
        for number, frame in enumerate(frames):
            if not self.survey.timed:
                yield times[min(number, len(times) - 1)], frame
            elif frame.pts is not None:
                yield frame.pts, frame

    def _until_error(self, packets: Iterable[VideoPacket]) -> Iterator[VideoPacket]:
        try:
            yield from packets
        except av.FFmpegError as error:
            self.reading.check_machine()
            self._note(because("broke_off", error=words_of(error)))

    def _note(self, problem: Reason) -> None:
        self.problem = self.problem or problem


def fitting(context: VideoCodecContext) -> int:
    """How many frames of the size in the header fit into ``MAX_KEPT_BYTES``, at least one."""
    bits = context.format.padded_bits_per_pixel if context.format is not None else 12
    return max(1, 8 * MAX_KEPT_BYTES // max(1, context.width * context.height * bits))


def _check_memory(reading: Reading, frame: VideoFrame, count: int) -> None:
    """Stop a file whose frames are far larger than its header made believe."""
    total = count * frame.width * frame.height * frame.format.padded_bits_per_pixel // 8
    if count > 1 and total > 2 * MAX_KEPT_BYTES:
        size = {"width": frame.width, "height": frame.height}
        told = because("large_frames", most_bytes=2 * MAX_KEPT_BYTES, frames=count, **size, bytes=total)
        raise MediaError(told, reading.source.label)


def no_frame(reading: Reading, damage: Reason | None) -> DamagedError:
    """The error for a file of which no frame can be decoded, by what was seen of damage."""
    told = because("no_frame") if damage is None else because("no_frame_damaged", damage=damage)
    return DamagedError(told, reading.source.label)
