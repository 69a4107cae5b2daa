"""A small picture of each person of a verdict, for lists; out of one pass through the file."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from unmask.faces.boxes import square_boxes
from unmask.faces.crop import cut_square
from unmask.quantities import told_time
from unmask.report.light import brightened, level_of
from unmask.types import Image
from unmask.verdicts import Person, PersonFrame, Verdict
from unmask.video.film import Film
from unmask.video.playing import play_frames

MAX_PORTRAITS = 24
"""People of whom there is one, the most suspicious first."""

FACE_PX = 128
_SCALE = 1.5  # of the square around a face, so that hair and chin are in it
_QUALITY = 82


def read_portraits(verdict: Verdict, film: Film) -> tuple[dict[int, bytes], float | None]:
    """JPEG by `Person.id`, most suspicious first: the frame in which each looks worst.

    And how bright these frames are in the mean, 0 to 255, or None without any; dark faces are brightened.

    Raises:
        MediaError: The film cannot be read further.
    """
    frames = {person.id: worst_frame(person) for person in _ranked(verdict)}
    found: dict[int, Image] = {}
    levels: list[float] = []
    wanted = {one.time_seconds for one in frames.values()}
    for frame in play_frames(film, lambda times: [time for time in times if told_time(time) in wanted]):
        own = [number for number, one in frames.items() if one.time_seconds == told_time(frame.time_seconds)]
        rgb = frame.picture.rgb()
        levels.append(level_of(rgb))
        found |= {number: _cut(rgb, frames[number]) for number in own}
    level = float(np.mean(levels)) if levels else None
    light = 255.0 if level is None else level
    ranked = {number: _jpeg(brightened(found[number], light)) for number in frames if number in found}
    return ranked, level


def portrait(rgb: Image, frame: PersonFrame) -> bytes:
    """The face and what is around it, as JPEG of `FACE_PX`."""
    return _jpeg(_cut(rgb, frame))


def _cut(rgb: Image, frame: PersonFrame) -> Image:
    square = square_boxes(np.array(frame.box, np.float32)[None], scale=_SCALE)[0]
    return cut_square(rgb, square, size_px=FACE_PX)[0]


def _jpeg(rgb: Image) -> bytes:
    done, data = cv2.imencode(".jpg", rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return data.tobytes() if done else b""


def worst_frame(person: Person) -> PersonFrame:
    """The frame in which somebody looks most suspicious, or the first of one who has no scores."""
    return max(person.frames, key=lambda one: -1.0 if one.p_fake is None else one.p_fake)


def _ranked(verdict: Verdict) -> list[Person]:
    shown = [person for person in verdict.people if person.frames]
    order: Callable[[Person], tuple[bool, float, int]] = lambda one: (  # noqa: E731
        one.p_fake is None,
        -(one.p_fake or 0.0),
        one.id,
    )
    return sorted(shown, key=order)[:MAX_PORTRAITS]
