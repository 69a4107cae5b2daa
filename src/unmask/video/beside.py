"""Small videos beside each other: frames of one, and those that others show at the same times."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unmask.config import DecodeSettings
from unmask.types import Clip, Image
from unmask.video.encoding import even_size
from unmask.video.film import open_film
from unmask.video.reading import read_evenly

_MOST_FRAMES = 600
_SAME_TIME_SECONDS = 0.06
_ALONE = DecodeSettings(threads=1)


@dataclass(frozen=True, slots=True, eq=False)
class SmallVideo:
    """The beginning of a video, shrunk.

    Attributes:
        duration_seconds: Of the whole.
        times_seconds: Container time of each frame.
        images: RGB, (T, H, W, 3), uint8, with even sides.
    """

    duration_seconds: float
    times_seconds: tuple[float, ...]
    images: NDArray[np.uint8]

    @property
    def step_seconds(self) -> float:
        """From one frame to the next, in the mean."""
        times = self.times_seconds
        return (times[-1] - times[0]) / (len(times) - 1) if len(times) > 1 else self.duration_seconds

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the images."""
        height, width = self.images.shape[1:3]
        return width, height


def read_small(path: str | Path, *, seconds: float, frames_per_second: float, side_px: int) -> SmallVideo:
    """Read the beginning of a video.

    Args:
        path: A file name.
        seconds: How long.
        frames_per_second: How many frames, evenly spread.
        side_px: Longer side; frames are never enlarged.

    Raises:
        MediaError: It cannot be read.
    """
    film = open_film(path, _ALONE)
    duration = max(film.survey.duration_seconds, 0.1)
    count = min(max(2, round(duration * frames_per_second)), _MOST_FRAMES)
    clip = read_evenly(film.under(replace(_ALONE, frames=count)))
    first = clip.frames[0]
    kept = [one for one in clip.frames if one.time_seconds - first.time_seconds < seconds]
    width, height = even_size(first, longest_px=side_px)
    images = np.stack([one.picture.rgb(width=width, height=height) for one in kept])
    return SmallVideo(duration, tuple(one.time_seconds for one in kept), images)


def read_beside(path: str | Path, first: SmallVideo) -> NDArray[np.uint8]:
    """What another video shows at the times of a first one, in its size; black where it has ended.

    Raises:
        MediaError: It cannot be read.
    """
    step = max(first.step_seconds, 0.01)
    film = open_film(path, _ALONE)
    duration = film.survey.duration_seconds
    count = max(2, round(duration / step))
    if abs(duration - first.duration_seconds) > step / 2:
        count *= 2  # Frames at other times: so that one is near each that is wanted.
    clip = read_evenly(film.under(replace(_ALONE, frames=count)))
    return np.stack([_nearest(clip, time, first.size) for time in first.times_seconds])


def _nearest(clip: Clip, time: float, size: tuple[int, int]) -> Image:
    frame = min(clip.frames, key=lambda one: abs(one.time_seconds - time))
    if abs(frame.time_seconds - time) > _SAME_TIME_SECONDS:
        return np.zeros((size[1], size[0], 3), np.uint8)
    return frame.picture.rgb(width=size[0], height=size[1])
