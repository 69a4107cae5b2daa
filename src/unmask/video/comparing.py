"""An original and a copy in step: frames matched by content, side by side with what differs, as one video."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np

from unmask.types import Image
from unmask.video.encoding import VideoWriter, even_size
from unmask.video.film import Film
from unmask.video.matching import Bits, difference_hash, match_frames
from unmask.video.playing import play_frames

MOST_SECONDS = 300.0
"""Of each film that is compared; what comes later is left out."""

PANEL_PX = 320
AMPLIFIED = 4.0
"""By how much the difference picture is brighter than the difference."""

_MOST_BYTES = 48e6
_MOST_FRAMES = 2400  # of each film
_FASTEST = 12.5  # frames a second
_GAP_PX = 4
_EVEN_SECONDS = 0.25  # by which the two may drift from one frame to the next and still go on
_NOTHING = 40  # grey level of a panel without a picture


@dataclass(frozen=True, slots=True)
class Comparison:
    """What comparing two films gives; times are container seconds of each.

    Attributes:
        video: MP4 of original, copy and difference side by side, as long as the copy; None where it would be
            too large.
        copy_seconds: Times of the copy's frames that were compared, rising.
        original_seconds: For each the time in the original, or None where that shows no such picture.
        original_span: From when to when the original was looked at.
        difference: Mean difference of the matched frames, 0 to 255; None without any.
    """

    video: bytes | None
    copy_seconds: tuple[float, ...]
    original_seconds: tuple[float | None, ...]
    original_span: tuple[float, float]
    difference: float | None

    @property
    def share(self) -> float:
        """Share of the copy's frames that the original shows too, 0 to 1."""
        found = sum(time is not None for time in self.original_seconds)
        return found / len(self.original_seconds) if self.original_seconds else 0.0

    def runs(self) -> list[tuple[float, float, float | None, float | None]]:
        """Stretches of the copy that go on evenly in the original, or that it lacks.

        Returns:
            Start and end in the copy, then in the original, or None twice.
        """
        found: list[tuple[float, float, float | None, float | None]] = []
        for copy, original in zip(self.copy_seconds, self.original_seconds, strict=True):
            if found and _goes_on(found[-1], copy, original):
                found[-1] = (found[-1][0], copy, found[-1][2], original)
            else:
                found.append((copy, copy, original, original))
        return found


def _goes_on(
    run: tuple[float, float, float | None, float | None], copy: float, original: float | None
) -> bool:
    if original is None or run[3] is None:
        return original is None and run[3] is None
    return abs((original - run[3]) - (copy - run[1])) <= _EVEN_SECONDS


@dataclass(slots=True)
class _Small:
    """One film, shrunk: times, hashes, and pictures as JPEG, since thousands are held at a time."""

    times: list[float]
    hashes: list[Bits]
    jpegs: list[bytes]

    def image(self, place: int) -> Image:
        decoded = cv2.imdecode(np.frombuffer(self.jpegs[place], np.uint8), cv2.IMREAD_COLOR)
        return np.ascontiguousarray(np.asarray(decoded, np.uint8)[..., ::-1])


def compare_films(original: Film, copy: Film) -> Comparison:
    """Match a copy with its original, and show both in step.

    Args:
        original: As it was opened; the same for the copy.
        copy: It may be cut, scaled, encoded anew, and have another frame rate; not played at another speed.

    Raises:
        MediaError: One of them is beyond a limit, or can no longer be read.
    """
    rate = min(_FASTEST, _MOST_FRAMES / max(1.0, _seconds(copy)))
    found, finer = _read(copy, rate), min(2 * rate, _MOST_FRAMES / max(1.0, _seconds(original)))
    source = _read(original, finer)
    pace = _step(found.times) / max(_step(source.times), 1e-9)
    places = match_frames(found.hashes, source.hashes, pace=pace)
    writer = VideoWriter(rate=Fraction(rate).limit_denominator(1000), quality=26, max_bytes=_MOST_BYTES)
    differences = []
    for number, (time, place) in enumerate(zip(found.times, places, strict=True)):
        shown = found.image(number)
        theirs = None if place is None else _fit(source.image(place), shown)
        difference = None if theirs is None else np.asarray(cv2.absdiff(theirs, shown), np.uint8)
        if difference is not None:
            differences.append(float(difference.mean()))
        writer.add(_side_by_side(theirs, shown, difference), time)
    span = (source.times[0], source.times[-1]) if source.times else (0.0, 0.0)
    return Comparison(
        writer.finish(),
        tuple(found.times),
        tuple(None if place is None else source.times[place] for place in places),
        span,
        float(np.mean(differences)) if differences else None,
    )


def _seconds(film: Film) -> float:
    return min(MOST_SECONDS, film.end_seconds - film.start_seconds)


def _step(times: Sequence[float]) -> float:
    return (times[-1] - times[0]) / (len(times) - 1) if len(times) > 1 else 1.0


def _read(film: Film, rate: float) -> _Small:
    small = _Small([], [], [])

    def choose(times: Sequence[float]) -> list[float]:
        chosen: list[float] = []
        for time in times:
            if time - times[0] >= MOST_SECONDS:
                break
            if not chosen or time - chosen[-1] >= 1 / rate - 1e-3:
                chosen.append(time)
        return chosen

    for frame in play_frames(film, choose):
        size = even_size(frame, longest_px=PANEL_PX, enlarge=True)
        image = np.asarray(cv2.resize(frame.picture.rgb(), size, interpolation=cv2.INTER_AREA), np.uint8)
        small.times.append(frame.time_seconds)
        small.hashes.append(difference_hash(image))
        done, data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])
        small.jpegs.append(data.tobytes() if done else b"")
    return small


def _fit(image: Image, like: Image) -> Image:
    height, width = like.shape[:2]
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _side_by_side(original: Image | None, copy: Image, difference: Image | None) -> Image:
    nothing = np.full_like(copy, _NOTHING)
    brighter = nothing if difference is None else cv2.convertScaleAbs(difference, alpha=AMPLIFIED)
    gap = np.full((copy.shape[0], _GAP_PX, 3), 255, np.uint8)
    panels = [nothing if original is None else original, gap, copy, gap, brighter]
    return np.asarray(np.concatenate(panels, axis=1), np.uint8)
