"""Pictures: pixels that become upright RGB when they are asked for, and not before."""

from __future__ import annotations

import struct
import threading
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import cast

import numpy as np
from av.sidedata.sidedata import SideData
from av.sidedata.sidedata import Type as SideDataType
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

from unmask.types import Clip, Frame, Image
from unmask.video.colour import is_high_range, tone_map

Orientation = tuple[bool, bool, bool]

_SQUARE = Fraction(1)


class Converter:
    """Turns decoded frames into RGB; one for each clip, so that its tables are made once a size.

    Safe to call from several threads.

    Args:
        aspect: Width of a stored pixel by its height.
    """

    def __init__(self, aspect: Fraction = _SQUARE) -> None:
        self.aspect = aspect
        self._lock = threading.Lock()
        self._by_size: dict[tuple[int, int], VideoReformatter] = {}
        self._by_angle: dict[int, Orientation] = {}

    def rgb(self, frame: VideoFrame, *, width: int, height: int) -> Image:
        """Convert and scale in one step.

        Args:
            frame: As decoded, in whatever colour format; one of high dynamic range is tone mapped.
            width: Of the result, in pixels, before rotation.
            height: Of the result, in pixels, before rotation.

        Returns:
            RGB, shape (height, width, 3), in memory of its own.
        """
        shrinks = width <= frame.width and height <= frame.height
        # Area averaging looks at every pixel, so a shrunk face does not alias. Nothing is interpolated
        # when the size stays, where plain flags take the fast path of the library (15 times faster).
        method = Interpolation.AREA if shrinks and (width, height) != (frame.width, frame.height) else None
        high = is_high_range(frame)
        if high and method is None:  # what chroma loses by the fast path would be seen where light is steep
            method = Interpolation.BICUBIC | Interpolation.FULL_CHR_H_INT | Interpolation.ACCURATE_RND
        with self._lock:
            # The reformatter edits colour tags on the frame while it works: hence the lock around it all.
            reformatter = self._by_size.setdefault((width, height), VideoReformatter())
            converted = reformatter.reformat(
                frame, width, height, format="rgb48le" if high else "rgb24", interpolation=method, threads=1
            )
            if converted is frame:  # An RGB source of the right size comes back as it is.
                return np.array(converted.to_ndarray(), dtype=np.uint8, order="C")
        if high:
            return tone_map(np.asarray(converted.to_ndarray(), np.uint16), frame)
        return np.ascontiguousarray(converted.to_ndarray(), dtype=np.uint8)

    def orientation(self, frame: VideoFrame) -> Orientation:
        """What to do to a stored picture to see it upright: transpose, then mirror, then flip.

        The container's display matrix maps stored to shown positions: ``x' = a x + c y``, ``y' = b x + d y``
        (ISO/IEC 14496-12, 8.5.2). Reading it whole also gets mirrored pictures right, which an angle
        cannot. Angles between the quarter turns go to the nearest one.
        """
        angle = frame.rotation
        if angle not in self._by_angle:
            with self._lock:
                # A frame and its side data keep each other alive once they have been looked at. So look at
                # those of a tiny copy, or memory would go up until the garbage collector comes by.
                copy = VideoReformatter().reformat(frame, 16, 16, format="gray", threads=1)
            found = cast(Mapping[SideDataType, SideData], copy.side_data).get(SideDataType.DISPLAYMATRIX)
            matrix = bytes(found) if found is not None else b""
            self._by_angle[angle] = _from_matrix(matrix) if len(matrix) >= 36 else (False, False, False)
        return self._by_angle[angle]


def _from_matrix(matrix: bytes) -> Orientation:
    a, b, _, c, d = struct.unpack("=9i", matrix[:36])[:5]
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return False, a < 0, d < 0
    return True, c < 0, b < 0


def _squared(width: int, height: int, aspect: Fraction) -> tuple[int, int]:
    """The size that shows stored pixels square, nothing of which is shrunk.

    An aspect within a hundredth of 1 is what is left of rounding, and one beyond 4 is a mistake.
    """
    if not abs(aspect - 1) > 0.01 or not 1 / 4 <= aspect <= 4:
        return width, height
    return (round(width * aspect), height) if aspect > 1 else (width, round(height / aspect))


class DecodedPicture:
    """A decoded frame, kept as the decoder made it (half the bytes of RGB or less).

    Where its pixels are not square, the side that is stored too short is stretched.
    """

    __slots__ = ("_converter", "_frame", "_height", "_orientation", "_width")

    def __init__(self, frame: VideoFrame, converter: Converter) -> None:
        self._frame = frame
        self._converter = converter
        self._orientation = converter.orientation(frame)
        swapped = self._orientation[0]
        width, height = _squared(frame.width, frame.height, converter.aspect)
        self._width, self._height = (height, width) if swapped else (width, height)

    @property
    def width(self) -> int:
        """Width in pixels, after rotation."""
        return self._width

    @property
    def height(self) -> int:
        """Height in pixels, after rotation."""
        return self._height

    def rgb(self, *, width: int | None = None, height: int | None = None) -> Image:
        """The picture as RGB, scaled to ``width`` x ``height`` when both are given.

        Returns:
            Shape (height, width, 3), upright, a new array each time.

        Raises:
            ValueError: Only one of the sizes is given, or one is below 1.
        """
        width, height = wanted_size(self, width, height)
        transpose, mirror, flip = self._orientation
        if transpose:
            width, height = height, width
        image = self._converter.rgb(self._frame, width=width, height=height)
        if transpose:
            image = image.transpose(1, 0, 2)
        image = image[:: -1 if flip else 1, :: -1 if mirror else 1]
        return np.ascontiguousarray(image)


class ArrayPicture:
    """An RGB array as a picture."""

    __slots__ = ("_image",)

    def __init__(self, image: Image) -> None:
        self._image = image

    @property
    def width(self) -> int:
        """Width in pixels."""
        return int(self._image.shape[1])

    @property
    def height(self) -> int:
        """Height in pixels."""
        return int(self._image.shape[0])

    def rgb(self, *, width: int | None = None, height: int | None = None) -> Image:
        """The picture as RGB, scaled to ``width`` x ``height`` when both are given.

        Returns:
            Shape (height, width, 3), a new array each time.

        Raises:
            ValueError: Only one of the sizes is given, or one is below 1.
        """
        width, height = wanted_size(self, width, height)
        if (width, height) == (self.width, self.height):
            return self._image.copy()
        import cv2  # Not on the way of an ordinary video.

        shrinks = width <= self.width and height <= self.height
        method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(self._image, (width, height), interpolation=method), dtype=np.uint8)


def wanted_size(
    picture: DecodedPicture | ArrayPicture, width: int | None, height: int | None
) -> tuple[int, int]:
    """The size to convert to: the given one, or the picture's own.

    Raises:
        ValueError: Only one of the sizes is given, or one is below 1.
    """
    if width is None and height is None:
        return picture.width, picture.height
    if width is None or height is None or width < 1 or height < 1:
        raise ValueError(f"width and height must both be 1 or more or both left out, got {width}, {height}")
    return width, height


def array_picture(image: NDArray[np.uint8]) -> ArrayPicture:
    """An RGB array as a picture.

    Args:
        image: RGB, shape (height, width, 3), uint8.

    Raises:
        ValueError: The shape or type is another one.

    Example:
        >>> array_picture(np.zeros((48, 64, 3), np.uint8)).rgb(width=32, height=24).shape
        (24, 32, 3)
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or 0 in image.shape:
        raise ValueError(f"image must be (height, width, 3) uint8, got {image.shape} {image.dtype}")
    return ArrayPicture(image)


def clip_from_arrays(
    images: Sequence[NDArray[np.uint8]],
    times_seconds: Sequence[float] | None = None,
    *,
    path: str | Path = "array",
) -> Clip:
    """A clip from RGB arrays, for tests and notebooks.

    Args:
        images: RGB, shape (height, width, 3), uint8; sizes may differ.
        times_seconds: One for each image, rising; 25 images a second when left out.
        path: What to call it.

    Raises:
        ValueError: Nothing given, or times that do not match.

    Example:
        >>> clip = clip_from_arrays([np.zeros((48, 64, 3), np.uint8)] * 3)
        >>> len(clip.frames), clip.frames[2].time_seconds, clip.duration_seconds
        (3, 0.08, 0.12)
    """
    times = [index / 25 for index in range(len(images))] if times_seconds is None else list(times_seconds)
    rising = all(earlier < later for earlier, later in pairwise(times))
    if not images or len(times) != len(images) or not rising:
        raise ValueError(f"need images and one rising time for each, got {len(images)} images, times {times}")
    step = times[1] - times[0] if len(times) > 1 else 1 / 25
    frames = tuple(
        Frame(time_seconds=float(time), picture=array_picture(image))
        for time, image in zip(times, images, strict=True)
    )
    return Clip(path=Path(path), frames=frames, duration_seconds=float(times[-1] - times[0] + step))
