"""Who of one stretch of a shot is who in the next: tracks that go on, and people who come back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from unmask.config import TrackSettings
from unmask.faces.boxes import match_boxes
from unmask.faces.people import likeness
from unmask.types import Floats, Track


def continue_tracks(
    before: Sequence[Track],
    after: Sequence[Track],
    settings: TrackSettings,
    *,
    ended_seconds: Sequence[float],
    began_seconds: Sequence[float],
    most_seconds: float = 3.0,
) -> dict[int, int]:
    """Find the tracks of a stretch that go on with those of the stretch before it, in the same shot.

    Args:
        before: People of the earlier stretch.
        after: People of the later one.
        settings: How far a face moves, and how much it must look like itself.
        ended_seconds: When each of ``before`` is last seen.
        began_seconds: When each of ``after`` is first seen.
        most_seconds: That a face may be out of sight in between.

    Returns:
        Ids of ``before`` by ids of ``after``.
    """
    if not before or not after:
        return {}
    gaps = np.subtract.outer(-np.asarray(ended_seconds), -np.asarray(began_seconds)).astype(np.float32)
    reach = settings.reach_sides + settings.speed_sides_per_second * gaps.clip(0).min(axis=1)
    barred = {
        (i, j)
        for i, old in enumerate(before)
        for j, new in enumerate(after)
        if gaps[i, j] > most_seconds or not _looks_the_same(old, new, settings)
    }
    pairs = match_boxes(
        np.stack([track.faces[-1].box for track in before]),
        np.stack([track.faces[0].box for track in after]),
        max_distance_sides=np.minimum(reach, settings.max_reach_sides).astype(np.float32),
        barred=barred,
    )
    return {after[new].id: before[old].id for old, new in pairs}


def _looks_the_same(old: Track, new: Track, settings: TrackSettings) -> bool:
    alike = likeness(old.faces[-1], new.faces[0])
    return alike is None or alike >= settings.min_likeness


def group_vectors(
    vectors: Sequence[Floats | None], apart: set[tuple[int, int]], same_cosine: float
) -> list[int]:
    """Give faces to people by what an embedder says of them, one after the other.

    A face joins the person whose mean is nearest, from ``same_cosine`` on, else it is somebody new.

    Args:
        vectors: One a face, shape (D,); None where there is none, which stands alone.
        apart: Pairs of faces, the earlier first, that are two people because both are seen at once.
        same_cosine: -1 to 1.

    Returns:
        For each face the number of its person, from 0 in order of appearance.

    Example:
        >>> one, other = np.float32([1, 0]), np.float32([0, 1])
        >>> group_vectors([one, other, one, None], set(), 0.5)
        [0, 1, 0, 2]
    """
    people: list[list[int]] = []
    numbers = []
    for place, vector in enumerate(vectors):
        best, nearest = None, same_cosine
        for number, members in enumerate(people if vector is not None else []):
            known = [found for i in members if (found := vectors[i]) is not None]
            if not known or any((i, place) in apart for i in members):
                continue
            cosine = _cosine(np.mean(known, axis=0), vector)
            if cosine >= nearest:
                best, nearest = number, cosine
        if best is None:
            best = len(people)
            people.append([])
        people[best].append(place)
        numbers.append(best)
    return numbers


def _cosine(first: Floats, second: Floats | None) -> float:
    if second is None:
        return -1.0
    lengths = float(np.linalg.norm(first) * np.linalg.norm(second))
    return float(first @ second) / max(lengths, 1e-9)
