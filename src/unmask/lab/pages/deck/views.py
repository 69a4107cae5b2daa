"""What slides show of videos, made in child processes: a decoder that crashes or hangs costs one picture.

Only files of this machine are opened. An index may name videos in buckets, and a deck fetches nothing.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import av
import cv2
import numpy as np

from unmask.archive.sources import Opener
from unmask.config import BatchSettings, CropSettings, DecodeSettings, DetectSettings
from unmask.errors import DataError, MediaError
from unmask.faces.crop import cut_crops
from unmask.faces.detect import FaceDetector, load_detector
from unmask.faces.find import find_people
from unmask.faces.track import thin_track
from unmask.judge.card import card_path, read_card
from unmask.lab.pages.mosaic import Mosaic, make_mosaic
from unmask.reasons import Reason
from unmask.report.document import jpeg_url
from unmask.report.faces import draw_faces
from unmask.types import Clip, Image, Track
from unmask.video import read_clip
from unmask.work.each import Do, Failure, Tell, run_each

if TYPE_CHECKING:
    from pandas import DataFrame

_LIMIT_SECONDS = 120.0
_FRAMES = 30
_FRAME_PX, _FACE_PX = 480, 128
_SHOWN = 5
_STRIP = CropSettings(size_px=96, margin_fraction=0.5)


@dataclass(frozen=True, slots=True)
class Still:
    """A picture as part of a page.

    Attributes:
        url: JPEG as ``data:``.
        width: In pixels.
        height: In pixels.
    """

    url: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Playing:
    """A real clip beside its fakes.

    Attributes:
        mosaic: What plays.
        stills: A picture of each tile, for paper.
    """

    mosaic: Mosaic
    stills: tuple[Still, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """The frame of a video that shows best what was found in it.

    Attributes:
        still: With boxes drawn.
        people: How many were taken for a person.
        dropped: Why others were not.
        level: Mean level of the frames, 0 to 255.
        lightened: Whether a face was found only in a lightened copy.
    """

    still: Still
    people: int
    dropped: tuple[Reason, ...]
    level: float
    lightened: bool


@dataclass(frozen=True, slots=True)
class Flow:
    """One video on its way to a tensor.

    Attributes:
        frames: Some of the sampled frames.
        boxes: The same with the faces drawn.
        crops: The same of the first person, as a network gets them.
        sampled: How many frames were sampled.
        size: Width and height of the video, upright.
        seconds: Its length.
        tracks: How many faces were followed, and how many were people.
        shape: Of the first person's tensor.
        margin_fraction: Around the box.
    """

    frames: tuple[Still, ...]
    boxes: tuple[Still, ...]
    crops: tuple[Still, ...]
    sampled: int
    size: tuple[int, int]
    seconds: float
    tracks: tuple[int, int]
    shape: tuple[int, ...]
    margin_fraction: float


@dataclass(frozen=True, slots=True)
class Wanted:
    """A view to be made.

    Attributes:
        kind: A key of `KINDS`.
        name: Of the video.
        path: What opens it.
        rows: Of the index, for a real clip with its fakes.
    """

    kind: str
    name: str
    path: str
    rows: DataFrame | None = field(default=None, compare=False, hash=False)


Views = dict[tuple[str, str], Any]
"""By kind and name a `Playing`, `Found`, `Flow` or `Still`, or a text that says why there is none."""


def make_views(wanted: Sequence[Wanted], *, on_done: Callable[[], None] = lambda: None) -> Views:
    """Make all views, each in a child process.

    Args:
        wanted: What is to be shown.
        on_done: Called after each.
    """
    views: Views = {}
    todo = []
    for one in wanted:
        if is_local(one.path):
            todo.append(one)
        else:
            views[one.kind, one.name] = "it lies on another machine, and a deck fetches nothing"
            on_done()
    batch = BatchSettings(jobs=2, time_limit_seconds=_LIMIT_SECONDS)
    for number, answer in run_each(todo, _load, batch):
        one = todo[number]
        views[one.kind, one.name] = str(answer.reason) if isinstance(answer, Failure) else answer
        on_done()
    return views


def is_local(path: str) -> bool:
    """Whether a path of an index leads to a file of this machine.

    >>> is_local("/a/b.mp4"), is_local("zip://b.mp4::/a/c.zip"), is_local("s3://a/b.mp4")
    (True, True, False)
    >>> is_local("zip://b.mp4::https://a/c.zip")
    False
    """
    return "://" not in path.removeprefix("zip://")


def _load() -> Do[Wanted, Any]:
    cv2.setNumThreads(1)
    return partial(_view, detector=load_detector(DetectSettings()))


def _view(wanted: Wanted, _: Tell, *, detector: FaceDetector) -> Any:
    try:
        return KINDS[wanted.kind](wanted, detector)
    except (MediaError, DataError) as error:
        return str(error)
    except OSError as error:
        return error.strerror or str(error)


def _play(wanted: Wanted, _: FaceDetector) -> Playing:
    mosaic = make_mosaic(wanted.rows, wanted.name)
    if len(mosaic.tiles) == 1:
        raise DataError("; ".join(mosaic.left_out.values()) or "none of its fakes can be shown")
    with av.open(io.BytesIO(mosaic.video), "r") as container:
        sheets = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    sheet, (width, height) = sheets[len(sheets) // 2], mosaic.tile_size
    stills = (sheet[y : y + height, x : x + width] for x, y in (tile.place for tile in mosaic.tiles))
    return Playing(mosaic, tuple(_still(np.ascontiguousarray(one)) for one in stills))


def _find(wanted: Wanted, detector: FaceDetector) -> Found:
    clip, tracks = _look(wanted.path, detector)
    seen = [sum(index in track.frame_indices for track in tracks) for index in range(len(clip.frames))]
    best = max(range(len(seen)), key=lambda index: (seen[index], -abs(index - len(seen) // 2)))
    small = (_shrunk(clip, index) for index in range(0, len(clip.frames), max(1, len(clip.frames) // 5)))
    return Found(
        still=_drawn(clip, tracks, best),
        people=sum(track.kept for track in tracks),
        dropped=tuple(track.dropped for track in tracks if track.dropped is not None),
        level=float(np.mean([image.mean() for image in small])),
        lightened=any(face.lightened for track in tracks for face in track.faces),
    )


def _flow(wanted: Wanted, detector: FaceDetector) -> Flow:
    clip, tracks = _look(wanted.path, detector)
    people = [track for track in tracks if track.kept]
    if not people:
        raise DataError("nobody was found in it")
    settings = read_card(card_path()).crop_settings
    crops = cut_crops(clip, people[:1], settings)[0]
    places = np.linspace(0, len(crops) - 1, min(_SHOWN, len(crops))).round().astype(int)
    frames = [int(crops.frame_indices[place]) for place in places]
    faces = (np.ascontiguousarray(crops.images[place].transpose(1, 2, 0)) for place in places)
    first = clip.frames[0]
    return Flow(
        frames=tuple(_still(_shrunk(clip, index)) for index in frames),
        boxes=tuple(_drawn(clip, tracks, index) for index in frames),
        crops=tuple(_still(np.asarray(cv2.resize(face, (_FACE_PX, _FACE_PX)), np.uint8)) for face in faces),
        sampled=len(clip.frames),
        size=(first.width, first.height),
        seconds=clip.duration_seconds,
        tracks=(len(tracks), len(people)),
        shape=crops.images.shape,
        margin_fraction=settings.margin_fraction,
    )


def _strip(wanted: Wanted, detector: FaceDetector) -> Still:
    clip, tracks = _look(wanted.path, detector)
    people = sorted((track for track in tracks if track.kept), key=lambda track: -len(track.faces))
    if not people:
        return _still(_shrunk(clip, len(clip.frames) // 2))
    images = cut_crops(clip, [thin_track(people[0], _SHOWN)], _STRIP)[0].images
    return _still(np.ascontiguousarray(np.concatenate(list(images.transpose(0, 2, 3, 1)), axis=1)))


KINDS: dict[str, Callable[[Wanted, FaceDetector], Any]] = {
    "play": _play,
    "find": _find,
    "flow": _flow,
    "strip": _strip,
}


def _look(path: str, detector: FaceDetector) -> tuple[Clip, tuple[Track, ...]]:
    with Opener() as opener, opener.local(path) as file:
        clip = read_clip(file, DecodeSettings(frames=_FRAMES, threads=1))
    if not clip.frames:
        raise DataError("no frame could be decoded")
    return clip, find_people(clip, detector)


def _shrunk(clip: Clip, index: int) -> Image:
    frame = clip.frames[index]
    zoom = min(1.0, _FRAME_PX / max(frame.width, frame.height))
    return frame.picture.rgb(
        width=max(2, round(frame.width * zoom)), height=max(2, round(frame.height * zoom))
    )


def _drawn(clip: Clip, tracks: Sequence[Track], index: int) -> Still:
    image = _shrunk(clip, index)
    return _still(draw_faces(image, tracks, index, zoom=image.shape[1] / clip.frames[index].width))


def _still(image: Image) -> Still:
    ok, jpeg = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 82])
    if not ok:
        raise DataError("a picture of it cannot be encoded")
    return Still(jpeg_url(jpeg.tobytes()), image.shape[1], image.shape[0])
