"""What the notebooks share: where their clips come from, and pictures of them."""

from __future__ import annotations

import io
import json
import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
ROOT = Path(__file__).resolve().parents[3]
DFDC_MINI = ROOT.parent / "shared" / "data" / "dfdc_mini"
EXAMPLES = ROOT / "examples"


def find_clips(scratch: Path) -> Path:
    """A folder of labelled clips in DFDC's layout: real ones where they are, else generated ones.

    ``UNMASK_NOTEBOOK_DATA`` names another folder; empty, it asks for generated clips.
    """
    given = os.environ.get("UNMASK_NOTEBOOK_DATA")
    if given:
        return Path(given)
    return DFDC_MINI if given is None and DFDC_MINI.is_dir() else generate_clips(scratch / "generated")


def generate_clips(folder: Path) -> Path:
    """Eight short clips from the two examples: each real one beside its face swap, plain and mirrored.

    They show what the path looks like. One swap of one pair teaches nothing about deepfakes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    table = {}
    for kind in ("real", "swapped"):
        images = read_images(EXAMPLES / f"portrait_{kind}.mp4")
        for mirrored in (False, True):
            for part in (0, 1):
                number = 2 * mirrored + part
                half = images[40 * part : 40 * part + 40]
                name = f"{'abcd'[number]}_{kind}.mp4"
                write_video(folder / name, half[:, :, ::-1] if mirrored else half)
                original = None if kind == "real" else f"{'abcd'[number]}_real.mp4"
                label = "REAL" if kind == "real" else "FAKE"
                table[name] = {"label": label, "split": "train", "original": original}
    (folder / "metadata.json").write_text(json.dumps(table, indent=1))
    return folder


def read_images(path: Path, *, most: int = 100) -> Image:
    """The first frames of a clip, RGB, shape (T, H, W, 3)."""
    with av.open(str(path)) as container:
        frames = (frame.to_ndarray(format="rgb24") for frame in container.decode(video=0))
        return np.stack([image for _, image in zip(range(most), frames, strict=False)])


def write_video(target: Path | io.BytesIO, images: Image, *, fps: int = 25) -> None:
    """Encode RGB images, shape (T, H, W, 3), as H.264."""
    with av.open(target if isinstance(target, io.BytesIO) else str(target), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=fps, options={"crf": "20", "preset": "veryfast"})
        stream.height, stream.width = (side - side % 2 for side in images.shape[1:3])
        stream.pix_fmt = "yuv420p"
        for number, image in enumerate(images):
            even = np.ascontiguousarray(image[: stream.height, : stream.width])
            frame = av.VideoFrame.from_ndarray(even, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def side_by_side(paths: list[Path], *, most: int = 60) -> bytes:
    """Clips of one size beside each other, as MP4."""
    clips = [read_images(path, most=most) for path in paths]
    count = min(len(clip) for clip in clips)
    memory = io.BytesIO()
    write_video(memory, np.concatenate([clip[:count] for clip in clips], axis=2))
    return memory.getvalue()
