"""Frames at chosen times of a film, one at a time, so that a long video needs no more memory."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence

from unmask.types import Frame
from unmask.video.container import Reading, own_errors
from unmask.video.decoding import Decoding
from unmask.video.film import Film
from unmask.video.picture import DecodedPicture
from unmask.video.reading import planned_packets, read_pictures
from unmask.video.sampling import plan_packets

Choose = Callable[[Sequence[float]], Collection[float]]
"""Picks out of the times of all frames, in container seconds and rising, those that are wanted."""


def play_frames(film: Film, choose: Choose) -> Iterator[Frame]:
    """Decode chosen frames, bit for bit those that a scan of an undamaged file saw at these times.

    What no chosen frame needs is not decoded. Behind damage it goes on, with what can still be decoded.

    Args:
        film: As it was opened; its time limit counts from one frame to the next.
        choose: Picks the times; an image has only 0.

    Yields:
        Frames in order of time; some may lack where the file is damaged.

    Raises:
        MediaError: The file is beyond a limit, or can no longer be read.
    """
    survey, times = film.survey, film.times
    chosen = set(choose([survey.seconds(time) for time in times]))
    wanted = [time for time in times if survey.seconds(time) in chosen]
    if not wanted:
        return
    if film.still is not None:
        yield from read_pictures(film, wanted).frames
        return
    plan = plan_packets(survey.facts(), wanted) if survey.plannable and not survey.problem else None
    reading = Reading.start(film.source, film.settings)
    run = Decoding(reading, survey, 1, careful=True)
    left, converter = set(wanted), film.converter()
    with own_errors(reading), film.packets(reading) as (context, packets, _):
        for time, frame in run.run(context, planned_packets(run, packets, plan)):
            if time in left:
                left.remove(time)
                yield Frame(survey.seconds(time), DecodedPicture(frame, converter))
                reading.renew()
            if not left:
                return
