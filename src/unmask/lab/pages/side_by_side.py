"""A real clip beside everything made from it, in step, with pictures of where they differ.

All tiles lie in one small video, so that nothing can get out of step; the page draws each tile from it.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from unmask.config import DecodeSettings
from unmask.errors import DataError, MediaError
from unmask.files import size_words
from unmask.lab.datasets.compare import CHANGED_LEVELS
from unmask.lab.datasets.sources import Opener
from unmask.lab.datasets.video_index import clip_of, usable
from unmask.report.document import data_url
from unmask.types import Clip, Image
from unmask.video import read_clip

if TYPE_CHECKING:
    from pandas import DataFrame

MAX_FAKES = 8
MAX_BYTES = 3 * 2**20
"""Of one encoded video; it is encoded again, coarser, until it fits."""

_SECONDS = 10.0
_FRAMES_PER_SECOND = 10
_TILE_PX = 320
_GAIN = 4
_QUALITIES = (26, 32, 38, 44)
_SAME_TIME_SECONDS = 0.06


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


def make_mosaic(frame: DataFrame, original: str) -> Mosaic:
    """Decode a clip and its fakes and put them beside each other.

    Args:
        frame: The index.
        original: Name of the real clip.

    Raises:
        DataError: It is not in the index.
        MediaError: It cannot be read.
    """
    rows = usable(frame)
    if original not in rows.index:
        raise DataError(f"{original!r} must be a usable video of the index; see its column status")
    own = rows[(clip_of(rows) == original) & (rows.index != original)]
    names = [str(name) for name in sorted(own.index)]
    left_out = dict.fromkeys(names[MAX_FAKES:], f"only {MAX_FAKES} are shown")
    with Opener() as opener:
        seconds, times, real = _small_frames(opener, str(rows.loc[original, "path"]))
        height, width = real.shape[1:3]
        shown: list[tuple[str, str, float | None, NDArray[np.uint8]]] = [(original, "REAL", None, real)]
        for name in names[:MAX_FAKES]:
            try:
                fake = _frames_at(
                    opener, str(own.loc[name, "path"]), times, seconds=seconds, size=(width, height)
                )
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
    sheet = np.zeros((len(times), (places[-1][1] + height), columns * width, 3), np.uint8)
    for (_, _, _, images), (left, top) in zip(shown, places, strict=True):
        sheet[:, top : top + height, left : left + width] = images
    step = (times[-1] - times[0]) / (len(times) - 1) if len(times) > 1 else 1 / _FRAMES_PER_SECOND
    video = encode_video(sheet, fps=1 / max(step, 0.01))
    return Mosaic(original, tiles, (width, height), video, step * len(times), left_out)


def encode_video(images: Sequence[Image] | NDArray[np.uint8], *, fps: float) -> bytes:
    """MP4 with H.264, of at most `MAX_BYTES` where the coarsest quality allows it.

    Args:
        images: RGB, all of one size with even sides.
        fps: Images a second.
    """
    data = b""
    for quality in _QUALITIES:
        data = _encode(images, fps=fps, quality=quality)
        if len(data) <= MAX_BYTES:
            break
    return data


def player(mosaic: Mosaic) -> str:
    """HTML of a mosaic's tiles with captions and one set of controls; `SCRIPT` and `STYLE` make it play."""
    width, height = mosaic.tile_size
    cells: dict[str, list[str]] = {}
    for tile in mosaic.tiles:
        caption = {"REAL": "real", "FAKE": "fake"}.get(tile.kind, "difference to the real one")
        extra = "" if tile.changed is None else f" · {tile.changed:.1%} of pixels".replace("%", " %")
        cells.setdefault(tile.name, []).append(
            f'<figure class="tile {tile.kind.lower()}"><canvas width="{width}" height="{height}" '
            f'data-x="{tile.place[0]}" data-y="{tile.place[1]}" role="img" '
            f'aria-label="{escape(tile.name)}, {caption}"></canvas>'
            f"<figcaption><b>{caption}</b> {escape(tile.name)}{extra}</figcaption></figure>"
        )
    groups = "".join(f'<div class="clip">{"".join(tiles)}</div>' for tiles in cells.values())
    size = f"{mosaic.seconds:.1f} s, shrunk to {width} x {height}, {size_words(len(mosaic.video))}"
    note = (
        f"{size} (at most {MAX_BYTES / 2**20:.0f} MiB). Differences are taken before it is encoded,"
        f" and shown {_GAIN} times as strong."
    )
    if mosaic.left_out:
        reasons = "; ".join(f"{escape(name)}: {escape(why)}" for name, why in mosaic.left_out.items())
        note += f" Not shown: {reasons}."
    speeds = "<option>0.25</option><option>0.5</option><option selected>1</option>"
    controls = (
        '<button type="button">pause</button>'
        '<input type="range" min="0" max="1000" value="0" aria-label="position">'
        f"<label>speed <select>{speeds}</select></label><output>0.0 s</output>"
    )
    video = f'<video muted loop playsinline preload="auto" src="{data_url(mosaic.video)}"></video>'
    return (
        f'<div class="player">{video}<div class="clips">{groups}</div>'
        f'<div class="controls">{controls}</div><p><small>{note}</small></p></div>'
    )


STYLE = Path(__file__).with_name("player.css").read_text(encoding="utf-8")
SCRIPT = Path(__file__).with_name("player.js").read_text(encoding="utf-8")


def _small_frames(opener: Opener, path: str) -> tuple[float, list[float], NDArray[np.uint8]]:
    """The clip's seconds, then times and shrunk frames of its first ones, (T, H, W, 3)."""
    with opener.local(path) as file:
        clip = read_clip(file, DecodeSettings(frames=1, threads=1))
        seconds = max(clip.duration_seconds, 0.1)
        count = max(2, round(seconds * _FRAMES_PER_SECOND))
        clip = read_clip(file, DecodeSettings(frames=min(count, 600), threads=1))
    kept = [one for one in clip.frames if one.time_seconds - clip.frames[0].time_seconds < _SECONDS]
    first = kept[0]
    zoom = min(1.0, _TILE_PX / max(first.width, first.height))
    width, height = (max(2, round(side * zoom) // 2 * 2) for side in (first.width, first.height))
    images = np.stack([one.picture.rgb(width=width, height=height) for one in kept])
    return seconds, [one.time_seconds for one in kept], images


def _frames_at(
    opener: Opener, path: str, times: Sequence[float], *, seconds: float, size: tuple[int, int]
) -> NDArray[np.uint8]:
    with opener.local(path) as file:
        step = times[1] - times[0] if len(times) > 1 else 0.1
        clip = read_clip(file, DecodeSettings(frames=1, threads=1))
        count = max(2, round(clip.duration_seconds / max(step, 0.01)))
        if abs(clip.duration_seconds - seconds) > step / 2:
            count *= 2  # Frames at other times: so that one is near each that is wanted.
        clip = read_clip(file, DecodeSettings(frames=count, threads=1))
        return np.stack([_nearest(clip, time, size) for time in times])


def _nearest(clip: Clip, time: float, size: tuple[int, int]) -> Image:
    frame = min(clip.frames, key=lambda one: abs(one.time_seconds - time))
    if abs(frame.time_seconds - time) > _SAME_TIME_SECONDS:
        return np.zeros((size[1], size[0], 3), np.uint8)  # It has ended.
    return frame.picture.rgb(width=size[0], height=size[1])


def _heat(real: NDArray[np.uint8], different: NDArray[np.int16]) -> NDArray[np.uint8]:
    """Differences in colour over the real picture in dark grey."""
    level = np.clip(different * _GAIN, 0, 255).astype(np.uint8)
    pictures = np.empty_like(real)
    for number in range(len(real)):
        heat = cv2.applyColorMap(level[number], cv2.COLORMAP_INFERNO)[..., ::-1]
        grey = cv2.cvtColor(real[number], cv2.COLOR_RGB2GRAY)[..., None] // 4
        weight = np.minimum(1, level[number][..., None] / 96)
        pictures[number] = grey * (1 - weight) + heat * weight
    return pictures


def _encode(images: Iterable[Image], *, fps: float, quality: int) -> bytes:
    target = io.BytesIO()
    rate = Fraction(fps).limit_denominator(1001)
    with av.open(target, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=rate)
        stream.options = {"crf": str(quality), "preset": "medium", "g": "20"}
        stream.codec_context.thread_count = 1
        for number, image in enumerate(images):
            if number == 0:
                stream.height, stream.width = image.shape[:2]
                stream.pix_fmt = "yuv420p"
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
            frame.pts, frame.time_base = number, 1 / rate
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return target.getvalue()
