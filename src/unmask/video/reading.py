"""Read a file as a clip: choose frames, decode what they need, start over with care on damage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import av
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from unmask.config import DecodeSettings
from unmask.errors import DamagedError, MediaError
from unmask.types import Clip, Frame
from unmask.video.container import (
    Job,
    VideoPacket,
    check_pixels,
    check_source,
    open_video,
    read_packets,
    use_threads,
)
from unmask.video.picture import Converter, DecodedPicture
from unmask.video.sampling import Plan, pick_shown, pick_times, plan_packets
from unmask.video.still import read_still, still_format
from unmask.video.survey import Survey, survey_packets

MAX_KEPT_BYTES = 2**30
"""Memory for the frames of a clip, as decoded: 345 at 1080p, 86 at 4K, 21 at 8K."""

Timed = tuple[int, VideoFrame]


def read_clip(path: str | Path, settings: DecodeSettings | None = None) -> Clip:
    """Read evenly spread frames of a video, or a still picture as a clip of one frame.

    Frames are chosen by presentation time (see ``pick_times``) and are, bit for bit, those that decoding the
    whole file gives. A damaged file is decoded a second time, in full and in one thread, so that the same
    file always gives the same pixels; frames that the decoder marks as broken are then left out while there
    are others. Damage that has no part in the chosen frames may go unseen.

    The time limit is looked at between packets; a caller that must never hang also needs one outside the
    process. Frames stay in memory as decoded, 3 MB each at 1080p; of very large ones fewer are taken, so
    that all fit into ``MAX_KEPT_BYTES``.

    Args:
        path: A file name, always: ``http:`` or ``concat:`` have no meaning in it.
        settings: How many frames, and the limits.

    Returns:
        The frames in order of time. ``damaged`` is set when damage was met on the way to these frames.

    Raises:
        DamagedError: The file is damaged and no frame could be decoded.
        MediaError: The file is absent, not readable, no video or image, or beyond a limit.
    """
    settings = settings or DecodeSettings()
    source = check_source(path)
    kind = still_format(source.head)
    if kind is not None:
        return read_still(source, kind, settings)
    job = Job.start(source, settings)
    try:
        return _read_video(job)
    except av.FFmpegError as error:
        job.check_time()
        reason = error.strerror or type(error).__name__
        raise DamagedError(f"{source.label}: cannot be decoded ({reason})") from error


def _read_video(job: Job) -> Clip:
    with open_video(job) as (container, stream):
        survey = survey_packets(job, container, stream)
        if not survey.times:
            kind, what = (DamagedError, f": {survey.problem}") if survey.problem else (MediaError, "")
            raise kind(f"{job.source.label}: the video stream has no frames{what}")
        count = min(job.settings.frames, _fitting(stream.codec_context))
        wanted = pick_times(survey.times, count, end=survey.times[-1] + survey.frame_ticks)
        run = _Run(job, survey, wanted)
        if survey.packets is not None and not survey.problem:
            run.decode(stream.codec_context, survey.packets, careful=False)
    if not survey.problem and survey.packets is None:
        with open_video(job) as (container, stream):
            run.decode(stream.codec_context, read_packets(container, stream), careful=False)
    survey.packets = None
    if run.complete:
        return _clip(job, survey, run.picked, damage="")
    damage = survey.problem or run.problem
    for broken_too in (False, True):
        run = _Run(job, survey, wanted, broken_too=broken_too)
        with open_video(job) as (container, stream):
            run.decode(stream.codec_context, read_packets(container, stream), careful=True)
        damage = damage or run.problem
        if run.picked:
            return _clip(job, survey, run.picked, damage=damage)
    raise DamagedError(f"{job.source.label}: no frame can be decoded ({damage or 'no reason given'})")


@dataclass(slots=True)
class _Run:
    """One run of the decoder over a stream, and what came of it.

    Attributes:
        broken_too: Whether frames that the decoder marks as broken may be picked.
        problem: The first damage met, in a few words; empty when none.
        picked: Frames by time.
    """

    job: Job
    survey: Survey
    wanted: list[int]
    broken_too: bool = False
    problem: str = ""
    picked: list[Timed] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether every wanted frame came out, and no damage was met."""
        return not self.problem and [time for time, _ in self.picked] == self.wanted

    def decode(self, context: VideoCodecContext, packets: Iterable[VideoPacket], *, careful: bool) -> None:
        """Decode into ``picked``: fast until the first problem, or carefully to the end."""
        plan = None
        if not careful and self.survey.plannable and self.job.settings.drop_unreferenced:
            plan = plan_packets(self.survey.facts(), self.wanted)
        settings = self.job.settings
        use_threads(context, threads=1 if careful else settings.threads, max_pixels=settings.max_pixels)
        chosen = self._chosen(packets, plan)
        self.picked = pick_shown(self._timed(self._frames(context, chosen, careful=careful)), self.wanted)

    def _chosen(self, packets: Iterable[VideoPacket], plan: Plan | None) -> Iterator[VideoPacket | None]:
        """The packets to decode; None where the decoder is emptied and starts afresh."""
        for number, packet in enumerate(self._until_error(packets)):
            if number >= len(self.survey.sizes) or packet.size != self.survey.sizes[number]:
                self._note("the file changed while it was read")
                break
            if plan is not None and number in plan.restarts:
                yield None
            if plan is None or plan.send[number]:
                yield packet
        yield None

    def _frames(
        self, context: VideoCodecContext, packets: Iterator[VideoPacket | None], *, careful: bool
    ) -> Iterator[VideoFrame]:
        for packet in packets:
            self.job.check_time()
            try:
                frames = context.decode(packet)
            except av.FFmpegError as error:
                self._note(f"decoding error ({error.strerror or type(error).__name__})")
                frames = []
            if packet is None:
                context.flush_buffers()
            for frame in frames:
                check_pixels(self.job, width=frame.width, height=frame.height)
                _check_memory(self.job, frame, len(self.wanted))
                if frame.is_corrupt:
                    self._note("a frame is marked as broken")
            if self.problem and not careful:
                return
            yield from (frame for frame in frames if self.broken_too or not frame.is_corrupt)

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
            self._note(f"reading broke off ({error.strerror or type(error).__name__})")

    def _note(self, problem: str) -> None:
        self.problem = self.problem or problem


def _fitting(context: VideoCodecContext) -> int:
    """How many frames of the size in the header fit into ``MAX_KEPT_BYTES``, at least one."""
    bits = context.format.padded_bits_per_pixel if context.format is not None else 12
    return max(1, 8 * MAX_KEPT_BYTES // max(1, context.width * context.height * bits))


def _check_memory(job: Job, frame: VideoFrame, count: int) -> None:
    """Stop a file whose frames are far larger than its header made believe."""
    total = count * frame.width * frame.height * frame.format.padded_bits_per_pixel // 8
    if count > 1 and total > 2 * MAX_KEPT_BYTES:
        raise MediaError(
            f"{job.source.label}: frames may take {2 * MAX_KEPT_BYTES} bytes, {count} of"
            f" {frame.width} x {frame.height} take {total}; ask for fewer frames"
        )


def _clip(job: Job, survey: Survey, picked: list[Timed], *, damage: str) -> Clip:
    converter = Converter()
    frames = tuple(Frame(survey.seconds(time), DecodedPicture(frame, converter)) for time, frame in picked)
    return Clip(
        path=job.source.path,
        frames=frames,
        duration_seconds=survey.duration_seconds,
        damaged=bool(damage),
        damage=damage,
    )
