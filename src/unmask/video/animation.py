"""Animated WebP, which FFmpeg does not decode, as a clip; animated PNG and GIF are read as videos."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np

from unmask.config import DecodeSettings
from unmask.errors import MediaError
from unmask.reasons import because
from unmask.types import Clip, Frame, Image
from unmask.video.container import Reading, Source, check_pixels
from unmask.video.decoding import MAX_KEPT_BYTES, no_frame
from unmask.video.picture import array_picture
from unmask.video.still import picture_damage, picture_size, read_bytes
from unmask.video.survey import Survey

_MILLISECOND = Fraction(1, 1000)
_SHORTEST_MS, _USUAL_MS = 10, 100
"""A frame that is announced to last no longer than the first is shown for the second, as browsers do."""


def survey_animation(source: Source) -> tuple[Survey, int]:
    """When the pictures of a WebP file are shown, and how many of them fit into memory; decodes nothing.

    Raises:
        MediaError: The file is too large, or can no longer be read.
    """
    data = read_bytes(source)
    durations = list(_durations(data))
    if len(durations) < 2:
        return Survey.of_still(), 1
    times, now = array("q"), 0
    for duration in durations:
        times.append(now)
        now += duration
    survey = Survey(_MILLISECOND, times=times, frame_ticks=durations[-1], plannable=False, packets=None)
    return survey, _fitting(data)


def read_animation(source: Source, settings: DecodeSettings, survey: Survey, wanted: Sequence[int]) -> Clip:
    """Decode the pictures that are shown at some times.

    Args:
        source: The file.
        settings: The pixel and time limits.
        survey: As `survey_animation` gave it.
        wanted: Out of its times, rising.

    Raises:
        DamagedError: None of them can be decoded.
        MediaError: It is larger than the limits, or time is up.
    """
    data, reading = read_bytes(source), Reading.start(source, settings)
    width, height = picture_size(data, "webp") or (0, 0)
    check_pixels(reading, width=width, height=height)
    numbers = {time: number for number, time in enumerate(survey.times)}
    frames = _decode(reading, data, [numbers[time] for time in wanted], most=_fitting(data))
    found = tuple(Frame(survey.seconds(survey.times[n]), array_picture(image)) for n, image in frames)
    damage = picture_damage(data, "webp")
    if len(found) < len(wanted):
        damage = damage or because("lost_pictures", missing=len(wanted) - len(found), pictures=len(wanted))
    if not found:
        raise no_frame(reading, damage)
    return Clip(source.path, found, survey.duration_seconds, damage)


def _fitting(data: bytes) -> int:
    """How many pictures, with their transparency, fit into ``MAX_KEPT_BYTES``; at least one."""
    width, height = picture_size(data, "webp") or (0, 0)
    return max(1, MAX_KEPT_BYTES // max(1, 4 * width * height))


def _decode(
    reading: Reading, data: bytes, numbers: Sequence[int], *, most: int
) -> Iterator[tuple[int, Image]]:
    """Pictures by their numbers. Each run of the decoder begins at the first one, so there are few runs."""
    import cv2  # Only needed for pictures.

    buffer, left = np.frombuffer(data, np.uint8), list(numbers)
    while left:
        reading.check_time()
        start = left[0]
        own = [number for number in left if number < start + most]
        left = left[len(own) :]
        try:
            _, animation = cv2.imdecodeanimation(buffer, start, own[-1] - start + 1)
        except cv2.error as error:
            raise MediaError(because("bad_animation"), reading.source.label) from error
        reading.renew()
        for number in own:
            if number - start < len(animation.frames):
                rgb = animation.frames[number - start][:, :, 2::-1]
                yield number, np.ascontiguousarray(rgb, dtype=np.uint8)


def _durations(data: bytes) -> Iterator[int]:
    """Milliseconds that each picture stands (WebP Container Specification, ANMF)."""
    position = 12
    while position + 8 <= len(data):
        size = int.from_bytes(data[position + 4 : position + 8], "little")
        if data[position : position + 4] == b"ANMF" and position + 24 <= len(data):
            stands = int.from_bytes(data[position + 20 : position + 23], "little")
            yield stands if stands > _SHORTEST_MS else _USUAL_MS
        position += 8 + size + size % 2
