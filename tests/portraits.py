"""Small clips of a face: the public-domain portrait of Eileen Collins (NASA) under a moving camera."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import numpy as np
from skimage.data import astronaut


@cache
def portrait(side_px=240):
    """The face and shoulders, RGB, as large as asked for."""
    image = av.VideoFrame.from_ndarray(np.ascontiguousarray(astronaut()[:280, 80:360]), format="rgb24")
    return image.reformat(width=side_px, height=side_px, interpolation="AREA").to_ndarray(format="rgb24")


def moving_views(count, *, brightness=0, size=(200, 160)):
    """``count`` views of the portrait, moving right by one pixel a frame."""
    width, height = size
    picture = np.clip(portrait().astype(np.int16) + brightness, 0, 255).astype(np.uint8)
    return [np.ascontiguousarray(picture[20 : 20 + height, i % 40 : i % 40 + width]) for i in range(count)]


def write_clip(path: Path, images, *, fps=10, **options: str) -> Path:
    """Encode RGB images as H.264; options are those of x264."""
    with av.open(str(path), "w") as container:
        height, width = images[0].shape[:2]
        stream = container.add_stream("libx264", rate=fps)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"crf": "18", "preset": "ultrafast", **options}
        for i, image in enumerate(images):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = i, Fraction(1, fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def write_image(path: Path, image) -> Path:
    """Encode one RGB image by the suffix of the path."""
    import cv2

    assert cv2.imwrite(str(path), image[..., ::-1])
    return path
