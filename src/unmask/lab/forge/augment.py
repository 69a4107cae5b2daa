"""Augmentation: what cameras, light, codecs and websites do to a picture, done on purpose.

A *degradation* is what a picture loses after it was taken or forged, by poor light, scaling, blur, noise or a
codec. *Augmentation* shows a network each picture in many such states, so that it does not take the state for
the fake.

Every operation is a pure function of an image and named strengths, so that a real and its own
pseudo-fake can be given exactly the same: a network must not learn the pipeline instead of the fake.
`draw_degradation` draws a chain of them once; the chain is then applied to both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from unmask.types import Image

Operation = Callable[[Image], Image]


def _to_bytes(values: NDArray[np.floating]) -> Image:
    rounded: Image = np.clip(values + 0.5, 0, 255).astype(np.uint8)
    return rounded


def compress_jpeg(image: Image, *, quality: int) -> Image:
    """JPEG at a quality of 1 to 100, colour at half resolution."""
    _, data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.ascontiguousarray(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)[..., ::-1])


def compress_h264(
    image: Image,
    *,
    crf: int,
    frames: int = 3,
    motion_px: tuple[float, float] = (0.0, 0.0),
    preset: str = "veryfast",
) -> Image:
    """A picture as the last frame of an H.264 clip that moves evenly up to it.

    Without motion a codec copies the blocks of its first frame; with it, every frame is predicted and
    corrected coarsely, as in a real video.

    Args:
        image: RGB, even-sided.
        crf: Constant rate factor, 0 (lossless) to 51.
        frames: Length of the clip.
        motion_px: Right and down, from frame to frame.
        preset: How carefully x264 looks for what to predict from.
    """
    height, width = image.shape[:2]
    clip = []
    for left in range(frames - 1, 0, -1):
        move = np.array([[1, 0, -left * motion_px[0]], [0, 1, -left * motion_px[1]]])
        moved = cv2.warpAffine(image, move, (width, height), borderMode=cv2.BORDER_REPLICATE)
        clip.append(np.asarray(moved, np.uint8))
    return compress_h264_clip([*clip, image], crf=crf, preset=preset)[-1]


def compress_h264_clip(images: Sequence[Image], *, crf: int, preset: str = "veryfast") -> list[Image]:
    """A clip through an H.264 encoder and back, without a file.

    Args:
        images: Frames of one even-sided size.
        crf: Constant rate factor, 0 (lossless) to 51.
        preset: How carefully x264 looks for what to predict from.
    """
    height, width = images[0].shape[:2]
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base = encoder.framerate = Fraction(25)
    encoder.thread_count = 1
    encoder.options = {"crf": str(crf), "preset": preset, "tune": "zerolatency"}
    decoder = av.CodecContext.create("h264", "r")
    decoder.thread_count = 1
    packets = []
    for index, image in enumerate(images):
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
        frame.pts = index
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    frames = [frame for packet in packets for frame in decoder.decode(packet)] + decoder.decode(None)
    return [np.asarray(frame.to_ndarray(format="rgb24"), np.uint8) for frame in frames]


def rescale(image: Image, *, factor: float, up: int = cv2.INTER_LINEAR) -> Image:
    """Shrink to a factor of 0 to 1 and enlarge again with an OpenCV interpolation."""
    height, width = image.shape[:2]
    small = (max(8, round(width * factor)), max(8, round(height * factor)))
    return np.asarray(
        cv2.resize(cv2.resize(image, small, interpolation=cv2.INTER_AREA), (width, height), interpolation=up)
    )


def shrink(image: Image, *, factor: float) -> Image:
    """Make smaller by a factor of 0 to 1 and leave it so, with even sides as codecs want them."""
    height, width = (max(16, 2 * round(side * factor / 2)) for side in image.shape[:2])
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def smooth_skin(image: Image, *, sigma: float, reach_px: float) -> Image:
    """Smooth what differs by less than some grey levels and keep edges, as beauty filters do."""
    return np.asarray(cv2.bilateralFilter(image, 13, sigma, reach_px), np.uint8)


def turn(image: Image, *, angle_degrees: float) -> Image:
    """Turn about the centre; what comes in at the corners is mirrored from inside."""
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), angle_degrees, 1.0)
    turned = cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(turned, np.uint8)


def dither(image: Image, *, levels: int) -> Image:
    """So many levels of each colour, with the pattern of Bayer (1973) for those in between, as in a GIF."""
    height, width = image.shape[:2]
    pattern = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]]) / 16 - 15 / 32
    tiled = np.tile(pattern, (height // 4 + 1, width // 4 + 1))[:height, :width, None]
    step = 255 / (levels - 1)
    return _to_bytes(np.round(image / step + tiled) * step)


def weave(image: Image, *, motion_px: int) -> Image:
    """Shift every second line to the side, as interlaced footage of what moves has it."""
    woven = image.copy()
    woven[1::2] = np.roll(image[1::2], motion_px, axis=1)
    return woven


def blur(image: Image, *, sigma_px: float) -> Image:
    """Gaussian blur."""
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma_px), np.uint8)


def blur_motion(image: Image, *, length_px: int, angle_degrees: float) -> Image:
    """Blur along a line, as of a moving camera."""
    kernel = np.zeros((length_px, length_px), np.float32)
    kernel[length_px // 2] = 1
    centre = ((length_px - 1) / 2, (length_px - 1) / 2)
    turned = cv2.warpAffine(kernel, cv2.getRotationMatrix2D(centre, angle_degrees, 1), (length_px, length_px))
    return np.asarray(cv2.filter2D(image, -1, turned / turned.sum()), np.uint8)


def add_noise(image: Image, *, sigma: float, seed: int, coarse: bool = False) -> Image:
    """Gaussian noise of a standard deviation in grey levels; coarse noise is two pixels wide."""
    height, width = image.shape[:2]
    shape = (height // 2, width // 2, 3) if coarse else image.shape
    noise = np.random.default_rng(seed).standard_normal(shape, np.float32) * sigma
    full = cv2.resize(noise, (width, height), interpolation=cv2.INTER_LINEAR) if coarse else noise
    return _to_bytes(image + full)


def relight(
    image: Image, *, gamma: float = 1.0, gain: Sequence[float] = (1, 1, 1), offset: float = 0.0
) -> Image:
    """Gamma, a gain for each of R, G and B, and an offset in grey levels."""
    levels = (np.arange(256, dtype=np.float32) / 255) ** gamma * 255
    table = np.stack([_to_bytes(levels * channel + offset) for channel in gain], axis=-1)
    return np.asarray(cv2.LUT(image, table[None]), np.uint8)


def light_from_side(image: Image, *, strength: float, angle_degrees: float) -> Image:
    """Brighten one side and darken the other; strength 0.5 is 1.5 times to half."""
    height, width = image.shape[:2]
    angle = np.deg2rad(angle_degrees)
    across = np.linspace(-1, 1, width, dtype=np.float32)[None, :] * np.cos(angle)
    down = np.linspace(-1, 1, height, dtype=np.float32)[:, None] * np.sin(angle)
    return _to_bytes(image * (1 + strength * (across + down) / np.sqrt(2))[..., None].astype(np.float32))


def saturate(image: Image, *, factor: float) -> Image:
    """Scale colourfulness; 0 is grey, 1 unchanged."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None].astype(np.float32)
    return _to_bytes(grey + (image - grey) * factor)


def sharpen(image: Image, *, amount: float, sigma_px: float = 1.5) -> Image:
    """Unsharp mask."""
    smooth = cv2.GaussianBlur(image, (0, 0), sigma_px).astype(np.float32)
    return _to_bytes(image + amount * (image - smooth))


def occlude(image: Image, *, box: tuple[int, int, int, int], colour: tuple[int, int, int]) -> Image:
    """Cover a box ``x0 y0 x1 y1`` with one colour."""
    covered = image.copy()
    covered[box[1] : box[3], box[0] : box[2]] = colour
    return covered


def draw_light(rng: np.random.Generator) -> list[Operation]:
    """Light and colour: varied strongly, because scene light is what a detector is most easily fooled by."""
    chain: list[Operation] = []
    if rng.random() < 0.5:
        gamma = float(np.exp(rng.uniform(-0.5, 0.5)))
        gain = 1 + rng.uniform(-0.3, 0.3) + rng.uniform(-0.12, 0.12, 3)
        chain.append(partial(relight, gamma=gamma, gain=tuple(gain), offset=float(rng.uniform(-20, 20))))
    if rng.random() < 0.06:
        chain.append(partial(relight, gain=(float(rng.uniform(0.15, 0.5)),) * 3))
    if rng.random() < 0.2:
        chain.append(
            partial(
                light_from_side,
                strength=float(rng.uniform(0.1, 0.6)),
                angle_degrees=float(rng.uniform(0, 360)),
            )
        )
    if rng.random() < 0.2:
        chain.append(partial(saturate, factor=float(rng.uniform(0, 1.6))))
    return chain


def draw_degradation(
    rng: np.random.Generator,
    *,
    size_px: int,
    rescaled_share: float = 0.2,
    smallest: float = 0.5,
) -> list[Operation]:
    """A random chain of what happens to footage after it was made, without the codec that comes last.

    Args:
        rng: Source of every random choice.
        size_px: Side of the square images that it will be applied to.
        rescaled_share: How often it is made smaller and larger again.
        smallest: The least factor by which.
    """
    chain = draw_light(rng)
    if rng.random() < rescaled_share:
        up = int(rng.choice([cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_NEAREST], p=[0.6, 0.35, 0.05]))
        chain.append(partial(rescale, factor=float(rng.uniform(smallest, 0.95)), up=up))
    if rng.random() < 0.12:
        chain.append(partial(blur, sigma_px=float(rng.uniform(0.4, 1.8))))
    if rng.random() < 0.05:
        chain.append(
            partial(blur_motion, length_px=int(rng.integers(3, 10)), angle_degrees=float(rng.uniform(0, 180)))
        )
    if rng.random() < 0.08:
        chain.append(partial(sharpen, amount=float(rng.uniform(0.3, 1.2))))
    if rng.random() < 0.25:
        sigma, seed = float(rng.uniform(1, 10)), int(rng.integers(2**31))
        chain.append(partial(add_noise, sigma=sigma, seed=seed, coarse=bool(rng.random() < 0.5)))
    if rng.random() < 0.08:
        x, y = (int(value) for value in rng.integers(0, size_px * 3 // 4, 2))
        width, height = (int(value) for value in rng.integers(size_px // 10, size_px // 3, 2))
        colour = tuple(int(value) for value in rng.integers(0, 256, 3))
        chain.append(partial(occlude, box=(x, y, x + width, y + height), colour=colour))  # type: ignore[arg-type]
    return chain


def draw_harsh_degradation(rng: np.random.Generator, *, size_px: int) -> list[Operation]:
    """One or two kinds of loss, each as strong as in the middle and upper steps of `video.distort`.

    `draw_degradation` is what footage usually went through; this is what little survives.

    Args:
        rng: Source of every random choice.
        size_px: Side of the square images that it will be applied to.
    """

    def between(low: float, high: float) -> float:
        return float(rng.uniform(low, high))

    kinds: list[Callable[[], Operation]] = [
        lambda: partial(add_noise, sigma=between(6, 26), seed=int(rng.integers(2**31))),
        lambda: partial(blur, sigma_px=between(0.004, 0.03) * size_px),
        lambda: partial(rescale, factor=between(0.15, 0.6)),
        lambda: partial(compress_jpeg, quality=int(rng.integers(8, 40))),
        lambda: partial(compress_h264, crf=int(rng.integers(32, 46)), frames=int(rng.integers(1, 4))),
        lambda: partial(relight, gain=(between(0.2, 0.6),) * 3),
        lambda: partial(relight, gain=(share := between(0.3, 0.7),) * 3, offset=128 * (1 - share)),
    ]
    chosen = rng.choice(len(kinds), size=1 if rng.random() < 0.7 else 2, replace=False)
    return [kinds[int(number)]() for number in sorted(chosen)]


def draw_everyday(rng: np.random.Generator) -> list[Operation]:
    """One thing that people do to footage every day, such as to send it on, to smooth or to turn it.

    Sent on means made smaller and compressed strongly, twice, by a codec that works on moving pictures. The
    picture may come out smaller. `unmask.lab.evaluate.changes` does the like to whole files.

    Args:
        rng: Source of every random choice.
    """

    def between(low: float, high: float) -> float:
        return float(rng.uniform(low, high))

    codec = partial(_draw_h264, rng)
    kinds: list[Callable[[], list[Operation]]] = [
        lambda: [partial(shrink, factor=between(0.4, 0.8)), codec(28, 39), codec(28, 39)],
        lambda: [partial(smooth_skin, sigma=between(15, 40), reach_px=between(3, 7)), codec(18, 28)],
        lambda: [partial(rescale, factor=between(0.25, 0.6), up=cv2.INTER_CUBIC), codec(18, 30)],
        lambda: [partial(turn, angle_degrees=between(-25, 25)), codec(18, 28)],
        lambda: [partial(dither, levels=int(rng.integers(5, 13)))],
        lambda: [partial(weave, motion_px=int(rng.integers(1, 5))), codec(18, 28)],
    ]
    return kinds[int(rng.choice(len(kinds), p=[0.45, 0.15, 0.15, 0.1, 0.1, 0.05]))]()


def draw_codec(rng: np.random.Generator) -> list[Operation]:
    """The codec that nearly all footage went through: H.264 with motion, or JPEG."""
    codec = rng.random()
    if codec < 0.55:
        return [_draw_h264(rng, 18, 36)]
    if codec < 0.9:
        return [partial(compress_jpeg, quality=int(rng.integers(30, 101)))]
    return []


def _draw_h264(rng: np.random.Generator, low: int, high: int) -> Operation:
    """H.264 with motion, at a constant rate factor from low to below high."""
    motion = (float(rng.normal(0, 1.2)), float(rng.normal(0, 0.8)))
    crf, frames = int(rng.integers(low, high)), int(rng.integers(2, 6))
    return partial(compress_h264, crf=crf, frames=frames, motion_px=motion)


def apply_chain(image: Image, chain: Sequence[Operation]) -> Image:
    """Apply operations in order."""
    for operation in chain:
        image = operation(image)
    return image
