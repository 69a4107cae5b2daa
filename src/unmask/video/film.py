"""A file that was opened once: its packets are listed, and the pieces in which it can be read.

All that reading needs to know before the first frame is decoded, whoever reads: a clip of evenly spread
frames, all stretches, or single frames. Small and picklable, so that the process that listed the packets can
hand it to others, which then read pieces of the file without listing them again. The seams depend on the file
alone, and every piece is read by itself: the same file gives the same verdict, however many processes worked
on it.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

from av.video.codeccontext import VideoCodecContext

from unmask.config import DecodeSettings
from unmask.errors import DamagedError, MediaError
from unmask.reasons import Reason, because
from unmask.video.animation import survey_animation
from unmask.video.container import (
    Reading,
    Source,
    VideoPacket,
    as_fraction,
    check_source,
    decoder_of,
    open_video,
    own_errors,
    read_packets,
    unseen_streams,
)
from unmask.video.decoding import fitting
from unmask.video.picture import Converter
from unmask.video.sampling import PacketFacts
from unmask.video.still import picture_format
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
    """A file that was opened: a video whose packets are listed, or pictures: a still one is one frame at 0 s.

    Attributes:
        source: The file.
        settings: How it is read.
        still: Format of a still picture, or of an animation that FFmpeg does not read; None for a video.
        survey: Of its packets, none of which it holds any more.
        most_held: How many of its frames fit into memory.
        aspect: Width of a stored pixel by its height.
        notes: What is to be said of it in a verdict, such as what in it is not read.
        pieces: In which what was asked for is read, each by itself; at least one, in order.
        at_hand: A decoder and all packets of a small video, which its first reader takes; they are not
            handed to other processes.
    """

    source: Source
    settings: DecodeSettings
    still: str | None
    survey: Survey
    most_held: int = 1
    aspect: Fraction = Fraction(1)
    notes: tuple[Reason, ...] = ()
    pieces: tuple[Piece, ...] = ()
    at_hand: list[tuple[VideoCodecContext, list[VideoPacket]]] = field(
        default_factory=list, repr=False, compare=False
    )

    def __reduce__(self) -> tuple[Any, ...]:
        view = (self.most_held, self.aspect, self.notes)
        return Film, (self.source, self.settings, self.still, self.survey, *view, self.pieces)

    def under(self, settings: DecodeSettings) -> Film:
        """The same file under other settings, such as another part of it; nothing is read for that.

        Raises:
            MediaError: It has no frames, or none in the part that is asked for.
        """
        return self if settings == self.settings else replace(self, settings=settings).parted()

    def parted(self) -> Film:
        """With the pieces in which it is read; raises as `under`."""
        known = self.survey.plannable and self.settings.drop_unreferenced
        pieces = plan_pieces(self.survey, self.survey.facts() if known else [], self.times)
        return replace(self, pieces=tuple(pieces))

    @property
    def times(self) -> Sequence[int]:
        """Presentation times of the frames that were asked for, all or those of a part; raises as `under`."""
        label, survey = self.source.label, self.survey
        if not survey.times:
            if survey.problem:
                raise DamagedError(because("no_frames_damaged", damage=survey.problem), label)
            raise MediaError(because("no_frames"), label)
        start, end = self.settings.start_seconds, self.settings.end_seconds
        if len(survey.times) == 1 or (not start and end is None):
            return survey.times
        times = survey.cut_out(start, end)
        if not times:
            part = {"start_seconds": start, "duration_seconds": round(survey.duration_seconds, 6)}
            if end is None:
                raise MediaError(because("nothing_after", **part), label)
            raise MediaError(because("nothing_between", **part, end_seconds=end), label)
        return times

    def converter(self) -> Converter:
        """What turns its decoded frames into RGB."""
        return Converter(self.aspect)

    @property
    def start_seconds(self) -> float:
        """Container time of the first frame that was asked for."""
        return self.survey.seconds(self.pieces[0].first)

    @property
    def end_seconds(self) -> float:
        """When the last one leaves the screen."""
        return self.survey.seconds(self.pieces[-1].end)

    @contextmanager
    def packets(
        self, reading: Reading, *, begin: int = 0
    ) -> Iterator[tuple[VideoCodecContext, Iterator[VideoPacket], int]]:
        """Packets of a video: those at hand, else from the file, where it has an index near the one needed.

        Args:
            reading: The file and its limits.
            begin: Number of the packet that is needed first.

        Yields:
            A decoder that is not open yet, packets, and the number of the first of them.
        """
        if self.at_hand and not begin:
            context, held = self.at_hand.pop()
            yield context, _given_up(held), 0
            return
        if begin:
            with open_video(reading) as (container, stream):
                if container.format.name in _SEEKABLE:
                    container.seek(self.survey.ticks[begin], stream=stream)
                    packets = read_packets(container, stream)
                    head = next(packets, None)
                    number = None if head is None else _number(self.survey, head, begin)
                    if head is not None and number is not None:
                        yield decoder_of(stream), chain([head], packets), number
                        return
        with open_video(reading) as (container, stream):
            yield decoder_of(stream), read_packets(container, stream), 0


def open_film(path: str | Path, settings: DecodeSettings | None = None) -> Film:
    """Open a file: look at what it is, and list the packets of a video, decoding nothing.

    Args:
        path: A file name, always: ``http:`` or ``concat:`` have no meaning in it.
        settings: How many frames, which part, and the limits.

    Raises:
        DamagedError: The file is damaged and has no frames.
        MediaError: The file is absent, not readable, no video or image, or beyond a limit, or has no frame in
            the part that is asked for.
    """
    settings = settings or DecodeSettings()
    source = check_source(path)
    still = picture_format(source)
    if still is not None:
        survey, most = survey_animation(source) if still == "webp" else (Survey.of_still(), 1)
        return Film(source, settings, still, survey, most).parted()
    reading = Reading.start(source, settings)
    with own_errors(reading), open_video(reading) as (container, stream):
        survey = survey_packets(reading, container, stream)
        notes = _notes(survey, unseen_streams(container, stream))
        most, aspect = (
            fitting(stream.codec_context),
            as_fraction(stream.sample_aspect_ratio, unknown=Fraction(1)),
        )
        film = Film(source, settings, None, survey, most, aspect, notes).parted()
        if survey.packets is not None:
            film.at_hand.append((decoder_of(stream), survey.packets))
            survey.packets = None
    return film


def _notes(survey: Survey, unseen: Sequence[int]) -> tuple[Reason, ...]:
    notes = [because("other_streams", streams=len(unseen), first=unseen[0])] if unseen else []
    return (*notes, because("one_frame")) if len(survey.times) == 1 else tuple(notes)


def _given_up(held: list[VideoPacket]) -> Iterator[VideoPacket]:
    """One after the other, none of which is held any longer than it is needed."""
    held.reverse()
    while held:
        yield held.pop()


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
        # Where places to begin are rare, fewer pieces; behind the last frame, which may stand long, none.
        if seam < len(times) and 2 * count * (times[seam] - times[seams[-1]]) > span:
            seams.append(seam)
    pieces = []
    for seam, after in zip(seams, [*seams[1:], len(times)], strict=True):
        place = bisect.bisect_right(restarts, (times[seam] - lead, math.inf)) - 1
        begin = restarts[place][1] if place >= 0 else 0
        until = times[after] if after < len(times) else end
        pieces.append(Piece(begin, times[seam], times[after - 1], until, seam > 0))
    return pieces


def _number(survey: Survey, packet: VideoPacket, begin: int) -> int | None:
    """Which packet of the survey this is, at or before the wanted one; None where that is not clear."""
    places = range(begin, max(-1, begin - _LOOK_BACK), -1)
    same = (i for i in places if survey.ticks[i] == packet.pts and survey.sizes[i] == packet.size)
    return next(same, None)
