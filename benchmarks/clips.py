"""Makes the benchmark's clips: real faces moving before a detailed, moving background, in H.264.

    python benchmarks/clips.py FOLDER

The faces are public-domain portraits that lie inside Python packages: Eileen Collins (NASA, in scikit-image)
and Grace Hopper (US Navy, in matplotlib). The background is a patchwork of what surrounds them, under grain.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import matplotlib.cbook
import numpy as np
import skimage.data
from numpy.typing import NDArray
from PIL import Image as PillowImage

Image = NDArray[np.uint8]
_MARGIN_PX = 96  # of the background around the picture, for it to move in
_VERSION = 2  # goes up when the same name means other pixels


@dataclass(frozen=True, slots=True)
class Kind:
    """What the clips look like.

    Attributes:
        width: In pixels.
        height: In pixels.
        frames: How many.
        frames_per_second: How many are shown in a second.
    """

    width: int = 1920
    height: int = 1080
    frames: int = 300
    frames_per_second: int = 30

    def file(self, people: int, *, b_frames: bool) -> str:
        """The name of a clip."""
        size = f"{self.width}x{self.height}x{self.frames}"
        return f"v{_VERSION}_{size}_{people}p_{'b' if b_frames else 'nob'}.mp4"


# Where a person is in the picture (as shares of it), how the face moves, and how large it is.
_PLACES = {1: [(0.45, 0.55)], 2: [(0.3, 0.55), (0.7, 0.58)]}
_HEIGHT_SHARE = 0.82


def _portraits() -> tuple[Image, Image]:
    with matplotlib.cbook.get_sample_data("grace_hopper.jpg") as file, PillowImage.open(file) as picture:
        hopper = np.array(picture.convert("RGB"))
    return np.ascontiguousarray(skimage.data.astronaut()), hopper


def _people() -> list[NDArray[np.float32]]:
    """Cut-outs with a soft border: RGB and opacity 0 to 1, shape (H, W, 4)."""
    collins, hopper = _portraits()
    found = []
    for image, centre, radii in [
        (collins[:330, 60:390], (165, 150), (135, 170)),
        (hopper, (256, 290), (220, 300)),
    ]:
        mask = np.zeros(image.shape[:2], np.uint8)
        cv2.ellipse(mask, centre, radii, 0, 0, 360, 255, -1)
        inside = np.zeros_like(mask)
        inside[12:-12, 12:-12] = mask[12:-12, 12:-12]
        soft = cv2.GaussianBlur(inside, (0, 0), 6)
        found.append(np.dstack([image, soft / 255]).astype(np.float32))
    return found


# Where the mouth of each person is in the cut-out, and how far the jaw drops, in pixels.
_MOUTHS = ((165, 150, 8), (256, 318, 16))


def _talking(person: NDArray[np.float32], number: int, seconds: float) -> NDArray[np.float32]:
    """The cut-out with the jaw dropped for the moment: a face that never changes is taken for a picture."""
    x, y, most = _MOUTHS[number]
    rows, columns = np.mgrid[0 : person.shape[0], 0 : person.shape[1]].astype(np.float32)
    below = np.exp(-(((columns - x) / (5 * most)) ** 2) - ((rows - y - most) / (5 * most)) ** 2)
    drop = (
        most
        * (0.5 + 0.5 * np.sin(9 * seconds + number))
        * below
        / (1 + np.exp(np.clip((y - rows) / 2, -30, 30)))
    )
    moved = cv2.remap(person, columns, (rows - drop).astype(np.float32), cv2.INTER_LINEAR)
    return np.asarray(moved, np.float32)


def _background(kind: Kind) -> Image:
    """A patchwork of faceless parts of the portraits, each of its own size and turn, under coloured grain."""
    collins, hopper = _portraits()
    sources = [collins[230:], collins[:, 330:], hopper[380:], hopper[100:400, :150]]
    chance = np.random.default_rng(3)
    height, width = kind.height + 2 * _MARGIN_PX, kind.width + 2 * _MARGIN_PX
    wall = np.zeros((height, width, 3), np.uint8)
    rows, columns = 4, 6
    for row in range(rows):
        for column in range(columns):
            source = sources[chance.integers(len(sources))]
            side = int(chance.integers(90, min(source.shape[:2]) + 1))
            y, x = (int(chance.integers(length - side + 1)) for length in source.shape[:2])
            patch = np.rot90(source[y : y + side, x : x + side], chance.integers(4))
            top, bottom = height * row // rows, height * (row + 1) // rows
            left, right = width * column // columns, width * (column + 1) // columns
            patch = cv2.resize(patch, (right - left, bottom - top), interpolation=cv2.INTER_CUBIC)
            wall[top:bottom, left:right] = patch
    grain = chance.normal(0, 9, (height, width, 3)) + chance.normal(0, 9, (height, width, 1))
    return np.clip(wall * 0.8 + cv2.GaussianBlur(grain, (0, 0), 0.7), 0, 255).astype(np.uint8)


def _paste(picture: Image, person: NDArray[np.float32], move: NDArray[np.float64]) -> None:
    """Blend a moved cut-out into the picture, in place."""
    height, width = picture.shape[:2]
    corners = np.array([(0, 0), (1, 0), (1, 1), (0, 1)]) * person.shape[1::-1] @ move[:, :2].T + move[:, 2]
    left, top = np.maximum(np.floor(corners.min(axis=0)).astype(int), 0)
    right, bottom = np.minimum(np.ceil(corners.max(axis=0)).astype(int), (width, height))
    shifted = move - np.array([[0, 0, left], [0, 0, top]])
    moved = cv2.warpAffine(person, shifted, (right - left, bottom - top), flags=cv2.INTER_LINEAR)
    part, opacity = picture[top:bottom, left:right], moved[..., 3:]
    part[:] = np.rint(part * (1 - opacity) + moved[..., :3] * opacity).astype(np.uint8)


def views(kind: Kind, people: int, *, drift_share: float = 0.9) -> Iterator[Image]:
    """The pictures of a clip, RGB; the camera stands still where ``drift_share`` is 0."""
    wall, cut_outs = _background(kind), _people()
    chance = np.random.default_rng(5)
    size = (kind.height + 64, kind.width + 64, 1)
    grain = np.rint(chance.normal(0, 2, size)).astype(np.int16).repeat(3, axis=2)
    for index in range(kind.frames):
        turn = 2 * np.pi * index / kind.frames_per_second
        drift = np.array([[1, 0, -_MARGIN_PX * (1 + drift_share * np.sin(turn / 9))], [0, 1, -_MARGIN_PX]])
        drift[1, 2] *= 1 + drift_share * np.sin(turn / 7)
        seen = cv2.warpAffine(wall, drift, (kind.width, kind.height), flags=cv2.INTER_LINEAR)
        picture = np.asarray(seen, np.uint8)
        for number, (x, y) in enumerate(_PLACES[people]):
            person = _talking(cut_outs[number], number, index / kind.frames_per_second)
            scale = _HEIGHT_SHARE * kind.height / len(person) * (1 + 0.05 * np.sin(turn / 5 + number))
            tilt = 4 * np.sin(turn / 4 + 2 * number)
            middle = (person.shape[1] / 2, person.shape[0] / 2)
            move = cv2.getRotationMatrix2D(middle, tilt, scale)
            sway = np.array([0.05 * np.sin(turn / 6 + number), 0.03 * np.sin(turn / 3 + number)])
            move[:, 2] += (np.array([x, y]) + sway) * (kind.width, kind.height) - middle
            _paste(picture, person, move)
        top, left = chance.integers(64, size=2)
        noise = grain[top : top + kind.height, left : left + kind.width]
        yield np.clip(picture + noise, 0, 255).astype(np.uint8)


def make_clips(folder: Path, kind: Kind, *, people: int) -> None:
    """Write the clip with B-frames and the one without, both of the same pictures, unless they are there."""
    files = {folder / kind.file(people, b_frames=b): b for b in (True, False)}
    if all(file.exists() for file in files):
        return
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        outputs = []
        for file, b_frames in files.items():
            container = stack.enter_context(av.open(str(file.with_suffix(".part")), "w", format="mp4"))
            options = {"crf": "23", "preset": "veryfast", "bf": "3" if b_frames else "0"}
            stream = container.add_stream("libx264", rate=kind.frames_per_second, options=options)
            stream.width, stream.height, stream.pix_fmt = kind.width, kind.height, "yuv420p"
            outputs.append((container, stream))
        for index, picture in enumerate(views(kind, people)):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = index, Fraction(1, kind.frames_per_second)
            for container, stream in outputs:
                container.mux(stream.encode(frame))
        for container, stream in outputs:
            container.mux(stream.encode(None))
    for file in files:
        file.with_suffix(".part").rename(file)


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the benchmark's clips.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--people", type=int, nargs="+", choices=sorted(_PLACES), default=[1, 2])
    for name, value in asdict(Kind()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=value)
    given = parser.parse_args()
    kind = Kind(**{name: getattr(given, name) for name in asdict(Kind())})
    for people in given.people:
        make_clips(given.folder, kind, people=people)


if __name__ == "__main__":
    main()
