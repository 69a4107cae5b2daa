"""Read any video, however long, as stretches without a cut, one at a time.

A clip of up to 15 s without a cut is one stretch and read as `read_clip` reads it. Everything else is decoded
once in one thread, piece by piece, and each shot comes out as soon as it is over; of a long shot every ten
seconds. Memory holds the frames of two stretches, never more.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from av.video.frame import VideoFrame

from unmask.reasons import because
from unmask.types import Clip, Frame, Stretch
from unmask.video.container import Reading, VideoPacket, own_errors
from unmask.video.decoding import Decoding, no_frame
from unmask.video.film import Film, Piece
from unmask.video.picture import DecodedPicture
from unmask.video.reading import read_evenly
from unmask.video.sampling import StretchSampler, Taken
from unmask.video.shots import Marked, mark_cuts
from unmask.video.survey import Survey

SHORT_SECONDS = 15.0
"""Up to here a video without a cut is looked at as a whole."""

_SPARSE_SECONDS = 0.1  # least time between two frames where some may be left out


def read_stretches(film: Film, piece: int | None = None) -> Iterator[Stretch]:
    """Read a video shot by shot, or a still picture as one stretch.

    Args:
        film: As it was opened; its time limit holds for each stretch.
        piece: Number of the only one of its pieces that is read; None reads all.

    Yields:
        Stretches in order of time, each as soon as it is decoded. ``damage`` is set on the clips from where
        it was met.

    Raises:
        DamagedError: The file is damaged and no frame could be decoded.
        MediaError: The file is beyond a limit, or can no longer be read.
    """
    start, end = film.start_seconds, film.end_seconds
    if film.still is not None or (end - start <= SHORT_SECONDS and piece is None):
        cuts: list[int] = []
        clip = read_evenly(film, cuts=cuts)
        if not cuts:
            yield Stretch(clip, True, start, end, start, end, notes=film.notes)
            return
        del clip
    reading = Reading.start(film.source, film.settings)
    with own_errors(reading):
        yield from _PieceReader(reading, film).run(piece)


@dataclass(slots=True)
class _PieceReader:
    """A film that is read piece by piece, and in each stretch by stretch.

    Attributes:
        reading: The file and its limits.
        film: What is known of it.
    """

    reading: Reading
    film: Film

    def run(self, chosen: int | None) -> Iterator[Stretch]:
        """Read this piece, or all."""
        survey, pieces = self.film.survey, self.film.pieces
        given, problem = False, None
        lost: list[Stretch] = []  # told of only once it is known that something can be decoded
        for piece in pieces if chosen is None else pieces[chosen : chosen + 1]:
            sampler = self._sampler(piece)
            self.reading.renew()  # each piece has a time limit of its own
            run = Decoding(self.reading, survey, sampler.held, careful=True)
            empty = True
            for stretch in self._read(piece, run, sampler):
                empty, given = False, True
                yield from lost
                lost.clear()
                yield stretch
                self.reading.renew()
            problem = problem or survey.problem or run.problem
            if empty:
                clip = Clip(self.reading.source.path, (), 0.0, problem)
                start, end = survey.seconds(piece.first), survey.seconds(piece.end)
                taken = Taken[VideoFrame]((), not piece.goes_on, start, end, because("no_frame"))
                lost.append(self._stretch(clip, taken))
        if given or chosen is not None:
            yield from lost
        else:
            raise no_frame(self.reading, problem)

    def _sampler(self, piece: Piece) -> StretchSampler[VideoFrame]:
        """Each piece has its share of the frames."""
        settings = self.reading.settings
        pieces = self.film.pieces
        share = (piece.end - piece.first) / (pieces[-1].end - pieces[0].first)
        settings = replace(settings, max_frames=max(1, round(settings.max_frames * share)))
        until = self.film.survey.seconds(piece.end)
        return StretchSampler[VideoFrame](settings, until, self.film.most_held, goes_on=piece.goes_on)

    def _read(self, piece: Piece, run: Decoding, sampler: StretchSampler[VideoFrame]) -> Iterator[Stretch]:
        survey = self.film.survey
        with self.film.packets(run.reading, begin=piece.begin) as (context, packets, number):
            chosen = _thinned(run, run.until_damage(packets, first=number), sampler, piece.begin)
            frames = run.run(context, chosen)
            for taken in _sampled(
                survey, mark_cuts(frames, tick_seconds=float(survey.time_base)), sampler, piece
            ):
                converter = self.film.converter()
                damage = survey.problem or run.problem
                clip = Clip(
                    path=self.reading.source.path,
                    frames=tuple(
                        Frame(time, DecodedPicture(frame, converter)) for time, frame in taken.frames
                    ),
                    duration_seconds=taken.end_seconds - taken.start_seconds,
                    damage=damage,
                )
                yield self._stretch(clip, taken)

    def _stretch(self, clip: Clip, taken: Taken[VideoFrame]) -> Stretch:
        return Stretch(
            clip,
            opens_shot=taken.opens_shot,
            start_seconds=taken.start_seconds,
            end_seconds=taken.end_seconds,
            since_seconds=self.film.start_seconds,
            until_seconds=self.film.end_seconds,
            why_skipped=taken.why_skipped,
            notes=self.film.notes,
        )


def _sampled(
    survey: Survey,
    frames: Iterator[Marked[VideoFrame]],
    sampler: StretchSampler[VideoFrame],
    piece: Piece,
) -> Iterator[Taken[VideoFrame]]:
    last = piece.first - 1
    for time, frame, opens, mixed_since in frames:
        if time > piece.last:
            break
        if time > last:  # else before the piece, or a time that stands still or runs back
            last = time
            opens = opens or time == survey.times[0]
            yield from sampler.add(survey.seconds(time), frame, opens=opens, mixed_since=mixed_since)
    yield from sampler.finish(survey.seconds(piece.end))


def _thinned(
    run: Decoding,
    packets: Iterable[tuple[int, VideoPacket]],
    sampler: StretchSampler[VideoFrame],
    begin: int,
) -> Iterator[VideoPacket | None]:
    """The packets to decode: from where the piece begins, and while a shot goes on not every one.

    What no other frame refers to is left out where the frame before it is near, until damage is met: then
    nothing is known of what refers to what.
    """
    known = run.survey.plannable and run.reading.settings.drop_unreferenced
    after_jump = begin > 0
    sent = -math.inf
    for number, packet in packets:
        if number < begin:
            continue
        if known and not run.problem:
            fact = run.survey.fact(number)
            after_jump = after_jump and (fact.leading or number == begin)
            seconds = run.survey.seconds(fact.time)
            near = abs(seconds - sent) < _SPARSE_SECONDS and seconds > sampler.dense_until_seconds
            if (fact.leading and after_jump) or (fact.unreferenced and near):
                continue
            sent = seconds
        yield packet
    yield None
