"""From what was found in each stretch of a video to its people, shots, suspicious segments and ruling."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

import numpy as np

from unmask.config import ScanSettings, TrackSettings
from unmask.faces.joining import PeopleMet, continue_tracks
from unmask.faces.people import likeness
from unmask.judge.calibration import Calibration, Thresholds, bounded
from unmask.judge.chosen import as_chosen
from unmask.judge.verdict import Evidence, Ruling, judge_track, rule, too_little
from unmask.judge.views import FaceInLook, by_view, face_of
from unmask.reasons import Reason, because
from unmask.types import Floats, Stretch, Track
from unmask.verdicts import Appearance, Outcome, Person, Segment, Shot, Sighting

_VIEW_SECONDS = 10.0  # that jump cuts of one person may last and be one look, as a whole clip is
_OUT_OF_SIGHT_SECONDS = 3.0  # that a face may be from one stretch to the next; more where frames are rare


@dataclass(frozen=True, slots=True)
class Look:
    """What was found in one stretch of a video, without its pixels.

    Attributes:
        opens_shot: Whether a shot begins with it.
        start_seconds: Container time of its first frame.
        end_seconds: Its end.
        since_seconds: Container time from which on the video is read.
        until_seconds: Container time up to which it will be read.
        evidence: People and logits.
        why_skipped: Why it was not looked at, or None.
        damage: What was seen of damage up to here, or None.
        worse: Evidence of worse versions, by distortion; empty when that was not asked for.
        vectors: What the embedder says of a face, by id of the track; empty without one.
        same_cosine: From which cosine on these are of one person.
        notes: As of the stretch.
        beside: Logits of further models, by their names, as in `Evidence`.
    """

    opens_shot: bool
    start_seconds: float
    end_seconds: float
    since_seconds: float
    until_seconds: float
    evidence: Evidence
    why_skipped: Reason | None = None
    damage: Reason | None = None
    notes: tuple[Reason, ...] = ()
    worse: Mapping[str, Evidence] = field(default_factory=dict)
    vectors: Mapping[int, Floats] = field(default_factory=dict)
    same_cosine: float = 1.0
    beside: Mapping[str, Mapping[int, Mapping[int, float]]] = field(default_factory=dict)

    @classmethod
    def at(
        cls,
        stretch: Stretch,
        evidence: Evidence,
        *,
        worse: Mapping[str, Evidence] | None = None,
        beside: Mapping[str, Mapping[int, Mapping[int, float]]] | None = None,
    ) -> Look:
        """At a stretch. Only the ends of a track keep their looks, for what comes next."""
        tracks = tuple(_without_looks(track) for track in evidence.tracks)
        return cls(
            stretch.opens_shot,
            stretch.start_seconds,
            stretch.end_seconds,
            stretch.since_seconds,
            stretch.until_seconds,
            replace(evidence, tracks=tracks),
            stretch.why_skipped,
            stretch.clip.damage,
            stretch.notes,
            worse=worse or {},
            beside=beside or {},
        )


@dataclass(frozen=True, slots=True)
class Footage:
    """What is said of a video: people, shots and segments in order, and the ruling, not yet bounded."""

    people: tuple[Person, ...]
    shots: tuple[Shot, ...]
    segments: tuple[Segment, ...]
    ruling: Ruling


@dataclass(slots=True)
class _Chain:
    """One face in one shot."""

    shot: int
    parts: list[FaceInLook]

    @property
    def start_seconds(self) -> float:
        return self.parts[0].person.frames[0].time_seconds

    @property
    def end_seconds(self) -> float:
        return self.parts[-1].person.frames[-1].time_seconds


def judge_footage(
    looks: Sequence[Look],
    calibration: Calibration,
    thresholds: Thresholds,
    settings: ScanSettings,
) -> Footage:
    """Join what was found in the stretches of a video, and judge it.

    Args:
        looks: In order of time, one or more; some in between may be missing.
        calibration: Of the model.
        thresholds: Where probabilities become words.
        settings: How faces are linked, and what counts as enough evidence.
    """
    shots = _number_shots(looks)
    chains = _link(looks, shots, calibration, settings.track)
    groups = _group(chains, looks)
    _number_people(groups)
    people = tuple(_join(group, calibration) for group in groups)
    parts = [(chain.shot, part) for group in groups for chain in group for part in chain.parts]
    sampled = [len(look.evidence.times_seconds) for look in looks]
    thin = [too_little(part.person, settings.judge, sampled_frames=sampled[part.look]) for _, part in parts]
    views = by_view([part for _, part in parts])
    faces = [face_of(view, calibration) for view in views]
    ruling = rule(
        faces,
        calibration,
        thresholds,
        thin=[
            too_little(face, settings.judge, sampled_frames=sum(sampled[part.look] for part in view))
            for face, view in zip(faces, views, strict=True)
        ],
        sampled_frames=sum(sampled),
        stretches=sum(count > 0 for count in sampled),
        dark=any(look.evidence.dark for look in looks),
    )
    if settings.judge.chosen_among:
        ruling = as_chosen(ruling, calibration, thresholds, among=settings.judge.chosen_among)
    solid = [item for item, why in zip(parts, thin, strict=True) if why is None]
    return Footage(people, _shots(looks, shots, parts), _segments(looks, solid, thresholds), ruling)


def judge_shots(
    looks: Iterable[Look], calibration: Calibration, settings: TrackSettings
) -> Iterator[Sighting]:
    """Judge every face of a shot as soon as the shot is over.

    Args:
        looks: In order of time, as they come.
        calibration: Of the model.
        settings: How faces are linked.

    Yields:
        Each face that was judged, under the number that its person has in `judge_footage`.
    """
    met = PeopleMet()
    for shot, own in enumerate(_shot_by_shot(looks)):
        chains = _link(own, [shot] * len(own), calibration, settings)
        for chain, person in zip(chains, _who(chains, own, met), strict=True):
            p_fake = _joint(chain.parts, calibration)
            if p_fake is not None:
                frames = tuple(frame for part in chain.parts for frame in part.person.frames)
                first, last = chain.start_seconds, chain.end_seconds
                yield Sighting(shot, first, last, p_fake, len(frames), person=person, seen=frames)


def _without_looks(track: Track) -> Track:
    ends = (0, len(track.faces) - 1)
    faces = tuple(face if i in ends else replace(face, look=None) for i, face in enumerate(track.faces))
    return replace(track, faces=faces)


def _number_shots(looks: Sequence[Look]) -> list[int]:
    """The number of the shot in which each look lies; whatever comes first, or behind a gap, opens one."""
    return [shot for shot, own in enumerate(_shot_by_shot(looks)) for _ in own]


def _shot_by_shot(looks: Iterable[Look]) -> Iterator[list[Look]]:
    own: list[Look] = []
    for look in looks:
        if own and (look.opens_shot or own[-1].end_seconds < look.start_seconds):
            yield own
            own = []
        own.append(look)
    if own:
        yield own


def _link(
    looks: Sequence[Look], shots: Sequence[int], calibration: Calibration, settings: TrackSettings
) -> list[_Chain]:
    """Follow faces through the stretches of their shot."""
    chains: list[_Chain] = []
    before: dict[int, _Chain] = {}
    views: list[float] = []  # when each begins
    for place, look in enumerate(looks):
        framed: dict[int, int] = {}
        if place and shots[place] != shots[place - 1]:
            framed = _same_framing(before, look, views, settings)
            before = {}
        evidence, now = look.evidence, dict[int, _Chain]()
        goes_on = _goes_on(before, look, settings)
        for track in evidence.tracks:
            logits = evidence.logits.get(track.id, {})
            person = judge_track(track, evidence, calibration)
            chain = before.get(goes_on.get(track.id, -1))
            if chain is None:
                chain = _Chain(shots[place], [])
                chains.append(chain)
            if track.id not in framed:
                framed[track.id] = len(views)
                views.append(look.start_seconds)
            chain.parts.append(FaceInLook(place, track, person, tuple(logits.values()), framed[track.id]))
            if track.kept:
                now[track.id] = chain
        before = now
    return chains


def _same_framing(
    before: Mapping[int, _Chain], look: Look, views: Sequence[float], settings: TrackSettings
) -> dict[int, int]:
    """Views that go on behind a cut, by track: the same person in the same framing.

    Otherwise a talk that is cut every two seconds would be five faces in ten seconds, and be judged as many.
    """
    strict = replace(settings, min_likeness=settings.far_likeness)
    last = {chain.parts[-1].track.id: chain.parts[-1] for chain in before.values()}
    tracks = {track.id: track for track in look.evidence.tracks}
    return {
        new: last[old].view
        for new, old in _goes_on(before, look, strict).items()
        if look.end_seconds - views[last[old].view] <= _VIEW_SECONDS
        and likeness(last[old].track.faces[-1], tracks[new].faces[0]) is not None
    }


def _goes_on(before: Mapping[int, _Chain], look: Look, settings: TrackSettings) -> dict[int, int]:
    evidence = look.evidence
    step = (look.end_seconds - look.start_seconds) / max(1, len(evidence.times_seconds))
    kept = [track for track in evidence.tracks if track.kept]
    return continue_tracks(
        [chain.parts[-1].track for chain in before.values()],
        kept,
        settings,
        ended_seconds=[chain.end_seconds for chain in before.values()],
        began_seconds=[evidence.times_seconds[track.frame_indices[0]] for track in kept],
        most_seconds=max(_OUT_OF_SIGHT_SECONDS, 2 * step),
    )


def _group(chains: Sequence[_Chain], looks: Sequence[Look]) -> list[list[_Chain]]:
    """Chains of one person each, in order of appearance; those of one shot are different people."""
    met, groups = PeopleMet(), dict[int, list[_Chain]]()
    for _, shot in groupby(chains, key=lambda chain: chain.shot):
        own = list(shot)
        for chain, number in zip(own, _who(own, looks, met), strict=True):
            groups.setdefault(number, []).append(chain)
    return list(groups.values())


def _who(chains: Sequence[_Chain], looks: Sequence[Look], met: PeopleMet) -> list[int]:
    """For each chain of a shot the number of its person."""
    return met.number_faces([_vector(chain, looks) for chain in chains], same_cosine=looks[0].same_cosine)


def _vector(chain: _Chain, looks: Sequence[Look]) -> Floats | None:
    known = [looks[part.look].vectors.get(part.track.id) for part in chain.parts]
    found = [vector for vector in known if vector is not None]
    return np.asarray(np.mean(found, axis=0), np.float32) if found else None


def _number_people(groups: Sequence[Sequence[_Chain]]) -> None:
    """Give each part the number that its person has in the file, also where a reason names a person."""
    numbers: dict[int, dict[int, int]] = {}
    for number, group in enumerate(groups):
        for part in (part for chain in group for part in chain.parts):
            numbers.setdefault(part.look, {})[part.track.id] = number
    for chain in (chain for group in groups for chain in group):
        chain.parts = [
            replace(part, person=_numbered(part.person, numbers[part.look])) for part in chain.parts
        ]


def _numbered(person: Person, numbers: Mapping[int, int]) -> Person:
    person = replace(person, id=numbers[person.id])
    if person.dropped is None:
        return person
    dropped = person.dropped.numbered(numbers)
    return replace(person, why_dropped=str(dropped), dropped=dropped)


def _join(group: Sequence[_Chain], calibration: Calibration) -> Person:
    """One person, from all chains of the group."""
    parts = [part for chain in group for part in chain.parts]
    details = [part.person.detail_px for part in parts if part.person.detail_px is not None]
    return replace(
        parts[0].person,
        detail_px=round(float(np.median(details)), 2) if details else None,
        drawn=any(part.person.drawn for part in parts),
        p_fake=_joint(parts, calibration),
        frames=tuple(frame for part in parts for frame in part.person.frames),
        appearances=tuple(
            Appearance(
                shot=chain.shot,
                start_seconds=chain.start_seconds,
                end_seconds=chain.end_seconds,
                p_fake=_joint(chain.parts, calibration),
                frames=sum(len(part.person.frames) for part in chain.parts),
            )
            for chain in group
        ),
    )


def _joint(parts: Sequence[FaceInLook], calibration: Calibration) -> float | None:
    """As it is said, from the mean of all logits, as a single part has it."""
    logits = [logit for part in parts if part.person.p_fake is not None for logit in part.logits]
    return bounded(calibration.probability(float(np.mean(logits)))) if logits else None


def _shots(
    looks: Sequence[Look], shots: Sequence[int], parts: Sequence[tuple[int, FaceInLook]]
) -> tuple[Shot, ...]:
    judged: dict[int, set[int]] = {}
    for number, part in parts:
        if part.person.p_fake is not None:
            judged.setdefault(number, set()).add(part.person.id)
    found = []
    for number, group in groupby(zip(shots, looks, strict=True), key=lambda item: item[0]):
        own = [look for _, look in group]
        people = len(judged.get(number, ()))
        skipped = next((look.why_skipped for look in own if look.why_skipped), None)
        unjudged = None if people else skipped or because("nobody")
        found.append(
            Shot(
                start_seconds=own[0].start_seconds,
                end_seconds=own[-1].end_seconds,
                frames=sum(len(look.evidence.times_seconds) for look in own),
                people=people,
                why_not=None if unjudged is None else str(unjudged),
                unjudged=unjudged,
            )
        )
    return tuple(found)


def _segments(
    looks: Sequence[Look], parts: Sequence[tuple[int, FaceInLook]], thresholds: Thresholds
) -> tuple[Segment, ...]:
    """Parts that are not clearly real, those that follow each other joined; most suspicious first."""
    found: list[Segment] = []
    for shot, part in parts:
        p_fake = part.person.p_fake
        if p_fake is None or thresholds.outcome(p_fake) is Outcome.REAL:
            continue
        look, last = looks[part.look], len(looks[part.look].evidence.times_seconds) - 1
        seen = part.track.frame_indices
        start = look.start_seconds if seen[0] == 0 else part.person.frames[0].time_seconds
        end = look.end_seconds if seen[-1] == last else part.person.frames[-1].time_seconds
        outcome = thresholds.outcome(p_fake)
        one = Segment(part.person.id, shot, start, end, p_fake, outcome)
        if found and _follows(found[-1], one):
            before = found.pop()
            one = replace(one, start_seconds=before.start_seconds, p_fake=max(p_fake, before.p_fake))
        found.append(one)
    found.sort(key=lambda one: -one.p_fake)
    return tuple(replace(one, p_fake=bounded(one.p_fake)) for one in found)


def _follows(before: Segment, one: Segment) -> bool:
    same = (before.person, before.shot, before.outcome) == (one.person, one.shot, one.outcome)
    return same and before.end_seconds == one.start_seconds
