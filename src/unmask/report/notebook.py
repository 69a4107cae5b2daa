"""The pictures of `unmask.report.faces` in a notebook, by matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unmask.api import find_faces, read_clip
from unmask.config import ScanSettings
from unmask.errors import MissingExtraError
from unmask.faces.detect import load_detector
from unmask.faces.find import find_people
from unmask.faces.gather import Gathered
from unmask.report.faces import draw_faces, face_grid
from unmask.types import Clip, Track
from unmask.video import open_film, read_stretches

if TYPE_CHECKING:
    from matplotlib.animation import FuncAnimation
    from matplotlib.figure import Figure


def show_faces(
    clip: str | Path | Clip,
    tracks: Sequence[Track] | None = None,
    *,
    rows: int = 3,
    columns: int = 3,
    settings: ScanSettings | None = None,
) -> Figure:
    """A sheet of frames with boxes, key points, person numbers and confidence.

    Args:
        clip: A file, or what `read_clip` made of it.
        tracks: Of the clip; None finds them first.
        rows: Of the sheet.
        columns: Of the sheet.
        settings: Decoding, detection and tracking; the default is that of `scan`.

    Returns:
        A matplotlib figure, which a notebook shows.

    Raises:
        MediaError: The file cannot be read.
        MissingExtraError: matplotlib is not installed.
    """
    plt = _pyplot()
    clip, tracks = _found(clip, tracks, settings)
    sheet = face_grid(clip, tracks, rows=rows, columns=columns)
    figure = plt.figure(figsize=(12, 12 * sheet.shape[0] / sheet.shape[1]))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.imshow(sheet)
    axes.axis("off")
    plt.close(figure)  # or the notebook would show it twice
    shown: Figure = figure
    return shown


def play_tracked(
    clip: str | Path | Clip,
    tracks: Sequence[Track] | None = None,
    *,
    side_px: int = 640,
    settings: ScanSettings | None = None,
) -> FuncAnimation:
    """The sampled frames as an animation, with the tracked faces drawn and dropped ones in grey.

    Args:
        clip: A file, or what `read_clip` made of it.
        tracks: Of the clip; None finds them first.
        side_px: Longest side.
        settings: Decoding, detection and tracking; the default is that of `scan`.

    Returns:
        A matplotlib animation; ``HTML(animation.to_jshtml())`` plays it in a notebook.

    Raises:
        MediaError: The file cannot be read.
        MissingExtraError: matplotlib is not installed.
    """
    plt = _pyplot()
    from matplotlib.animation import FuncAnimation

    clip, tracks = _found(clip, tracks, settings)
    frames = clip.frames
    zoom = min(1.0, side_px / max(frames[0].width, frames[0].height))

    def picture(index: int) -> Any:
        width, height = round(frames[index].width * zoom), round(frames[index].height * zoom)
        return draw_faces(frames[index].picture.rgb(width=width, height=height), tracks, index, zoom=zoom)

    first = picture(0)
    figure = plt.figure(figsize=(first.shape[1] / 80, first.shape[0] / 80), dpi=80)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.axis("off")
    shown = axes.imshow(first)

    def turn(index: int) -> tuple[Any]:
        shown.set_data(picture(index))
        return (shown,)

    pause = 1000 * max(clip.duration_seconds, 0.04) / len(frames)
    animation = FuncAnimation(figure, turn, frames=len(frames), interval=pause, blit=True)
    plt.close(figure)
    return animation


def _found(
    clip: str | Path | Clip, tracks: Sequence[Track] | None, settings: ScanSettings | None
) -> tuple[Clip, Sequence[Track]]:
    settings = settings or ScanSettings()
    if tracks is None and not isinstance(clip, Clip):
        return shown_faces(clip, settings)
    clip = clip if isinstance(clip, Clip) else read_clip(clip, settings.decode)
    return clip, find_faces(clip, settings=settings) if tracks is None else tracks


def shown_faces(path: str | Path, settings: ScanSettings | None = None) -> tuple[Clip, tuple[Track, ...]]:
    """Who is found in a video of any length, in as many of its frames as can be shown.

    Raises:
        MediaError: The file cannot be read.
    """
    settings = settings or ScanSettings()
    found, detector = Gathered(Path(path)), load_detector(settings.detect)
    for stretch in read_stretches(open_film(path, settings.decode)):
        found.add(stretch, find_people(stretch.clip, detector, settings.detect, settings.track))
    return found.shown()


def _pyplot() -> Any:
    try:
        import matplotlib.pyplot as plt
    except ModuleNotFoundError as error:
        raise MissingExtraError("matplotlib", extra="data") from error
    return plt
