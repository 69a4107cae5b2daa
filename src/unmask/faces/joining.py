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


class PeopleMet:
    """Gives faces to people by what an embedder says of them, one shot after the other.

    A face joins the person whose mean is nearest, from ``same_cosine`` on, else it is somebody new. So what
    comes later never changes who somebody was.

    Example:
        >>> one, other = np.float32([1, 0]), np.float32([0, 1])
        >>> met = PeopleMet()
        >>> met.number_faces([one, other], same_cosine=0.5), met.number_faces([None, one], same_cosine=0.5)
        ([0, 1], [2, 0])
    """

    def __init__(self) -> None:
        self._vectors: list[list[Floats]] = []  # of each person

    def number_faces(self, vectors: Sequence[Floats | None], *, same_cosine: float) -> list[int]:
        """Say who is in the next shot.

        Args:
            vectors: One a face, shape (D,), of different people, since all are in one shot; None where there
                is none, which stands alone.
            same_cosine: -1 to 1.

        Returns:
            For each face the number of its person, from 0 in order of appearance.
        """
        numbers: list[int] = []
        for vector in vectors:
            best, nearest = len(self._vectors), same_cosine
            for number, known in enumerate(self._vectors if vector is not None else []):
                if not known or number in numbers:
                    continue
                cosine = _cosine(np.mean(known, axis=0), vector)
                if cosine >= nearest:
                    best, nearest = number, cosine
            if best == len(self._vectors):
                self._vectors.append([])
            self._vectors[best] += [] if vector is None else [vector]
            numbers.append(best)
        return numbers


def _cosine(first: Floats, second: Floats | None) -> float:
    if second is None:
        return -1.0
    lengths = float(np.linalg.norm(first) * np.linalg.norm(second))
    return float(first @ second) / max(lengths, 1e-9)
