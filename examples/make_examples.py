"""Makes the two example clips: a camera moving over a portrait, and over another whose face was swapped.

    pip install -e '.[test]'
    python examples/make_examples.py examples

Takes some seconds on any CPU. Both portraits are in the public domain and lie inside Python packages: Grace
Hopper (US Navy, in matplotlib) and Eileen Collins (NASA, in scikit-image). ``portrait_real.mp4`` shows
Collins as she was photographed. In ``portrait_swapped.mp4`` Hopper bears the face of Collins: as coarse as
the first swapping networks gave faces, bent onto her key points, given her colours, and blended in by solving
Poisson's equation (Perez, Gangnet and Blake, "Poisson image editing", 2003). Nothing here is left to chance,
so that the clips can be made again.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import matplotlib.cbook
import numpy as np
import skimage.data
from numpy.typing import NDArray
from PIL import Image as PillowImage

from unmask.config import DetectSettings
from unmask.faces.detect import load_detector
from unmask.faces.points import CANONICAL_POINTS, fit_affine, move_points
from unmask.lab.forge.swap import match_colour
from unmask.types import Floats, Image

WIDTH, HEIGHT = 640, 480
FRAMES_PER_SECOND = 25
FRAMES = 80
NOISE_LEVELS = 2.0  # of 255; about that of a phone's camera in a lit room

# Left half of what is exchanged, in half distances of the eyes from the point between them. Wider than the
# face at the eyes, so that nothing of Hopper's glasses is left.
_HALF_OUTLINE = [(0, -1.0), (-1, -1.0), (-2.1, -0.7), (-2.2, 0.25), (-2.0, 1.0), (-1.8, 1.8), (-1.45, 2.5)]
_HALF_OUTLINE += [(-1.0, 3.05), (-0.4, 3.35)]
OUTLINE = np.array([*_HALF_OUTLINE, *[(-x, y) for x, y in reversed(_HALF_OUTLINE)]], np.float32)
# Collins' face is made this much wider and longer, or its border would run through her hair and neck.
STRETCH = np.array([1.1, 1.06], np.float32)
# Her portrait is brought to this size and back, and her face with it to about 60 px.
COARSE = 0.45


def portraits() -> tuple[Image, Image]:
    """Grace Hopper, shape (600, 512, 3), and Eileen Collins, shape (512, 512, 3); RGB."""
    with matplotlib.cbook.get_sample_data("grace_hopper.jpg") as file, PillowImage.open(file) as picture:
        hopper = np.array(picture.convert("RGB"))
    return hopper, np.ascontiguousarray(skimage.data.astronaut())


def find_points(image: Image) -> Floats:
    """Key points of the surest face, shape (5, 2)."""
    # Written out, so that the clips stay what they are when defaults change.
    settings = DetectSettings(min_face_px=32, min_face_fraction=0.0)
    return load_detector(settings).detect([image])[0][0].points


def swap(target: Image, donor: Image) -> Image:
    """The target with the donor's face, as coarse as the first networks gave it."""
    small = cv2.resize(donor, None, fx=COARSE, fy=COARSE, interpolation=cv2.INTER_AREA)
    donor = np.asarray(cv2.resize(small, donor.shape[1::-1], interpolation=cv2.INTER_CUBIC), np.uint8)
    points = find_points(target)
    centre = points.mean(axis=0)
    move = fit_affine(find_points(donor), (points - centre) * STRETCH + centre)
    height, width = target.shape[:2]
    warped = cv2.warpAffine(
        donor, move, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    outline = move_points(OUTLINE, fit_affine(CANONICAL_POINTS, points))
    mask = np.zeros((height, width), np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull(np.round(outline).astype(np.int32)), 255)
    coloured = match_colour(np.asarray(warped, np.uint8), target, np.float32(mask / 255), strength=1.0)
    x, y, box_width, box_height = cv2.boundingRect(mask)
    middle = (x + box_width // 2, y + box_height // 2)
    return np.asarray(cv2.seamlessClone(coloured, target, mask, middle, cv2.NORMAL_CLONE), np.uint8)


@dataclass(frozen=True)
class Camera:
    """What a camera sees of a portrait, in the portrait's pixels, when it begins and when it ends.

    Attributes:
        centre: Where it looks, x and y.
        drift: How far that moves until the end.
        width: How wide a part of the portrait fills the picture, at the beginning and at the end.
        crf: How strongly the encoder compresses; less is better.
    """

    centre: tuple[float, float]
    drift: tuple[float, float]
    width: tuple[float, float]
    crf: int


HOPPER = Camera(centre=(246, 232), drift=(22, -4), width=(520, 450), crf=24)
COLLINS = Camera(centre=(222, 140), drift=(12, -4), width=(300, 260), crf=22)


def view(portrait: Image, index: int, grain: NDArray[np.float32], camera: Camera) -> Image:
    """What the camera sees in one frame: it drifts and comes closer, and trembles a little."""
    time_seconds = index / FRAMES_PER_SECOND
    share = (1 - np.cos(np.pi * index / (FRAMES - 1))) / 2
    zoom = WIDTH / (camera.width[0] + (camera.width[1] - camera.width[0]) * share)
    centre_x = camera.centre[0] + camera.drift[0] * share + 0.7 * np.sin(2 * np.pi * 0.9 * time_seconds)
    centre_y = camera.centre[1] + camera.drift[1] * share + 0.6 * np.sin(2 * np.pi * 0.7 * time_seconds + 1)
    move = np.array([[zoom, 0, WIDTH / 2 - zoom * centre_x], [0, zoom, HEIGHT / 2 - zoom * centre_y]])
    seen = cv2.warpAffine(
        portrait, move, (WIDTH, HEIGHT), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return np.clip(np.rint(seen + grain), 0, 255).astype(np.uint8)


def write_clip(path: Path, portrait: Image, camera: Camera) -> None:
    """Film a portrait and write it as H.264; one thread, for the same file each time."""
    chance = np.random.default_rng(0)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FRAMES_PER_SECOND)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.thread_count = 1
        stream.options = {"crf": str(camera.crf), "preset": "medium"}
        for index in range(FRAMES):
            grain = chance.normal(0, NOISE_LEVELS, (HEIGHT, WIDTH, 1)).astype(np.float32)
            frame = av.VideoFrame.from_ndarray(view(portrait, index, grain, camera), format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, FRAMES_PER_SECOND)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def make_examples(folder: Path) -> None:
    """Write both clips into a folder."""
    hopper, collins = portraits()
    folder.mkdir(parents=True, exist_ok=True)
    write_clip(folder / "portrait_real.mp4", collins, COLLINS)
    write_clip(folder / "portrait_swapped.mp4", swap(hopper, collins), HOPPER)


def make_original(path: Path) -> None:
    """Write what ``portrait_swapped.mp4`` was made from: Hopper with her own face."""
    write_clip(path, portraits()[0], HOPPER)


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the example clips.")
    parser.add_argument("folder", type=Path, help="where to")
    make_examples(parser.parse_args().folder)


if __name__ == "__main__":
    main()
