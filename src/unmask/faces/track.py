"""Link the faces of a clip in time into people, and say which tracks are no person, and why."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from unmask.config import TrackSettings
from unmask.faces.boxes import cover, match_boxes, sides
from unmask.faces.people import apply_policy, is_plausible, likeness
from unmask.faces.scenes import Scenes
from unmask.reasons import Reason, because
from unmask.types import Clip, Face, Floats, Track


def link_faces(clip: Clip, faces: Sequence[Sequence[Face]], settings: TrackSettings) -> tuple[Track, ...]:
    """Link faces into tracks, one a person.

    A face continues the track whose place, foreseen from its last movement, is nearest and whose size
    fits; the time between two frames says how far it may have moved. A track outlives some frames in
    which its face is not found.

    Args:
        clip: Gives the frames' times.
        faces: For each frame the faces found in it, in frame pixels.
        settings: Reach, gaps, and what makes a track a person.

    Returns:
        All tracks in order of appearance, from left to right within a frame; those that are no person
        carry the reason in ``dropped``.

    Raises:
        ValueError: ``faces`` does not have one entry a frame.
    """
    if len(faces) != len(clip.frames):
        raise ValueError(f"faces must have one entry a frame, got {len(faces)} for {len(clip.frames)} frames")
    tracks: list[_Growing] = []
    scenes = Scenes(clip)
    for index, frame in enumerate(clip.frames):
        found = _single(faces[index], settings.duplicate_cover)
        open_tracks = [t for t in tracks if index - t.indices[-1] <= settings.max_gap_frames + 1]
        taken = _continue_tracks(open_tracks, found, index, frame.time_seconds, settings, scenes)
        new = [face for number, face in enumerate(found) if number not in taken]
        for face in sorted(new, key=lambda face: float(face.box[0])):
            tracks.append(_Growing([index], [face], [frame.time_seconds]))
    linked = [
        Track(number, tuple(t.indices), tuple(t.faces), _dropped(t.faces, len(clip.frames), settings))
        for number, t in enumerate(tracks)
    ]
    return apply_policy(linked, [frame.time_seconds for frame in clip.frames], settings)


_CLEARLY_MORE = 0.2
"""By so much more a face resembles its own track than that of somebody over whom it slides; 0.4 was seen."""


@dataclass
class _Growing:
    """A track while it is being linked."""

    indices: list[int]
    faces: list[Face]
    times: list[float] = field(default_factory=list)

    def foresee(self, index: int, time_seconds: float) -> Floats:
        """The box that steady movement leads to; the last one when the movement is not known well."""
        last = self.faces[-1].box
        if len(self.faces) < 2 or index - self.indices[-2] > 2:
            return last
        step = self.times[-1] - self.times[-2]
        if step <= 0:
            return last
        way = (last - self.faces[-2].box).reshape(2, 2).mean(axis=0)
        moved: Floats = last + np.tile(way * np.float32((time_seconds - self.times[-1]) / step), 2)
        return moved


def _continue_tracks(
    tracks: Sequence[_Growing],
    found: Sequence[Face],
    index: int,
    time_seconds: float,
    settings: TrackSettings,
    scenes: Scenes,
) -> set[int]:
    """Give faces to open tracks; returns which faces were given.

    First by the foreseen places, so that people who cross keep their tracks; who stopped or turned is
    then found near the last place, and who began to move quickly is known again by the look.
    """
    taken: set[int] = set()
    waiting, open_tracks = list(tracks), list(tracks)

    def goes_on(track: _Growing, face: Face, *, quick: bool) -> bool:
        same = likeness(track.faces[-1], face)
        if same is None:
            return not quick
        if any(_alike(other, face) > same + _CLEARLY_MORE for other in open_tracks if other is not track):
            return False  # somebody else, who came before this one
        if same >= settings.far_likeness:
            return True
        if time_seconds - track.times[-1] > settings.slow_seconds:
            return False  # long enough for somebody else to take the place
        # After a cut somebody else may be at the same place.
        return not quick and same >= settings.min_likeness and not scenes.changed(track.indices[-1], index)

    for foresee, quick in ((True, False), (False, False), (False, True)):
        free = [number for number in range(len(found)) if number not in taken]
        places = [t.foresee(index, time_seconds) if foresee else t.faces[-1].box for t in waiting]
        walked = [settings.speed_sides_per_second * (time_seconds - t.times[-1]) for t in waiting]
        reach = np.full(len(waiting), np.inf) if quick else settings.reach_sides + np.array(walked)
        pairs = _pair(
            list(zip(waiting, places, strict=True)),
            [found[number] for number in free],
            np.minimum(reach, settings.max_reach_sides).astype(np.float32),
            goes_on=partial(goes_on, quick=quick),
        )
        for row, column in pairs:
            waiting[row].indices.append(index)
            waiting[row].faces.append(found[free[column]])
            waiting[row].times.append(time_seconds)
            taken.add(free[column])
        waiting = [t for t in waiting if t.indices[-1] != index]
    return taken


def _alike(track: _Growing, face: Face) -> float:
    same = likeness(track.faces[-1], face)
    return -1.0 if same is None else same


def _pair(
    tracks: Sequence[tuple[_Growing, Floats]],
    faces: Sequence[Face],
    reach: Floats,
    *,
    goes_on: Callable[[_Growing, Face], bool],
) -> list[tuple[int, int]]:
    """Tracks, each with the place where it is expected, and the faces that continue them."""
    places = np.array([place for _, place in tracks], np.float32).reshape(-1, 4)
    boxes = np.array([face.box for face in faces], np.float32).reshape(-1, 4)
    barred: set[tuple[int, int]] = set()
    while True:
        pairs = match_boxes(places, boxes, max_distance_sides=reach, barred=barred)
        other = {(row, column) for row, column in pairs if not goes_on(tracks[row][0], faces[column])}
        if not other:
            return pairs
        barred |= other


def _single(faces: Sequence[Face], max_cover: float) -> list[Face]:
    """The faces of one frame without those that lie on a surer one: one face found twice."""
    kept: list[Face] = []
    for face in sorted(faces, key=lambda face: -face.confidence):
        if not kept or cover(face.box[None], np.stack([k.box for k in kept])).max() <= max_cover:
            kept.append(face)
    return kept


def _dropped(faces: Sequence[Face], frames: int, settings: TrackSettings) -> Reason | None:
    """Why a track is no person, or None."""
    # In an image or a clip of a few frames, half of them is all that can be asked for.
    needed = max(settings.min_frames, math.ceil(settings.min_frames_fraction * frames))
    needed = min(needed, math.ceil(frames / 2))
    if len(faces) < needed:
        return because("seldom", seen=len(faces), frames=frames, least=needed)
    side = float(np.median([sides(face.box[None]).min() for face in faces]))
    if side < settings.min_face_px:
        return because("small", px=round(side, 6), least_px=settings.min_face_px)
    confidence = float(np.mean([face.confidence for face in faces]))
    sure = settings.min_confidence if 2 * len(faces) >= frames else settings.seldom_confidence
    if confidence < sure:
        return because("doubtful", confidence=round(confidence, 6), least=sure)
    odd = sum(not is_plausible(face) for face in faces)
    if odd > len(faces) / 2:
        return because("odd", odd=odd, frames=len(faces))
    return None


def thin_track(track: Track, count: int) -> Track:
    """A track with no more than so many of its frames, evenly spaced from the first to the last.

    Args:
        track: Of one frame or more.
        count: 1 or more; with as many as there are or more, the track stays as it is.
    """
    places = np.unique(np.linspace(0, len(track.faces) - 1, min(count, len(track.faces))).round().astype(int))
    return replace(
        track,
        frame_indices=tuple(track.frame_indices[i] for i in places),
        faces=tuple(track.faces[i] for i in places),
    )
