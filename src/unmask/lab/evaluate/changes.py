"""What people do to a clip every day before anybody judges it, each as a file of its own.

Nothing here touches who is shown, so a verdict that turns from real to fake is a false alarm. The amounts are
our own choice; what is drawn by chance is drawn alike each time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path

import av
import cv2
import numpy as np

from unmask.lab.forge.augment import smooth_skin
from unmask.types import Floats, Image
from unmask.video.encoding import write_video

RATE = Fraction(25)
_RED, _WHITE, _BLACK = (255, 0, 0), (255, 255, 255), (0, 0, 0)
_WORDS = ("and then he said", "nobody knew about it", "watch until the end", "this is what happened")


@dataclass(frozen=True, slots=True)
class Reel:
    """Pictures that follow each other, and where the largest face is in each.

    Attributes:
        images: RGB, `RATE` a second, all of one size with even sides.
        boxes: ``x0 y0 x1 y1`` in pixels, shape (N, 4).
    """

    images: Sequence[Image]
    boxes: Floats


Write = Callable[[Reel, Path], None]


@dataclass(frozen=True, slots=True)
class Alteration:
    """One thing that is done to a clip.

    Attributes:
        about: What, in a few words.
        suffix: Of the file that it makes.
        write: Makes it.
    """

    about: str
    suffix: str
    write: Write


def _encode(images: Sequence[Image], path: Path, *, crf: int = 20, rate: Fraction = RATE) -> None:
    write_video(path, iter(images), rate=rate, kind=".mp4", quality=crf, repeatable=True)


def _decode(path: Path) -> list[Image]:
    with av.open(str(path)) as coded:
        return [np.asarray(frame.to_ndarray(format="rgb24"), np.uint8) for frame in coded.decode(video=0)]


def _each(change: Callable[[Image], Image], *, crf: int = 20) -> Write:
    return lambda film, path: _encode([change(image) for image in film.images], path, crf=crf)


def _scaled(image: Image, share: float) -> Image:
    """By a share, with even sides."""
    height, width = (max(2, 2 * round(side * share / 2)) for side in image.shape[:2])
    how = cv2.INTER_AREA if share < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, (width, height), interpolation=how), np.uint8)


def _messenger(film: Reel, path: Path) -> None:
    images: Sequence[Image] = film.images
    for share in (0.5, 1.0):
        _encode([_scaled(image, share) for image in images], path, crf=36)
        images = _decode(path)


_smooth = partial(smooth_skin, sigma=0.12 * 255, reach_px=6)


def _upscaled(image: Image) -> Image:
    small = _scaled(image, 0.25)
    size = image.shape[1], image.shape[0]
    return np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_CUBIC), np.uint8)


def _captions(film: Reel, path: Path) -> None:
    images = []
    for number, image in enumerate(film.images):
        image, (height, width) = image.copy(), image.shape[:2]
        words = _WORDS[int(number / RATE) % len(_WORDS)]
        scale = width / 640
        (wide, _), _ = cv2.getTextSize(words, cv2.FONT_HERSHEY_DUPLEX, scale, 1)
        place = (width - wide) // 2, round(0.85 * height)
        for colour, thickness in ((_BLACK, 5), (_WHITE, 2)):
            thick = max(1, round(thickness * scale))
            cv2.putText(image, words, place, cv2.FONT_HERSHEY_DUPLEX, scale, colour, thick, cv2.LINE_AA)
        images.append(image)
    _encode(images, path)


def _arrow(film: Reel, path: Path) -> None:
    """A red arrow that ends between the eyes, and a circle around the face."""
    images = []
    for image, box in zip(film.images, film.boxes, strict=True):
        image = image.copy()
        (x0, y0, x1, y1), side = box, float(box[2] - box[0])
        eyes = round(0.5 * (x0 + x1)), round(y0 + 0.4 * (y1 - y0))
        tail = round(x1 + 0.6 * side), round(y0 - 0.2 * side)
        thick = max(2, round(0.05 * side))
        cv2.arrowedLine(image, tail, eyes, _RED, thick, cv2.LINE_AA, tipLength=0.25)
        middle = round(0.5 * (x0 + x1)), round(0.5 * (y0 + y1))
        cv2.circle(image, middle, round(0.75 * side), _RED, thick, cv2.LINE_AA)
        images.append(image)
    _encode(images, path)


def _interlaced(film: Reel, path: Path) -> None:
    """Two moments in one picture, line by line, and nothing in the file that says so."""
    combed = []
    for first, second in zip(film.images[::2], film.images[1::2], strict=False):
        woven = first.copy()
        woven[1::2] = second[1::2]
        combed.append(woven)
    _encode(combed, path, rate=RATE / 2)


def _gif(film: Reel, path: Path) -> None:
    share = min(1.0, 360 / film.images[0].shape[1])
    small = (_scaled(image, share) for image in film.images[::3])
    write_video(path, small, rate=RATE / 3, kind=".gif")


def _avif(film: Reel, path: Path) -> None:
    image = film.images[len(film.images) // 2]
    path.write_bytes(cv2.imencode(".avif", image[..., ::-1], [cv2.IMWRITE_AVIF_QUALITY, 50])[1].tobytes())


def _recorded(film: Reel, path: Path) -> None:
    """Played in a window and recorded at 30 frames a second."""
    height, width = film.images[0].shape[:2]
    inner = _scaled(film.images[0], 0.8).shape
    top, left = (height - inner[0]) // 2, (width - inner[1]) // 2
    images = []
    for number in range(int(len(film.images) * 30 / RATE)):
        desk = np.full((height, width, 3), 48, np.uint8)
        desk[max(0, top - height // 30) : top, left : left + inner[1]] = 210
        desk[top : top + inner[0], left : left + inner[1]] = _scaled(
            film.images[min(int(number * RATE / 30), len(film.images) - 1)], 0.8
        )
        images.append(desk)
    _encode(images, path, crf=28, rate=Fraction(30))


def _filmed(film: Reel, path: Path) -> None:
    """A phone held at a screen: slanted, with moire, a reflection and grain."""
    rng = np.random.default_rng(0)
    height, width = film.images[0].shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    moire = 1 + 0.06 * np.sin(2 * np.pi * (x / 5.3 + y / 31)) * np.sin(2 * np.pi * (y / 6.1 + x / 47))
    far = ((x - 0.75 * width) / (0.35 * width)) ** 2 + ((y - 0.2 * height) / (0.3 * height)) ** 2
    glare = 60 * np.exp(-far)
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    slant = np.array([[0.03, 0.02], [0.99, 0.05], [0.96, 0.97], [0.01, 0.94]], np.float32)
    images = []
    for image in film.images:
        hand = 0.004 * rng.standard_normal(2).astype(np.float32)
        seen_at = ((slant + hand) * (width, height)).astype(np.float32)
        turn = cv2.getPerspectiveTransform(corners, seen_at)
        seen = cv2.warpPerspective(image, np.asarray(turn), (width, height), borderValue=(12, 12, 14))
        shown = cv2.GaussianBlur(seen, (0, 0), 0.8) * moire[..., None] + glare[..., None]
        shown = shown + 3 * rng.standard_normal(shown.shape, np.float32)
        images.append(np.clip(shown, 0, 255).astype(np.uint8))
    _encode(images, path, crf=24)


def _turned(image: Image) -> Image:
    height, width = image.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 15, 1.0)
    return np.asarray(cv2.warpAffine(image, turn, (width, height)), np.uint8)


def _mirrored(image: Image) -> Image:
    return np.ascontiguousarray(image[:, ::-1])


UNTOUCHED = "untouched"
CHANGES: dict[str, Alteration] = {
    UNTOUCHED: Alteration("the same pictures, encoded once more at good quality", ".mp4", _each(np.copy)),
    "messenger": Alteration("half the size, strongly compressed, twice", ".mp4", _messenger),
    "beauty filter": Alteration("skin smoothed, edges kept", ".mp4", _each(_smooth)),
    "upscaled": Alteration("a quarter of the size, then enlarged again", ".mp4", _each(_upscaled)),
    "captions": Alteration("large words over the lower part", ".mp4", _captions),
    "drawn over": Alteration("a red arrow at the eyes and a circle around the face", ".mp4", _arrow),
    "interlaced": Alteration("two moments in each picture, line by line", ".mp4", _interlaced),
    "GIF": Alteration("360 px wide, 256 colours", ".gif", _gif),
    "AVIF": Alteration("one picture, compressed", ".avif", _avif),
    "screen recording": Alteration("played in a window and recorded", ".mp4", _recorded),
    "filmed from a screen": Alteration("slant, moire, reflection, grain", ".mp4", _filmed),
    "rotated": Alteration("by 15 degrees", ".mp4", _each(_turned)),
    "mirrored": Alteration("left and right exchanged", ".mp4", _each(_mirrored)),
}
"""By the name that a report has for it."""
