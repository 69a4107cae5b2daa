"""Boxes on frames, by what was found at that time: colour, thickness and words all say the same."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

import cv2
import numpy as np

from unmask.reasons import shown_number
from unmask.report.faces import write_label
from unmask.report.standing import ALONE, Film
from unmask.report.words import Words, short_percent
from unmask.types import Frame, Image
from unmask.verdicts import Outcome, Person, PersonFrame, Verdict

_UNSURE = (224, 159, 62)
_COLOURS: dict[str, tuple[int, int, int]] = {
    Outcome.FAKE: (200, 68, 45),
    ALONE: _UNSURE,
    Outcome.UNSURE: _UNSURE,
    Outcome.REAL: (42, 120, 184),
}
_GREY = (150, 150, 150)
_THICK: dict[str, int] = {Outcome.FAKE: 3, ALONE: 2, Outcome.UNSURE: 2, Outcome.REAL: 1}
_NEAR_SECONDS = 1.0  # between two sampled frames further apart a face is not followed
_END_SECONDS = 0.2  # how long a box stays after the last frame that shows the face


class Marker:
    """Draws the people of a verdict.

    Args:
        verdict: Says where who is.
        film: Says how each of them stands in it.
        words: For the labels.
    """

    def __init__(self, verdict: Verdict, film: Film, words: Words) -> None:
        self._people = sorted(verdict.people, key=lambda person: person.kept)
        self._times = [[one.time_seconds for one in person.frames] for person in self._people]
        self._film, self._words = film, words

    def draw(self, frame: Frame, *, width: int, height: int) -> Image:
        """The frame in this size, RGB, with a box around each face."""
        drawn = np.ascontiguousarray(frame.picture.rgb(width=width, height=height)).copy()
        zoom = np.array([width / frame.width, height / frame.height] * 2)
        for person, times in zip(self._people, self._times, strict=True):
            box = _box_at(person.frames, times, frame.time_seconds)
            if box is not None:
                self._mark(drawn, person, box * zoom)
        return drawn

    def _mark(self, drawn: Image, person: Person, box: np.ndarray[tuple[int], np.dtype[np.float64]]) -> None:
        left, top, right, bottom = (round(float(edge)) for edge in box)
        if person.p_fake is None:
            cv2.rectangle(drawn, (left, top), (right, bottom), _GREY, 1)
            return
        kind = self._film.standing(person.id, person.p_fake).kind
        cv2.rectangle(drawn, (left, top), (right, bottom), _COLOURS[kind], _THICK[kind])
        # OpenCV has letters for ASCII alone.
        label = f"{self._words('person')} {shown_number(person.id)}  {short_percent(person.p_fake)}"
        write_label(drawn, [label], place=np.array([left, top], np.float32), colour=_COLOURS[kind])


def _box_at(
    frames: Sequence[PersonFrame], times: Sequence[float], time: float
) -> np.ndarray[tuple[int], np.dtype[np.float64]] | None:
    """Where a face is at a time, between the two sampled frames around it."""
    place = bisect_right(times, time)
    if place == 0:
        near = bool(frames) and times[0] - time <= _END_SECONDS
        return np.array(frames[0].box) if near else None
    before = frames[place - 1]
    if place == len(frames) or times[place] - before.time_seconds > _NEAR_SECONDS:
        return np.array(before.box) if time - before.time_seconds <= _END_SECONDS else None
    after = frames[place]
    share = (time - before.time_seconds) / (after.time_seconds - before.time_seconds)
    return (1 - share) * np.array(before.box) + share * np.array(after.box)
