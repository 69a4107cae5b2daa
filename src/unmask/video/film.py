"""A video whose packets are listed: all that reading needs to know of it before the first frame is decoded.

Small and picklable, so that the process that listed the packets can hand it to others, which then read pieces
of the file without listing them again.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from av.video.stream import VideoStream

from unmask.config import DecodeSettings
from unmask.errors import MediaError
from unmask.video.container import Job, check_source, open_video
from unmask.video.decoding import fitting
from unmask.video.pieces import Piece, piece_count, plan_pieces
from unmask.video.reading import own_errors, wanted_times
from unmask.video.still import still_format
from unmask.video.survey import Survey, survey_packets


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
