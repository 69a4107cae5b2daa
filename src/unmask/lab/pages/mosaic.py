"""A real clip beside everything made from it, in step, with pictures of where they differ.

All tiles lie in one small video, so that nothing can get out of step; ``side_by_side`` draws each from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from unmask.archive.sources import Opener
from unmask.errors import DataError, MediaError
from unmask.lab.datasets.compare import CHANGED_LEVELS
from unmask.lab.datasets.video_index import clip_of, usable
from unmask.lab.pages.apart import make_apart
from unmask.video.beside import read_beside, read_small
from unmask.video.encoding import encode_video
from unmask.work.each import Do, Tell

if TYPE_CHECKING:
    from pandas import DataFrame

MAX_FAKES = 8
GAIN = 4
"""So many times as strong as they are, differences are shown."""

_SECONDS = 10.0
_FRAMES_PER_SECOND = 10
_TILE_PX = 320


@dataclass(frozen=True, slots=True)
class Tile:
    """One picture of the mosaic.

    Attributes:
        name: Of the video.
        kind: ``REAL``, ``FAKE`` or ``difference``.
        changed: Share of pixels that differ clearly, mean over the frames; None unless it is a difference.
        place: ``x y`` of its corner in the mosaic.
    """

    name: str
    kind: str
    changed: float | None
    place: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Mosaic:
    """A real clip, its fakes and the differences as one video.

    Attributes:
        original: Name of the real clip.
        tiles: The real one first, then each fake followed by its difference.
        tile_size: Width and height of every tile.
        video: MP4 with H.264.
        seconds: How long it plays.
        left_out: Fakes that are not shown, and why.
    """

    original: str
    tiles: tuple[Tile, ...]
    tile_size: tuple[int, int]
    video: bytes
    seconds: float
    left_out: dict[str, str]


def choose_originals(frame: DataFrame, count: int) -> list[str]:
    """Originals that are in the set with most fakes, ties by name."""
    rows = usable(frame)
    fakes = rows[(rows["label"] == "FAKE") & rows["original"].isin(rows.index)]
    numbers = fakes["original"].value_counts()
    return sorted(numbers.index, key=lambda name: (-int(numbers[name]), str(name)))[:count]


def make_mosaics(frame: DataFrame, originals: Sequence[str]) -> list[Mosaic]:
    """As `make_mosaic`, for several clips, each in a child process.

    Raises:
        DataError: One is not in the index.
        MediaError: One cannot be read.
    """
    rows = usable(frame)
    for name in originals:
        _check_original(rows, name)
    clips = clip_of(rows)
    tasks = {name: (rows[(clips == name) | (rows.index == name)], name) for name in originals}
    return list(make_apart(tasks, _load_making).values())


def _load_making() -> Do[tuple[DataFrame, str], Mosaic]:
    return _make


def _make(task: tuple[DataFrame, str], _: Tell) -> Mosaic:
    return make_mosaic(*task)


def _check_original(rows: DataFrame, original: str) -> None:
    if original not in rows.index:
        raise DataError(f"{original!r} must be a usable video of the index; see its column status")


def make_mosaic(frame: DataFrame, original: str) -> Mosaic:
    """Decode a clip and its fakes, in this process, and put them beside each other.

    Args:
        frame: The index.
        original: Name of the real clip.

    Raises:
        DataError: It is not in the index.
        MediaError: It cannot be read.
    """
    rows = usable(frame)
    _check_original(rows, original)
    own = rows[(clip_of(rows) == original) & (rows.index != original)]
    names = [str(name) for name in sorted(own.index)]
    left_out = dict.fromkeys(names[MAX_FAKES:], f"only {MAX_FAKES} are shown")
    with Opener() as opener:
        with opener.local(str(rows.loc[original, "path"])) as file:
            first = read_small(file, seconds=_SECONDS, frames_per_second=_FRAMES_PER_SECOND, side_px=_TILE_PX)
        real, (width, height) = first.images, first.size
        shown: list[tuple[str, str, float | None, NDArray[np.uint8]]] = [(original, "REAL", None, real)]
        for name in names[:MAX_FAKES]:
            try:
                with opener.local(str(own.loc[name, "path"])) as file:
                    fake = read_beside(file, first)
            except (MediaError, DataError) as error:
                left_out[name] = str(error)
                continue
            different = np.abs(real.astype(np.int16) - fake).max(axis=3)
            share = float((different > CHANGED_LEVELS).mean())
            shown.append((name, "FAKE", None, fake))
            shown.append((name, "difference", share, _heat(real, different)))
    columns = int(np.ceil(np.sqrt(len(shown))))
    places = [(number % columns * width, number // columns * height) for number in range(len(shown))]
    tiles = tuple(
        Tile(name, kind, share, place) for (name, kind, share, _), place in zip(shown, places, strict=True)
    )
    sheet = np.zeros((len(real), (places[-1][1] + height), columns * width, 3), np.uint8)
    for (_, _, _, images), (left, top) in zip(shown, places, strict=True):
        sheet[:, top : top + height, left : left + width] = images
    step = first.step_seconds if len(real) > 1 else 1 / _FRAMES_PER_SECOND
    video = encode_video(sheet, fps=1 / max(step, 0.01))
    return Mosaic(original, tiles, (width, height), video, step * len(real), left_out)


def _heat(real: NDArray[np.uint8], different: NDArray[np.int16]) -> NDArray[np.uint8]:
    """Differences in colour over the real picture in dark grey."""
    level = np.clip(different * GAIN, 0, 255).astype(np.uint8)
    pictures = np.empty_like(real)
    for number in range(len(real)):
        heat = cv2.applyColorMap(level[number], cv2.COLORMAP_INFERNO)[..., ::-1]
        grey = cv2.cvtColor(real[number], cv2.COLOR_RGB2GRAY)[..., None] // 4
        weight = np.minimum(1, level[number][..., None] / 96)
        pictures[number] = grey * (1 - weight) + heat * weight
    return pictures
