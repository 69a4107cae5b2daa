"""A video whose packets are listed, and the pieces in which it can be read.

All that reading needs to know before the first frame is decoded; small and picklable, so that the process
that listed the packets can hand it to others, which then read pieces of the file without listing them
again. The seams depend on the file alone, and every piece is read by itself: the same file gives the same
verdict, however many processes worked on it.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from av.video.stream import VideoStream

from unmask.config import DecodeSettings
from unmask.errors import MediaError
from unmask.video.container import Job, VideoPacket, check_source, open_video, read_packets
from unmask.video.decoding import fitting
from unmask.video.reading import own_errors, wanted_times
from unmask.video.sampling import PacketFacts
from unmask.video.still import still_format
from unmask.video.survey import Survey, survey_packets

PIECE_SECONDS = 60.0
"""About how long a piece is.

Shorter where their number would be odd, longer where there would be more than ``MOST_PIECES``.
"""
MOST_PIECES = 16

_LEAD_SECONDS = 0.5  # decoded before a piece, so that a cut at its beginning is seen
_SEEKABLE = {"mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm"}  # those with an index
_LOOK_BACK = 1000  # packets before the wanted one at which a jump may land


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a stream that is decoded by itself.

    Attributes:
        begin: Number of the packet to begin with.
        first: Presentation time of its first frame.
        last: The same of its last frame.
        end: When that frame leaves the screen.
        goes_on: Other pieces of what was asked for lie before it.
    """

    begin: int
    first: int
    last: int
    end: int
    goes_on: bool


@dataclass(frozen=True, slots=True)
class Film:
    """What is known of a video whose packets are listed.

    Attributes:
        survey: Of its packets, none of which it holds any more.
        pieces: In which what was asked for is read, each by itself; at least one, in order.
        most_held: How many of its frames fit into memory.
    """

    survey: Survey
    pieces: tuple[Piece, ...]
    most_held: int

    @classmethod
    def plan(cls, job: Job, stream: VideoStream, survey: Survey) -> Film:
        """Part a surveyed stream; the survey gives up its packets.

        Raises:
            MediaError: It has no frames, or none in the part that was asked for.
        """
        survey.packets = None
        known = survey.plannable and job.settings.drop_unreferenced
        pieces = plan_pieces(survey, survey.facts() if known else [], wanted_times(job, survey))
        return cls(survey, tuple(pieces), fitting(stream.codec_context))

    @property
    def start_seconds(self) -> float:
        """Container time of the first frame that was asked for."""
        return self.survey.seconds(self.pieces[0].first)

    @property
    def end_seconds(self) -> float:
        """When the last one leaves the screen."""
        return self.survey.seconds(self.pieces[-1].end)


def list_film(path: str | Path, settings: DecodeSettings | None = None) -> Film | None:
    """List the packets of a long video; None for what is short or an image, or cannot be read.

    Args:
        path: A file name.
        settings: Which part, and the limits.
    """
    settings = settings or DecodeSettings()
    try:
        source = check_source(path)
        if still_format(source.head) is not None:
            return None
        job = Job.start(source, settings)
        with own_errors(job), open_video(job) as (container, stream):
            if piece_count((container.duration or 0) / 1e6) == 1:
                return None
            return Film.plan(job, stream, survey_packets(job, container, stream))
    except MediaError:
        return None  # what is wrong is said when it is read


def piece_count(seconds: float) -> int:
    """How many pieces so long a video has, if there are places to begin them; an even number or 1.

    >>> [piece_count(seconds) for seconds in (80, 100, 180, 7200)]
    [1, 2, 4, 16]
    """
    count = min(MOST_PIECES, max(1, round(seconds / PIECE_SECONDS)))
    return count + count % 2 if count > 1 else 1  # two processes then have as much to do


def plan_pieces(survey: Survey, facts: Sequence[PacketFacts], times: Sequence[int]) -> list[Piece]:
    """Part a stream shortly behind frames at which decoding can begin.

    Args:
        survey: Of the stream.
        facts: Of its packets; empty where nothing is known of them, and then there is one piece.
        times: Presentation times of the frames that were asked for.

    Returns:
        One or more pieces in order.
    """
    end = times[-1] + survey.frame_ticks
    span, lead = end - times[0], math.ceil(_LEAD_SECONDS / survey.time_base)
    count = piece_count(survey.seconds(span))
    restarts = sorted((fact.time, number) for number, fact in enumerate(facts) if fact.restart)
    seams = [0]
    for part in range(1, count):
        place = bisect.bisect_right(restarts, (times[0] + span * part // count - lead, math.inf)) - 1
        seam = bisect.bisect_left(times, restarts[place][0] + lead) if place >= 0 else 0
        if (
            2 * count * (times[seam] - times[seams[-1]]) > span
        ):  # where places to begin are rare, fewer pieces
            seams.append(seam)
    pieces = []
    for seam, after in zip(seams, [*seams[1:], len(times)], strict=True):
        place = bisect.bisect_right(restarts, (times[seam] - lead, math.inf)) - 1
        begin = restarts[place][1] if place >= 0 else 0
        until = times[after] if after < len(times) else end
        pieces.append(Piece(begin, times[seam], times[after - 1], until, seam > 0))
    return pieces


@contextmanager
def open_at(job: Job, survey: Survey, begin: int) -> Iterator[tuple[VideoStream, Iterator[VideoPacket], int]]:
    """Open a file again, near a packet where the container has an index, else at its beginning.

    Yields:
        The stream, its packets, and the number of the first of them.
    """
    if begin:
        with open_video(job) as (container, stream):
            if container.format.name in _SEEKABLE:
                container.seek(survey.ticks[begin], stream=stream)
                packets = read_packets(container, stream)
                head = next(packets, None)
                number = None if head is None else _number(survey, head, begin)
                if head is not None and number is not None:
                    yield stream, chain([head], packets), number
                    return
    with open_video(job) as (container, stream):
        yield stream, read_packets(container, stream), 0


def _number(survey: Survey, packet: VideoPacket, begin: int) -> int | None:
    """Which packet of the survey this is, at or before the wanted one; None where that is not clear."""
    places = range(begin, max(-1, begin - _LOOK_BACK), -1)
    same = (i for i in places if survey.ticks[i] == packet.pts and survey.sizes[i] == packet.size)
    return next(same, None)
