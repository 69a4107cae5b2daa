"""Frames at chosen times of a file, one at a time, so that a long video needs no more memory."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

from unmask.config import DecodeSettings
from unmask.types import Frame
from unmask.video.container import Job, check_source, open_video, read_packets
from unmask.video.decoding import Decoding
from unmask.video.picture import Converter, DecodedPicture
from unmask.video.reading import own_errors, planned_packets, wanted_times
from unmask.video.sampling import plan_packets
from unmask.video.still import read_still, still_format
from unmask.video.survey import survey_packets

Choose = Callable[[Sequence[float]], Collection[float]]
"""Picks out of the times of all frames, in container seconds and rising, those that are wanted."""


def play_frames(path: str | Path, choose: Choose, settings: DecodeSettings | None = None) -> Iterator[Frame]:
    """Decode chosen frames, bit for bit those that a scan of an undamaged file saw at these times.

    What no chosen frame needs is not decoded. Behind damage it goes on, with what can still be decoded.

    Args:
        path: A video or an image; always a file name.
        choose: Picks the times; an image has only 0.
        settings: Which part, and the limits; the time limit counts from one frame to the next.

    Yields:
        Frames in order of time; some may lack where the file is damaged.

    Raises:
        MediaError: The file is absent, not readable, no video or image, or beyond a limit.
    """
    settings = settings or DecodeSettings()
    source = check_source(path)
    kind = still_format(source.head)
    if kind is not None:
        if choose([0.0]):
            yield from read_still(source, kind, settings).frames
        return
    job = Job.start(source, settings)
    with own_errors(job):
        with open_video(job) as (container, stream):
            survey = survey_packets(job, container, stream)
        survey.packets = None
        times = wanted_times(job, survey)
        chosen = set(choose([survey.seconds(time) for time in times]))
        wanted = [time for time in times if survey.seconds(time) in chosen]
        if not wanted:
            return
        plan = plan_packets(survey.facts(), wanted) if survey.plannable and not survey.problem else None
        run = Decoding(job, survey, 1, careful=True)
        left, converter = set(wanted), Converter()
        with open_video(job) as (container, stream):
            packets = planned_packets(run, read_packets(container, stream), plan)
            for time, frame in run.run(stream.codec_context, packets):
                if time in left:
                    left.remove(time)
                    yield Frame(survey.seconds(time), DecodedPicture(frame, converter))
                    job.renew()
                if not left:
                    return
