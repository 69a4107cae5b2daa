"""What footage goes through on its way: compression, scaling, bad light, noise; each at five levels.

The kinds follow DeeperForensics-1.0 (L. Jiang et al., CVPR 2020), with resizing and darkness added; the
amounts are our own. What is drawn by chance comes from the clip's name, the kind and the level, so a clip is
distorted alike each time.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import groupby

import av
import cv2
import numpy as np

from unmask.errors import SettingsError
from unmask.types import Clip, Frame, Image
from unmask.video import array_picture
from unmask.video.encoding import REPEATABLE

LEVELS = 5
Change = Callable[[Image, float, np.random.Generator], Image]


@dataclass(frozen=True, slots=True)
class Distortion:
    """One kind.

    Attributes:
        about: What the amounts are.
        amounts: One for each level, from mild to harsh.
        change: From a picture, an amount and a source of chance to a picture of the same size; None for
            what treats all pictures together.
    """

    about: str
    amounts: tuple[float, float, float, float, float]
    change: Change | None


def _saturation(image: Image, amount: float, _: np.random.Generator) -> Image:
    gray = np.repeat(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    return np.asarray(cv2.addWeighted(image, amount, gray, 1 - amount, 0), np.uint8)


def _contrast(image: Image, amount: float, _: np.random.Generator) -> Image:
    return np.asarray(cv2.addWeighted(image, amount, image, 0, 128 * (1 - amount)), np.uint8)


def _blocks(image: Image, amount: float, rng: np.random.Generator) -> Image:
    height, width = image.shape[:2]
    side = max(2, min(height, width) // 45)
    found = image.copy()
    for _ in range(round(amount * height * width / side**2)):
        y, x = int(rng.integers(height - side + 1)), int(rng.integers(width - side + 1))
        found[y : y + side, x : x + side] = rng.integers(0, 256, 3)
    return found


def _noise(image: Image, amount: float, rng: np.random.Generator) -> Image:
    grain = rng.standard_normal(image.shape, np.float32) * np.float32(amount)
    return np.clip(np.rint(image + grain), 0, 255).astype(np.uint8)


def _blur(image: Image, amount: float, _: np.random.Generator) -> Image:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), amount * min(image.shape[:2])), np.uint8)


def _jpeg(image: Image, amount: float, _: np.random.Generator) -> Image:
    data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, int(amount)])[1]
    picture = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert picture is not None  # it was encoded a line ago
    return np.ascontiguousarray(picture[..., ::-1], np.uint8)


def _resize(image: Image, amount: float, _: np.random.Generator) -> Image:
    height, width = image.shape[:2]
    size = max(1, round(width * amount)), max(1, round(height * amount))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def _dark(image: Image, amount: float, _: np.random.Generator) -> Image:
    return np.asarray(cv2.convertScaleAbs(image, alpha=amount), np.uint8)


DISTORTIONS: dict[str, Distortion] = {
    "saturation": Distortion("colour that is left, as a factor", (0.8, 0.6, 0.4, 0.2, 0.0), _saturation),
    "contrast": Distortion("contrast that is left, as a factor", (0.85, 0.7, 0.55, 0.4, 0.25), _contrast),
    "block noise": Distortion("share under random squares", (0.01, 0.02, 0.04, 0.08, 0.16), _blocks),
    "white noise": Distortion("standard deviation, of 255", (4, 8, 14, 22, 32), _noise),
    "blur": Distortion("sigma as a share of the shorter side", (0.003, 0.005, 0.008, 0.012, 0.017), _blur),
    "jpeg": Distortion("quality", (70, 50, 30, 20, 10), _jpeg),
    "h264": Distortion("CRF, the sampled frames as one clip", (28, 32, 36, 40, 44), None),
    "resizing": Distortion("down to this size and back", (0.75, 0.5, 0.35, 0.25, 0.18), _resize),
    "dark": Distortion("light that is left, as a factor", (0.7, 0.5, 0.35, 0.25, 0.15), _dark),
}
SMALL_LADDER = (("blur", 2), ("jpeg", 3), ("h264", 3), ("resizing", 3), ("dark", 2))
"""What one verdict is tried under: about what a messenger or a dim screen does to a clip."""


def distort_clip(clip: Clip, kind: str, *, level: int) -> Clip:
    """The clip made worse; times and sizes stay.

    Args:
        clip: The sampled frames.
        kind: A key of `DISTORTIONS`.
        level: 1 (mild) to 5 (harsh).

    Raises:
        SettingsError: Kind or level is none.
    """
    if kind not in DISTORTIONS:
        raise SettingsError(f"unknown distortion {kind!r}; choose from: {', '.join(DISTORTIONS)}")
    if not 1 <= level <= LEVELS:
        raise SettingsError(f"level must be 1 to {LEVELS}, got {level}")
    distortion = DISTORTIONS[kind]
    amount = distortion.amounts[level - 1]
    images = [frame.picture.rgb() for frame in clip.frames]
    if distortion.change is None:
        worse = list(_through_h264(images, round(amount)))
    else:
        seed = zlib.crc32(f"{clip.path.name}/{kind}/{level}".encode("utf-8", "surrogateescape"))
        rng = np.random.default_rng(seed)
        worse = [distortion.change(image, amount, rng) for image in images]
    frames = (
        Frame(frame.time_seconds, array_picture(image))
        for frame, image in zip(clip.frames, worse, strict=True)
    )
    return replace(clip, frames=tuple(frames))


def _through_h264(images: Sequence[Image], crf: int) -> Iterator[Image]:
    """Encode and decode; pictures of another size than the one before begin another stream."""
    for (height, width, _), group in groupby(images, key=lambda image: image.shape):
        run = list(group)
        memory = io.BytesIO()
        with av.open(memory, "w", format="mp4") as container:
            options = {
                "crf": str(crf),
                "preset": "veryfast",
                "x264-params": f"bframes=0:threads=1:{REPEATABLE}",
            }
            stream = container.add_stream("libx264", rate=10, options=options)
            stream.width, stream.height, stream.pix_fmt = width + width % 2, height + height % 2, "yuv420p"
            for number, image in enumerate(run):
                even = np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(even), format="rgb24")
                frame.pts, frame.time_base = number, Fraction(1, 10)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        memory.seek(0)
        with av.open(memory, "r") as coded:
            for frame in coded.decode(video=0):
                yield np.ascontiguousarray(frame.to_ndarray(format="rgb24")[:height, :width])
