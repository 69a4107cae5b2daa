"""Boxes on frames, by what was found at that time: colour, thickness and words all say the same."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import replace

import cv2
import numpy as np

from unmask.reasons import shown_number
from unmask.report.labels import Area, write_label
from unmask.report.light import brightened
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
_PALE = 0.4  # how strong boxes are that are not what the picture is of
_NEAR_SECONDS = 1.0  # between two sampled frames further apart a face is not followed
_SAME_SECONDS = 1e-6  # as verdicts round times
_END_SECONDS = 0.2  # how long a box stays after the last frame that shows the face


class Marker:
    """Draws the people of a verdict.

    Args:
        verdict: Says where who is.
        film: Says how each of them stands in it.
        words: For the labels.
    """

    def __init__(self, verdict: Verdict, film: Film, words: Words) -> None:
        self._people = sorted(verdict.people, key=lambda person: (person.kept, person.p_fake or 0.0))
        self._times = [[one.time_seconds for one in person.frames] for person in self._people]
        self._cuts = [shot.start_seconds for shot in verdict.shots]
        self._film, self._words = film, words

    def draw(
        self,
        frame: Frame,
        *,
        width: int,
        height: int,
        of: Mapping[int, float] | None = None,
        level: float = 255.0,
    ) -> Image:
        """The frame in this size, RGB, with a box around each face, and no words over those of another.

        Args:
            frame: Of the film.
            width: Of what is drawn, pixels.
            height: The same.
            of: By `Person.id` the probability of a stretch, where that is told and not the person's; then the
                boxes of all others are pale, and have no words.
            level: How bright the frame is, 0 to 255; a dark one is brightened for the eye.
        """
        plain = brightened(frame.picture.rgb(width=width, height=height), level)
        drawn = np.ascontiguousarray(plain).copy()
        zoom = np.array([width / frame.width, height / frame.height] * 2)
        shot = self._shot_at(frame.time_seconds)
        found: list[tuple[Person, Area]] = []
        for person, times in zip(self._people, self._times, strict=True):
            within = self._within_shot(times, shot)
            box = _box_at(person.frames[within], times[within], frame.time_seconds)
            if box is not None:
                if person.p_fake is not None and of and person.id in of:
                    person = replace(person, p_fake=of[person.id])
                found.append((person, Area(*(round(float(edge)) for edge in box * zoom))))
        chosen = [one for one in found if of is None or one[0].id in of]
        others = [one for one in found if of is not None and one[0].id not in of]
        self._boxes(drawn, others, thicker=0)
        if others:
            drawn = np.asarray(cv2.addWeighted(drawn, _PALE, plain, 1 - _PALE, 0), np.uint8)
        self._boxes(drawn, chosen, thicker=0 if of is None else 1)
        self._label(drawn, chosen)
        return drawn

    def _boxes(self, drawn: Image, some: Sequence[tuple[Person, Area]], *, thicker: int) -> None:
        for person, area in some:
            kind = self._kind(person)
            colour, thick = (_GREY, 1) if kind is None else (_COLOURS[kind], _THICK[kind] + thicker)
            cv2.rectangle(drawn, (area.left, area.top), (area.right, area.bottom), colour, thick)

    def _label(self, drawn: Image, found: Sequence[tuple[Person, Area]]) -> None:
        """Who is judged, and how; the most suspicious first, so that this one stands at its box."""
        taken: list[Area] = []
        for person, area in reversed(found):
            kind = self._kind(person)
            if kind is None or person.p_fake is None:
                continue
            # OpenCV has letters for ASCII alone.
            label = f"{self._words('person')} {shown_number(person.id)}  {short_percent(person.p_fake)}"
            others = [other for one, other in found if one is not person]
            placed = write_label(
                drawn, [label], beside=area, colour=_COLOURS[kind], taken=taken, faces=others
            )
            taken.append(placed)

    def _kind(self, person: Person) -> str | None:
        return None if person.p_fake is None else self._film.standing(person.id, person.p_fake).kind

    def _shot_at(self, time: float) -> int:
        return bisect_right(self._cuts, time + _SAME_SECONDS)

    def _within_shot(self, times: Sequence[float], shot: int) -> slice:
        """Where the frames of a shot lie: who was seen before a cut is not there after it."""
        low = bisect_left(times, self._cuts[shot - 1] - _SAME_SECONDS) if shot else 0
        high = bisect_left(times, self._cuts[shot] - _SAME_SECONDS) if shot < len(self._cuts) else len(times)
        return slice(low, high)


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
