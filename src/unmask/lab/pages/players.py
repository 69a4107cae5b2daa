"""Videos in a notebook: ``play_video(name)`` and ``play_side_by_side(original)``."""

from __future__ import annotations

import os
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from unmask.archive.sources import Opener
from unmask.config import DecodeSettings
from unmask.errors import DataError
from unmask.lab.datasets.video_index import index as read_or_index
from unmask.lab.pages.apart import make_apart
from unmask.lab.pages.mosaic import make_mosaics
from unmask.lab.pages.side_by_side import SCRIPT, STYLE, player
from unmask.report.document import data_url, document
from unmask.video import read_clip
from unmask.video.encoding import encode_video, even_size
from unmask.work.each import Do, Tell

if TYPE_CHECKING:
    from pandas import DataFrame

_SIDE_PX = 640
_MAX_FRAMES = 300


class Player:
    """What a notebook shows as HTML.

    Attributes:
        html: A whole page.
        height_px: Of the frame that it is shown in.
    """

    def __init__(self, html: str, *, height_px: int) -> None:
        self.html, self.height_px = html, height_px

    def _repr_html_(self) -> str:
        # In a frame of its own, so that its script runs and its style stays inside.
        frame = f'width="100%" height="{self.height_px}" style="border:0"'
        return f'<iframe srcdoc="{escape(self.html, quote=True)}" {frame}></iframe>'


def play_video(name: str, index: DataFrame | str | os.PathLike[str] = ".") -> Player:
    """Play one video of a data set, shrunk and without its sound.

    Args:
        name: As the index calls it, or the path of any video.
        index: The index, or a folder or file that `unmask.data.index` takes; the current folder by default.

    Raises:
        DataError: There is no such video.
        MediaError: It cannot be read.
    """
    path = os.fspath(Path(name)) if Path(name).is_file() else _path(name, index)
    video, (width, height) = make_apart({name: path}, _load_shrinking)[name]
    shown = f'<video controls loop muted autoplay width="{width}" src="{data_url(video)}"></video>'
    return Player(document(name, [shown], foot="", script="'use strict';"), height_px=height + 120)


def _load_shrinking() -> Do[str, tuple[bytes, tuple[int, int]]]:
    return _shrink


def _shrink(path: str, _: Tell) -> tuple[bytes, tuple[int, int]]:
    """A small video of it, with width and height."""
    with Opener() as opener, opener.local(path) as file:
        clip = read_clip(file, DecodeSettings(frames=_MAX_FRAMES, threads=1))
        first = clip.frames[0]
        width, height = even_size(first, longest_px=_SIDE_PX)
        images = [frame.picture.rgb(width=width, height=height) for frame in clip.frames]
    return encode_video(images, fps=len(images) / max(clip.duration_seconds, 0.04)), (width, height)


def play_side_by_side(original: str, index: DataFrame | str | os.PathLike[str] = ".") -> Player:
    """Play a real clip beside everything made from it, in step, with pictures of where they differ.

    Args:
        original: Name of the real clip.
        index: As for `play_video`.

    Raises:
        DataError: There is no such video.
        MediaError: It cannot be read.
    """
    (mosaic,) = make_mosaics(_frame(index), [original])
    page = document(original, [player(mosaic)], foot="", style=STYLE, script=SCRIPT)
    return Player(page, height_px=320 + 130 * len(mosaic.tiles))


def _frame(index: DataFrame | str | os.PathLike[str]) -> DataFrame:
    return read_or_index(index, probe=False) if isinstance(index, str | os.PathLike) else index


def _path(name: str, index: DataFrame | str | os.PathLike[str]) -> str:
    frame = _frame(index)
    paths = frame.loc[frame.index == name, "path"]
    if not len(paths):
        raise DataError(f"{name!r} must be a video of the index or a file")
    return str(paths.iloc[0])
