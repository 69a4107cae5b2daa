"""Read evenly spread frames of a file: decode what they need, start over with care on damage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import av
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from unmask.config import DecodeSettings
from unmask.errors import DamagedError, MediaError
from unmask.types import Clip, Frame
from unmask.video.container import Job, VideoPacket, check_source, open_video, read_packets
from unmask.video.decoding import Decoding, Timed, fitting
from unmask.video.picture import Converter, DecodedPicture
from unmask.video.sampling import Plan, pick_shown, pick_times, plan_packets
from unmask.video.shots import mark_cuts
from unmask.video.still import read_still, still_format
from unmask.video.survey import Survey, survey_packets


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
    with own_errors(job), open_video(job) as (container, stream):
        survey = survey_packets(job, container, stream)
        return read_evenly(job, stream, survey, wanted_times(job, survey))


@contextmanager
def own_errors(job: Job) -> Iterator[None]:
    """Turn what FFmpeg says into a sentence about the file."""
    try:
        yield
    except av.FFmpegError as error:
        job.check_time()
        reason = error.strerror or type(error).__name__
        raise DamagedError(f"{job.source.label}: cannot be decoded ({reason})") from error


def read_evenly(
    job: Job, stream: VideoStream, survey: Survey, times: Sequence[int], *, cuts: list[int] | None = None
) -> Clip:
    """Evenly spread frames of a surveyed stream.

    Args:
        job: The file and its limits.
        stream: As it was opened for the survey.
        survey: Gives up its packets.
        times: Of the frames to choose from.
        cuts: Receives the times at which shots begin, as far as they were seen on the way.

    Raises:
        DamagedError: No frame could be decoded.
    """
    context = stream.codec_context
    count = min(job.settings.frames, fitting(context))
    end = survey.times[-1] + survey.frame_ticks if times[-1] == survey.times[-1] else None
    wanted = pick_times(times, count, end=end)
    cuts = [] if cuts is None else cuts
    run = Decoding(job, survey, len(wanted))
    picked: list[Timed] = []
    if not survey.problem and survey.packets is not None:
        picked = _pick(run, context, survey.packets, wanted, cuts)
    elif not survey.problem:
        with open_video(job) as (container, again):
            picked = _pick(run, again.codec_context, read_packets(container, again), wanted, cuts)
    survey.packets = None
    if not survey.problem and not run.problem and [time for time, _ in picked] == wanted:
        return make_clip(job, survey, picked, damage="")
    damage = survey.problem or run.problem
    for broken_too in (False, True):
        cuts.clear()
        run = Decoding(job, survey, len(wanted), careful=True, broken_too=broken_too)
        with open_video(job) as (container, again):
            picked = _pick(run, again.codec_context, read_packets(container, again), wanted, cuts)
        damage = damage or run.problem
        if picked:
            return make_clip(job, survey, picked, damage=damage)
    raise DamagedError(f"{job.source.label}: no frame can be decoded ({damage or 'no reason given'})")


def wanted_times(job: Job, survey: Survey) -> Sequence[int]:
    """Presentation times of the frames that were asked for: all, or those of a part.

    Raises:
        DamagedError: The stream has no frames, and shows damage.
        MediaError: It has none, or none there.
    """
    if not survey.times:
        kind, what = (DamagedError, f": {survey.problem}") if survey.problem else (MediaError, "")
        raise kind(f"{job.source.label}: the video stream has no frames{what}")
    start, end = job.settings.start_seconds, job.settings.end_seconds
    if not start and end is None:
        return survey.times
    times = survey.cut_out(start, end)
    if not times:
        part = f"from {start:g} s on" if end is None else f"from {start:g} to {end:g} s"
        raise MediaError(
            f"{job.source.label}: there is no frame {part}; the video lasts {survey.duration_seconds:.1f} s"
        )
    return times


def _pick(
    run: Decoding,
    context: VideoCodecContext,
    packets: Iterable[VideoPacket],
    wanted: list[int],
    cuts: list[int],
) -> list[Timed]:
    """The wanted frames: fast until the first problem, or carefully to the end."""
    plan = None
    if not run.careful and run.survey.plannable and run.job.settings.drop_unreferenced:
        plan = plan_packets(run.survey.facts(), wanted)
    frames = run.run(context, planned_packets(run, packets, plan))
    return pick_shown(_noted(frames, cuts, since=wanted[0], tick_seconds=float(run.survey.time_base)), wanted)


def _noted(frames: Iterator[Timed], cuts: list[int], *, since: int, tick_seconds: float) -> Iterator[Timed]:
    for marked in mark_cuts(frames, tick_seconds=tick_seconds):
        if marked.opens and marked.time > since:
            cuts.append(marked.time)
        yield marked.time, marked.frame


def planned_packets(
    run: Decoding, packets: Iterable[VideoPacket], plan: Plan | None
) -> Iterator[VideoPacket | None]:
    """The packets to decode; None where the decoder is emptied and starts afresh."""
    for number, packet in run.until_damage(packets):
        if plan is not None and number in plan.restarts:
            yield None
        if plan is None or plan.send[number]:
            yield packet
    yield None


def make_clip(job: Job, survey: Survey, picked: list[Timed], *, damage: str) -> Clip:
    """A clip of these frames."""
    converter = Converter()
    frames = tuple(Frame(survey.seconds(time), DecodedPicture(frame, converter)) for time, frame in picked)
    return Clip(
        path=job.source.path,
        frames=frames,
        duration_seconds=survey.duration_seconds,
        damaged=bool(damage),
        damage=damage,
    )
