"""A small labelled set in DFDC's layout, on which the tiny model is right: fakes are brighter."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from portraits import moving_views, write_clip

FRAMES = 8


def write_labelled(folder: Path, *, originals=3, odd=True) -> Path:
    """Reals and a fake of each; ``odd`` adds a real without a face and a fake that cannot be read."""
    folder.mkdir(parents=True)
    table = {}
    for number in range(originals):
        real, fake = f"real{number}.mp4", f"fake{number}.mp4"
        write_clip(folder / real, moving_views(FRAMES, brightness=-60 + 4 * number))
        write_clip(folder / fake, moving_views(FRAMES, brightness=30 + 4 * number))
        table[real] = {"label": "REAL", "split": "train", "original": None}
        table[fake] = {"label": "FAKE", "split": "train", "original": real}
    if odd:
        write_clip(folder / "empty.mp4", [np.full((160, 200, 3), 90, np.uint8)] * FRAMES)
        (folder / "broken.mp4").write_bytes(b"\0" * 4000)
        table["empty.mp4"] = {"label": "REAL", "split": "train", "original": None}
        table["broken.mp4"] = {"label": "FAKE", "split": "train", "original": "real0.mp4"}
    (folder / "metadata.json").write_text(json.dumps(table))
    return folder
