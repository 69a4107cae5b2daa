"""Read a file again for its report: one pass for the preview, the strips, and the crops of the heat maps.

Runs in a child process, as hostile bytes may crash a decoder.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from unmask.errors import MediaError, ModelError, why_unreadable
from unmask.faces.crop import cut_face, scale_square
from unmask.files import fingerprint
from unmask.judge.calibration import Thresholds
from unmask.judge.card import Card
from unmask.judge.conclude import thresholds_of
from unmask.judge.heat import Change, HeatMap, search_heat
from unmask.judge.heat_trials import trial_of
from unmask.quantities import told_time
from unmask.reasons import because
from unmask.report.cards import card_of
from unmask.report.credentials import read_credentials
from unmask.report.heat import draw_heat
from unmask.report.light import brightened, is_dark, level_of
from unmask.report.marks import Marker
from unmask.report.moments import Spot, faces_along, frames_of_stretches
from unmask.report.options import ReportOptions
from unmask.report.portraits import portrait
from unmask.report.seen import Glimpse, Heat, Pictures, Seen, Step, Strip
from unmask.report.standing import Film
from unmask.report.trusted import TrustList, read_trust_list
from unmask.report.words import Words
from unmask.types import Face, Frame, Image
from unmask.verdicts import Person, PersonFrame, Verdict
from unmask.video.encoding import VideoWriter, even_size
from unmask.video.facts import read_facts
from unmask.video.film import open_film
from unmask.video.playing import play_frames
from unmask.work.each import Do, Tell

MAX_PEOPLE = 6
"""Of whom there are pictures, the most suspicious first."""

MAX_PREVIEW_SECONDS = 300.0
STRIPS = 4
"""Most and least suspicious frames of a person, so many of each."""

_PREVIEW_PX, _PREVIEW_RATE = 480, Fraction(25, 2)  # longer side; frames a second
_HEATS = (1, 1, 1)  # of the first, second and third person; 26 runs of the network each
_EXAMINED_HEATS = (3, 2, 1)  # of a stretch that is looked at closely
_EXAMINED_PX = 960
_HEAT_PX = 200
_STILL_PX = 640
_STRETCH_PX = 320
_TOLD_STEP = 0.02  # of a step, at which it is told again how far it is
_FALLBACK = Thresholds(1.0, 0.0)  # without a card no colour is claimed

Again = tuple[Verdict, str, ReportOptions]
"""A verdict, its file, which is looked at again, and how the report is wanted."""


def load_looking() -> Do[Again, Seen]:
    """What a child process does with each file."""
    return _look


def _look(task: Again, tell: Tell) -> Seen:
    verdict, source, options = task
    return look_again(verdict, Path(source), options, tell=tell)


def look_again(verdict: Verdict, source: Path, options: ReportOptions, *, tell: Tell | None = None) -> Seen:
    """Read the file of a verdict again.

    What cannot be read or is no longer the judged file gives no pictures, and a reason. Each `Step` is told
    as a part.
    """
    try:
        sha256 = fingerprint(source)
        facts = read_facts(source, sha256, options.settings.decode)
    except (MediaError, OSError) as error:
        return Seen(problem="media_unreadable", detail=why_unreadable(error))
    seen = Seen(facts=facts, credentials=read_credentials(source, _trusted(options)))
    if verdict.sha256 is not None and verdict.sha256 != sha256:
        return replace(seen, problem="media_changed")
    if verdict.outcome.has_failed:
        return seen
    try:
        return _pictures(verdict, source, options, seen, tell)
    except MediaError as error:
        return replace(seen, problem="media_unreadable", detail=why_unreadable(error))


def _trusted(options: ReportOptions) -> TrustList:
    return read_trust_list(Path(options.trust_list) if options.trust_list else None)


def shown_people(verdict: Verdict) -> list[Person]:
    """Those who were judged, most suspicious first, as far as there are pictures of them."""
    worst = {person.id: person.p_fake for person in verdict.people if person.p_fake is not None}
    for one in verdict.segments:  # who looks suspicious in one stretch only is shown, too
        worst[one.person] = max(worst.get(one.person, 0.0), one.p_fake)
    judged = [person for person in verdict.people if person.p_fake is not None]
    return sorted(judged, key=lambda person: (-worst[person.id], person.id))[:MAX_PEOPLE]


@dataclass(slots=True)
class _Wanted:
    """One frame of one person that pictures are made of, and what came of it."""

    person: int
    frame: PersonFrame
    jpeg: bytes = b""
    crop: Image | None = None


@dataclass(slots=True)
class _Pass:
    """What is gathered while the file is read once.

    The faces along the film and the frames of its stretches are kept by the spot that they are of.
    """

    wanted: list[_Wanted]
    preview: VideoWriter | None
    still_at: float
    still_px: int
    faces: dict[Spot, bytes] = field(default_factory=dict)
    frames: dict[Spot, bytes] = field(default_factory=dict)
    still: bytes | None = None
    levels: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Drawn:
    """What is drawn on frames, and how crops are cut."""

    verdict: Verdict
    marker: Marker
    card: Card | None


class _Progress:
    """Tells how far a step is, a bounded number of times."""

    def __init__(self, tell: Tell | None, name: str) -> None:
        self._tell, self._name, self._told = tell, name, -1.0

    def reached(self, share: float) -> None:
        share = min(max(share, 0.0), 1.0)
        if self._tell is not None and share - self._told >= _TOLD_STEP:
            self._told = share
            self._tell.part(Step(self._name, round(share, 3)))


def _pictures(verdict: Verdict, source: Path, options: ReportOptions, seen: Seen, tell: Tell | None) -> Seen:
    card = card_of(verdict, options.settings)
    thresholds = thresholds_of(card, options.settings, still=verdict.is_still) if card else _FALLBACK
    people = shown_people(verdict)
    chosen = [(person, *pick_frames(person)) for person in people]
    wanted = [_Wanted(person.id, frame) for person, most, least in chosen for frame in (*most, *least)]
    seconds = verdict.end_seconds - verdict.start_seconds
    playable = 0 < seconds <= MAX_PREVIEW_SECONDS
    preview = None
    if playable and not options.media_url and options.preview_mb:
        preview = VideoWriter(rate=_PREVIEW_RATE, quality=29, max_bytes=options.preview_mb * 1e6)
    along, stretches = faces_along(verdict), frames_of_stretches(verdict)
    still_px = _EXAMINED_PX if options.closer else _STILL_PX
    gathered = _Pass(wanted, preview, _still_time(verdict, people), still_px)
    gathered.faces = dict.fromkeys(along, b"")
    gathered.frames = {spot: b"" for spot in stretches if spot is not None}
    words = Words(options.language)
    drawn = _Drawn(verdict, Marker(verdict, Film(verdict, thresholds, card, words), words), card)
    progress = _Progress(tell, "pictures")
    progress.reached(0)
    _read(source, options, gathered, drawn, progress)
    video = preview.finish() if preview else None
    why_not = "" if playable else "too_long"
    _Progress(tell, "heat").reached(0)
    heats, heat_why_not = _heats(card, options, people, wanted)
    return replace(
        seen,
        preview=video,
        preview_why_not="too_large" if preview and preview.too_large else why_not,
        still=gathered.still,
        people=tuple(_of_person(person, most, least, wanted, heats) for person, most, least in chosen),
        along=tuple(filter(None, (_glimpse(spot, gathered.faces) for spot in along))),
        stretches=tuple(None if spot is None else _glimpse(spot, gathered.frames) for spot in stretches),
        brightness=float(np.mean(gathered.levels)) if gathered.levels else None,
        brightened=any(map(is_dark, gathered.levels)),
        heat_why_not=heat_why_not,
        heat_trial=trial_of(card.sha256) if card else None,
    )


def pick_frames(person: Person) -> tuple[list[PersonFrame], list[PersonFrame]]:
    """The most suspicious frames of a person, most suspicious first, and the least, without overlap."""
    scored = sorted(
        (one for one in person.frames if one.p_fake is not None),
        key=lambda one: (-(one.p_fake or 0.0), one.time_seconds),
    )
    most = scored[: min(STRIPS, math.ceil(len(scored) / 2))]
    return most, scored[len(most) :][::-1][:STRIPS]


def _still_time(verdict: Verdict, people: Sequence[Person]) -> float:
    """When the one frame is that stands for the file: the most suspicious of the most suspicious person."""
    for person in people:
        most, _ = pick_frames(person)
        if most:
            return most[0].time_seconds
    seen = [frame.time_seconds for person in verdict.people for frame in person.frames]
    return seen[0] if seen else told_time(verdict.start_seconds)


def _read(source: Path, options: ReportOptions, gathered: _Pass, drawn: _Drawn, tell: _Progress) -> None:
    """Go through the file once and gather everything."""
    verdict, marker, card = drawn.verdict, drawn.marker, drawn.card
    due: set[float] = set()
    seconds = verdict.end_seconds - verdict.start_seconds
    spots = {spot.frame.time_seconds for spot in (*gathered.faces, *gathered.frames)}
    exact = {one.frame.time_seconds for one in gathered.wanted} | {gathered.still_at} | spots

    def choose(times: Sequence[float]) -> set[float]:
        if gathered.preview is not None:
            due.update(every(times, float(1 / _PREVIEW_RATE), verdict.start_seconds, verdict.end_seconds))
        return due | {time for time in times if told_time(time) in exact}

    size: tuple[int, int] | None = None
    for frame in play_frames(open_film(source, options.settings.decode), choose):
        size = size or even_size(frame, longest_px=_EXAMINED_PX if options.closer else _PREVIEW_PX)
        if gathered.preview is not None and frame.time_seconds in due:
            image = marker.draw(frame, width=size[0], height=size[1])
            gathered.preview.add(image, frame.time_seconds)
        if told_time(frame.time_seconds) in exact:
            _gather(frame, gathered, marker, card)
        tell.reached((frame.time_seconds - verdict.start_seconds) / max(seconds, 1e-6))


def _gather(frame: Frame, gathered: _Pass, marker: Marker, card: Card | None) -> None:
    """Keep of a frame what pictures are made of."""
    rgb, time = frame.picture.rgb(), told_time(frame.time_seconds)
    level = level_of(rgb)
    gathered.levels.append(level)
    shown = brightened(rgb, level)  # for the eye; what a heat map is made of stays as it is
    if time == gathered.still_at:
        gathered.still = _still(frame, marker, gathered.still_px, level)
    for spot in (spot for spot in gathered.faces if spot.frame.time_seconds == time):
        gathered.faces[spot] = portrait(shown, spot.frame)
    for spot in (spot for spot in gathered.frames if spot.frame.time_seconds == time):
        gathered.frames[spot] = _still(frame, marker, _STRETCH_PX, level, of={spot.person: spot.p_fake})
    for one in (one for one in gathered.wanted if one.frame.time_seconds == time):
        one.jpeg = portrait(shown, one.frame)
        _cut(one, rgb, card)


def every(times: Sequence[float], step: float, start: float, end: float) -> list[float]:
    """Times at least a step apart, between two others; the first one counts.

    >>> every([0.0, 0.04, 0.08, 0.12, 0.16], 0.08, 0.0, 1.0)
    [0.0, 0.08, 0.16]
    """
    chosen: list[float] = []
    for time in times:
        if start <= time < end and (not chosen or time - chosen[-1] >= step - 1e-3):
            chosen.append(time)
    return chosen


def _cut(one: _Wanted, rgb: Image, card: Card | None) -> None:
    if card is not None:
        box = np.array(one.frame.box, np.float32)
        face = Face(box, np.array(one.frame.points, np.float32), one.frame.confidence)
        one.crop, _ = cut_face(rgb, face, card.crop_settings)


def _glimpse(spot: Spot, jpegs: Mapping[Spot, bytes]) -> Glimpse | None:
    jpeg = jpegs[spot]
    return Glimpse(spot.person, spot.frame.time_seconds, spot.p_fake, jpeg) if jpeg else None


def _still(
    frame: Frame, marker: Marker, longest_px: int, level: float, *, of: Mapping[int, float] | None = None
) -> bytes:
    width, height = even_size(frame, longest_px=longest_px)
    return _jpeg(marker.draw(frame, width=width, height=height, of=of, level=level))


def _heats(
    card: Card | None, options: ReportOptions, people: Sequence[Person], wanted: Sequence[_Wanted]
) -> tuple[dict[int, list[Heat]], str]:
    """Heat maps by person, and the key of why there are none."""
    trial = trial_of(card.sha256) if card else None
    if not options.heat_map or not people:
        return {}, ""
    if card is None:
        return {}, "heat_no_model"
    if card.kind == "clip":
        return {}, "heat_clip_model"
    if trial is None or not trial.beats_chance:  # what is not known to bear the verdict is not shown
        return {}, "heat_not_tried" if trial is None else "heat_no_better"
    chosen: list[tuple[_Wanted, Image]] = []
    for person, count in zip(people, _EXAMINED_HEATS if options.closer else _HEATS, strict=False):
        own = [(one, one.crop) for one in wanted if one.person == person.id and one.crop is not None]
        chosen += own[:count]
    try:
        found = search_heat([crop for _, crop in chosen], options.settings)
    except ModelError:
        return {}, "heat_no_model"
    heats: dict[int, list[Heat]] = {}
    for (one, crop), (where, change) in zip(chosen, found, strict=True):
        heats.setdefault(one.person, []).append(_heat(one.frame.time_seconds, crop, where, change))
    return heats, ""


def _heat(time_seconds: float, crop: Image, where: HeatMap, change: Change) -> Heat:
    return Heat(
        time_seconds,
        _jpeg(scale_square(crop, size_px=_HEAT_PX)),
        _jpeg(scale_square(draw_heat(crop, where), size_px=_HEAT_PX)),
        change.p_fake,
        change.odds_covered,
        change.odds_elsewhere,
    )


def _of_person(
    person: Person,
    most: Sequence[PersonFrame],
    least: Sequence[PersonFrame],
    wanted: Sequence[_Wanted],
    heats: dict[int, list[Heat]],
) -> Pictures:
    jpegs = {one.frame.time_seconds: one.jpeg for one in wanted if one.person == person.id and one.jpeg}

    def strips(frames: Sequence[PersonFrame]) -> tuple[Strip, ...]:
        return tuple(
            Strip(one.time_seconds, one.p_fake or 0.0, jpegs[one.time_seconds])
            for one in frames
            if one.time_seconds in jpegs
        )

    return Pictures(person.id, strips(most), strips(least), tuple(heats.get(person.id, ())))


def _jpeg(image: Image) -> bytes:
    done, data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 82])
    if not done:
        raise MediaError(because("not_encoded"))
    return data.tobytes()
