"""Read evenly spread frames of a file: decode what they need, start over with care on damage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from unmask.config import DecodeSettings
from unmask.reasons import Reason
from unmask.types import Clip, Frame
from unmask.video.animation import read_animation
from unmask.video.container import Reading, VideoPacket, own_errors
from unmask.video.decoding import Decoding, Timed, no_frame
from unmask.video.film import Film, open_film
from unmask.video.picture import DecodedPicture
from unmask.video.sampling import Plan, pick_shown, pick_times, plan_packets
from unmask.video.shots import mark_cuts
from unmask.video.still import read_still


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
        The frames in order of time. ``damage`` is set when it was met on the way to these frames.

    Raises:
        DamagedError: The file is damaged and no frame could be decoded.
        MediaError: The file is absent, not readable, no video or image, or beyond a limit.
    """
    return read_evenly(open_film(path, settings))


def read_evenly(film: Film, *, cuts: list[int] | None = None) -> Clip:
    """Evenly spread frames of a film, as `read_clip` reads them.

    Args:
        film: As it was opened.
        cuts: Receives the times at which shots begin, as far as they were seen on the way.

    Raises:
        DamagedError: No frame could be decoded.
        MediaError: The file is beyond a limit, or can no longer be read.
    """
    survey, times = film.survey, film.times
    end = survey.times[-1] + survey.frame_ticks if times[-1] == survey.times[-1] else None
    wanted = pick_times(times, min(film.settings.frames, film.most_held), end=end)
    if film.still is not None:
        return read_pictures(film, wanted)
    reading = Reading.start(film.source, film.settings)
    cuts = [] if cuts is None else cuts
    damage = survey.problem
    with own_errors(reading):
        if not damage:
            run = Decoding(reading, survey, len(wanted))
            picked = _pick(run, film, wanted, cuts)
            if not run.problem and [time for time, _ in picked] == wanted:
                return _make_clip(film, picked, damage=None)
            damage = run.problem
        for broken_too in (False, True):
            cuts.clear()
            run = Decoding(reading, survey, len(wanted), careful=True, broken_too=broken_too)
            picked = _pick(run, film, wanted, cuts)
            damage = damage or run.problem
            if picked:
                return _make_clip(film, picked, damage=damage)
    raise no_frame(reading, damage)


def read_pictures(film: Film, wanted: Sequence[int]) -> Clip:
    """A still picture, or those of an animation that are shown at some of its times.

    Raises:
        MediaError: As `read_evenly`.
    """
    assert film.still is not None
    if len(film.survey.times) == 1:
        return read_still(film.source, film.still, film.settings)
    return read_animation(film.source, film.settings, film.survey, wanted)


def _pick(run: Decoding, film: Film, wanted: list[int], cuts: list[int]) -> list[Timed]:
    """The wanted frames: fast until the first problem, or carefully to the end."""
    plan = None
    if not run.careful and film.survey.plannable and film.settings.drop_unreferenced:
        plan = plan_packets(film.survey.facts(), wanted)
    with film.packets(run.reading) as (context, packets, _):
        frames = run.run(context, planned_packets(run, packets, plan))
        tick_seconds = float(film.survey.time_base)
        return pick_shown(_noted(frames, cuts, since=wanted[0], tick_seconds=tick_seconds), wanted)


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


def _make_clip(film: Film, picked: list[Timed], *, damage: Reason | None) -> Clip:
    converter, survey = film.converter(), film.survey
    frames = tuple(Frame(survey.seconds(time), DecodedPicture(frame, converter)) for time, frame in picked)
    return Clip(
        path=film.source.path,
        frames=frames,
        duration_seconds=survey.duration_seconds,
        damage=damage,
    )
