"""Compose edited footage of labelled clips: it is known where each cut is and which face was swapped."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from unmask.archive.sources import Opener
from unmask.config import DecodeSettings
from unmask.errors import DataError, MediaError, require
from unmask.files import whole_file
from unmask.lab.evaluate.clips import LabelledClip
from unmask.types import Image
from unmask.video import read_clip
from unmask.video.encoding import REPEATABLE

LAYOUTS = ("grid", "inset")
"""How clips that are shown at once lie in the picture."""

_DRAWS = 50  # clips that are tried for a place before it is given up
_CORNERS = ((1, 1), (0, 1), (1, 0), (0, 0))  # right or left, bottom or top, in which insets come
_INSET, _RIM = 0.3, 0.03  # side of an inset and its distance from the rim, in shares of the picture

_Place = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class MontageSettings:
    """What is composed.

    Attributes:
        shots: Shots, one after the other.
        seconds: Length of a shot; a shorter clip gives a shorter shot.
        people: Clips shown at once.
        layout: ``grid``, side by side as in a video call, or ``inset``, the first in full, others small
            in its corners.
        dissolve_seconds: How long one shot fades over into the next; 0 for hard cuts.
        fakes: Shots that hold a fake: one of the clips in it.
        width: Of the picture, in pixels, even.
        height: The same.
        fps: Frames a second.
        seed: Another number gives another montage.
    """

    shots: int = 14
    seconds: float = 4.0
    people: int = 1
    fakes: int = 1
    layout: str = "grid"
    dissolve_seconds: float = 0.0
    width: int = 1280
    height: int = 720
    fps: int = 25
    seed: int = 0

    def __post_init__(self) -> None:
        require(1 <= self.shots <= 10_000, "shots must be 1 to 10000", self.shots)
        require(0.1 <= self.seconds <= 60, "seconds must be 0.1 to 60", self.seconds)
        require(1 <= self.people <= 25, "people must be 1 to 25", self.people)
        require(0 <= self.fakes <= self.shots, "fakes must be 0 to shots", self.fakes)
        require(self.layout in LAYOUTS, f"layout must be one of {', '.join(LAYOUTS)}", self.layout)
        most = 1 + len(_CORNERS)
        require(
            self.layout == "grid" or self.people <= most,
            f"people must be 1 to {most} in an inset",
            self.people,
        )
        ok = 0 <= self.dissolve_seconds <= self.seconds / 2
        require(ok, "dissolve_seconds must be 0 to half of seconds", self.dissolve_seconds)
        for name in ("width", "height"):
            value = getattr(self, name)
            ok = 64 <= value <= 8192 and value % 2 == 0
            require(ok, f"{name} must be an even number, 64 to 8192", value)
        require(1 <= self.fps <= 120, "fps must be 1 to 120", self.fps)


@dataclass(frozen=True, slots=True)
class TrueShot:
    """What a shot of a montage holds.

    Attributes:
        start_seconds: Its first frame, or the middle of a dissolve.
        end_seconds: The first frame behind it, or the middle of a dissolve.
        clips: Names of the clips in it.
        fake: Name of the one that is a fake, or None.
    """

    start_seconds: float
    end_seconds: float
    clips: tuple[str, ...]
    fake: str | None


def make_montage(
    clips: Sequence[LabelledClip], output: Path, settings: MontageSettings | None = None
) -> list[TrueShot]:
    """Write a video, and beside it what is in it, as JSON of the same name.

    No clip comes twice while there are others, and no fake stands beside its own original.

    Args:
        clips: What it is made of.
        output: The video, .mp4.
        settings: What is composed.

    Returns:
        The shots in order.

    Raises:
        DataError: There are not enough clips of a class, or none of them can be read.
        OSError: It cannot be written.
    """
    settings = settings or MontageSettings()
    rng = np.random.default_rng(settings.seed)
    pools = {fake: _Pool([c for c in clips if c.fake is fake], rng) for fake in (False, True)}
    swapped = set(rng.permutation(settings.shots)[: settings.fakes].tolist())
    shots: list[TrueShot] = []
    opener = Opener()
    with whole_file(output) as draft, av.open(str(draft), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=settings.fps)
        stream.width, stream.height, stream.pix_fmt = settings.width, settings.height, "yuv420p"
        stream.options = {"crf": "20", "preset": "veryfast", "x264-params": REPEATABLE}
        number, start, tail = 0, 0.0, deque[Image]()
        for place in range(settings.shots):
            chosen, pictures = _draw(pools, opener, settings, fake=place in swapped)
            last = place == settings.shots - 1
            for picture in _faded(tail, pictures, settings, last=last):
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                frame.pts, frame.time_base = number, Fraction(1, settings.fps)
                container.mux(stream.encode(frame))
                number += 1
            end = (number + len(tail) / 2) / settings.fps
            names = tuple(clip.name for clip in chosen)
            fake = next((clip.name for clip in chosen if clip.fake), None)
            shots.append(TrueShot(start, end, names, fake))
            start = end
        container.mux(stream.encode(None))
    with whole_file(output.with_suffix(".json")) as draft:
        truth = {"settings": asdict(settings), "shots": [asdict(shot) for shot in shots]}
        draft.write_text(json.dumps(truth, indent=1) + "\n", encoding="utf-8")
    return shots


def _faded(
    tail: deque[Image], pictures: Iterator[Image], settings: MontageSettings, *, last: bool
) -> Iterator[Image]:
    """The pictures of a shot, the first mixed with the ``tail`` of the shot before; its own is held back."""
    before = list(tail)
    tail.clear()
    held = 0 if last else round(settings.dissolve_seconds * settings.fps)
    for number, picture in enumerate(pictures):
        if number < len(before):
            share = (number + 1) / (len(before) + 1)
            mixed = cv2.addWeighted(before[number], 1 - share, picture, share, 0)
            picture = np.asarray(mixed, np.uint8)
        tail.append(picture)
        if len(tail) > held:
            yield tail.popleft()


class _Pool:
    """Clips of one class in random order, over and over."""

    def __init__(self, clips: list[LabelledClip], rng: np.random.Generator) -> None:
        self._clips, self._rng = clips, rng
        self._left: list[LabelledClip] = []

    def draw(self, *, fake: bool) -> LabelledClip:
        if not self._clips:
            raise DataError(f"a montage needs {'FAKE' if fake else 'REAL'} clips, got none")
        if not self._left:
            self._left = [self._clips[i] for i in self._rng.permutation(len(self._clips))]
        return self._left.pop()


def _draw(
    pools: dict[bool, _Pool], opener: Opener, settings: MontageSettings, *, fake: bool
) -> tuple[list[LabelledClip], Iterator[Image]]:
    """Clips for one shot, and its pictures."""
    chosen: list[LabelledClip] = []
    films: list[list[Image]] = []
    places = _places(settings)
    for _ in range(_DRAWS * settings.people):
        if len(chosen) == settings.people:
            break
        wanted = fake and not chosen
        clip = pools[wanted].draw(fake=wanted)
        if clip.original in {other.original for other in chosen}:
            continue
        film = _read(clip, opener, settings, places[len(chosen)][2:])
        if len(film) >= 2:
            chosen.append(clip)
            films.append(film)
    if len(chosen) < settings.people:
        raise DataError(f"a shot needs {settings.people} clips that can be read, got {len(chosen)}")
    length = min(map(len, films))
    return chosen, (_compose([film[i] for film in films], places, settings) for i in range(length))


def _read(
    clip: LabelledClip, opener: Opener, settings: MontageSettings, cell: tuple[int, int]
) -> list[Image]:
    """The first seconds of a clip, fitted into its place."""
    count = max(2, round(settings.seconds * settings.fps))
    try:
        with opener.local(clip.path) as file:
            decode = DecodeSettings(frames=count, end_seconds=settings.seconds, threads=1)
            found = read_clip(file, decode)
    except (MediaError, DataError, OSError):
        return []
    seconds = min(settings.seconds, found.duration_seconds)
    wanted = np.arange(round(seconds * settings.fps)) / settings.fps + found.frames[0].time_seconds
    times = np.array([frame.time_seconds for frame in found.frames])
    places = np.clip(np.searchsorted(times, wanted + 1e-6) - 1, 0, len(times) - 1)
    fitted = {int(i): _fit(found.frames[int(i)].picture.rgb(), cell) for i in np.unique(places)}
    return [fitted[int(i)] for i in places]


def _fit(image: Image, cell: tuple[int, int]) -> Image:
    """Scaled into a cell, with black bars."""
    share = min(cell[0] / image.shape[1], cell[1] / image.shape[0])
    width, height = max(1, int(image.shape[1] * share)), max(1, int(image.shape[0] * share))
    small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    left, top = (cell[0] - width) // 2, (cell[1] - height) // 2
    fitted = np.zeros((cell[1], cell[0], 3), np.uint8)
    fitted[top : top + height, left : left + width] = small
    return fitted


def _places(settings: MontageSettings) -> list[_Place]:
    """Left, top, width and height of each clip that is shown at once."""
    width, height = settings.width, settings.height
    if settings.layout == "grid":
        columns = int(np.ceil(np.sqrt(settings.people)))
        wide, high = width // columns, height // -(-settings.people // columns)
        return [(n % columns * wide, n // columns * high, wide, high) for n in range(settings.people)]
    wide, high = int(width * _INSET), int(height * _INSET)
    rim = int(height * _RIM)
    ends = (rim, width - wide - rim), (rim, height - high - rim)
    insets = [(ends[0][right], ends[1][low], wide, high) for right, low in _CORNERS]
    return [(0, 0, width, height), *insets[: settings.people - 1]]


def _compose(images: Sequence[Image], places: Sequence[_Place], settings: MontageSettings) -> Image:
    whole = np.zeros((settings.height, settings.width, 3), np.uint8)
    for image, (left, top, wide, high) in zip(images, places, strict=True):
        whole[top : top + high, left : left + wide] = image
    return whole
