"""Read any video, however long, as stretches without a cut, one at a time.

A clip of up to 15 s without a cut is one stretch and read as `read_clip` reads it. Everything else is decoded
once from its beginning, in one thread, and each shot comes out as soon as it is over; of a long shot every
ten seconds. Memory holds the frames of two stretches, never more.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from av.video.frame import VideoFrame

from unmask.config import DecodeSettings
from unmask.errors import DamagedError
from unmask.types import Clip, Frame, Stretch
from unmask.video.container import Job, VideoPacket, check_source, open_video, read_packets
from unmask.video.decoding import Decoding, fitting
from unmask.video.picture import Converter, DecodedPicture
from unmask.video.reading import own_errors, read_evenly, wanted_times
from unmask.video.sampler import StretchSampler, Taken
from unmask.video.sampling import PacketFacts
from unmask.video.shots import mark_cuts
from unmask.video.still import read_still, still_format
from unmask.video.survey import Survey, survey_packets

SHORT_SECONDS = 15.0
"""Up to here a video without a cut is looked at as a whole."""

_LEAD_SECONDS = 0.5  # decoded before the part that was asked for, so that a cut at its beginning is seen
_SPARSE_SECONDS = 0.1  # least time between two frames where some may be left out


def read_stretches(path: str | Path, settings: DecodeSettings | None = None) -> Iterator[Stretch]:
    """Read a video shot by shot, or a still picture as one stretch.

    Args:
        path: A file name, always: ``http:`` or ``concat:`` have no meaning in it.
        settings: How many frames, which part, and the limits; the time limit holds for each stretch.

    Yields:
        Stretches in order of time, each as soon as it is decoded. ``damaged`` is set on the clips from where
        damage was met.

    Raises:
        DamagedError: The file is damaged and no frame could be decoded.
        MediaError: The file is absent, not readable, no video or image, or beyond a limit.
    """
    settings = settings or DecodeSettings()
    source = check_source(path)
    kind = still_format(source.head)
    if kind is not None:
        yield Stretch(read_still(source, kind, settings), True, 0.0, 0.0, 0.0)
        return
    job = Job.start(source, settings)
    with own_errors(job):
        with open_video(job) as (container, stream):
            survey = survey_packets(job, container, stream)
            times = wanted_times(job, survey)
            start, end = survey.seconds(times[0]), survey.seconds(times[-1] + survey.frame_ticks)
            held = fitting(stream.codec_context)
            cuts: list[int] = []
            if end - start <= SHORT_SECONDS:
                clip = read_evenly(job, stream, survey, times, cuts=cuts)
                if not cuts:
                    yield Stretch(clip, True, start, end, end)
                    return
                del clip
        survey.packets = None
        yield from _stream(job, survey, times, held)


def _stream(job: Job, survey: Survey, times: list[int], most_held: int) -> Iterator[Stretch]:
    """Decode from the beginning of the part that was asked for, and give each stretch when it is over."""
    until = survey.seconds(times[-1] + survey.frame_ticks)
    sampler = StretchSampler[VideoFrame](job.settings, until, most_held)
    run = Decoding(job, survey, sampler.held, careful=True)
    with open_video(job) as (container, stream):
        chosen = _thinned(run, read_packets(container, stream), sampler, times[0])
        frames = run.run(stream.codec_context, chosen)
        given = False
        for taken in _sampled(survey, mark_cuts(frames), sampler, times):
            given = True
            yield _stretch(run, taken, until)
            run.renew()
    if not given:
        reason = survey.problem or run.problem or "no reason given"
        raise DamagedError(f"{job.source.label}: no frame can be decoded ({reason})")


def _sampled(
    survey: Survey,
    frames: Iterator[tuple[int, VideoFrame, bool]],
    sampler: StretchSampler[VideoFrame],
    times: list[int],
) -> Iterator[Taken[VideoFrame]]:
    last = times[0] - 1
    for time, frame, opens in frames:
        if time > times[-1]:
            break
        if time > last:  # else before the part that was asked for, or a time that stands still or runs back
            last = time
            yield from sampler.add(survey.seconds(time), frame, opens=opens or time == survey.times[0])
    yield from sampler.finish(survey.seconds(times[-1] + survey.frame_ticks))


def _thinned(
    run: Decoding, packets: Iterable[VideoPacket], sampler: StretchSampler[VideoFrame], first: int
) -> Iterator[VideoPacket | None]:
    """The packets to decode: from where the part begins, and while a shot goes on not every one.

    What no other frame refers to is left out where the frame before it is near, until damage is met: then
    nothing is known of what refers to what.
    """
    survey = run.survey
    sparse = survey.plannable and run.job.settings.drop_unreferenced
    facts = survey.facts() if sparse else []
    begin = _place_before(survey, facts, first)
    after_jump = begin > 0
    sent = -math.inf
    for number, packet in run.until_damage(packets):
        if number < begin:
            continue
        if sparse and not run.problem:
            fact = facts[number]
            after_jump = after_jump and (fact.leading or number == begin)
            seconds = survey.seconds(fact.time)
            near = abs(seconds - sent) < _SPARSE_SECONDS and seconds > sampler.dense_until_seconds
            if (fact.leading and after_jump) or (fact.unreferenced and near):
                continue
            sent = seconds
        yield packet
    yield None


def _place_before(survey: Survey, facts: Sequence[PacketFacts], first: int) -> int:
    """The last packet from which decoding gives the frame at ``first`` and those shortly before it."""
    lead = first - math.ceil(_LEAD_SECONDS / survey.time_base)
    places = [number for number, fact in enumerate(facts) if fact.restart and fact.time <= lead]
    return places[-1] if places else 0


def _stretch(run: Decoding, taken: Taken[VideoFrame], until_seconds: float) -> Stretch:
    converter = Converter()
    damage = run.survey.problem or run.problem
    clip = Clip(
        path=run.job.source.path,
        frames=tuple(Frame(time, DecodedPicture(frame, converter)) for time, frame in taken.frames),
        duration_seconds=taken.end_seconds - taken.start_seconds,
        damaged=bool(damage),
        damage=damage,
    )
    return Stretch(
        clip,
        opens_shot=taken.opens_shot,
        start_seconds=taken.start_seconds,
        end_seconds=taken.end_seconds,
        until_seconds=until_seconds,
        why_skipped=taken.why_skipped,
    )
