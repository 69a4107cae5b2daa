"""A small data set in the DFDC layout: two originals with their fakes, and what goes wrong in life."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from portraits import moving_views, write_clip

LABELS = {
    "amy.mp4": ("REAL", None),
    "amy_1.mp4": ("FAKE", "amy.mp4"),
    "amy_2.mp4": ("FAKE", "amy.mp4"),
    "ben.mp4": ("REAL", None),
    "ben_late.mp4": ("FAKE", "ben.mp4"),
    "orphan_1.mp4": ("FAKE", "elsewhere.mp4"),
    "orphan_2.mp4": ("FAKE", "elsewhere.mp4"),
    "broken.mp4": ("REAL", None),
    "lost.mp4": ("REAL", None),
    "nobody.mp4": ("REAL", None),
}


def write_footage(folder: Path) -> Path:
    """Ten listed videos of a second, nine of them there; ``ben_late`` begins and ends elsewhere."""
    folder.mkdir(parents=True)
    for number, name in enumerate(LABELS):
        if name in ("broken.mp4", "lost.mp4", "nobody.mp4"):
            continue
        views = moving_views(36, brightness=3 * number)
        write_clip(folder / name, views[24:] if name == "ben_late.mp4" else views[:12])
    write_clip(folder / "nobody.mp4", [np.full((160, 200, 3), 40 + n, np.uint8) for n in range(12)])
    (folder / "broken.mp4").write_bytes(b"no video")
    rows = {name: {"label": label, "split": "train", "original": of} for name, (label, of) in LABELS.items()}
    (folder / "metadata.json").write_text(json.dumps(rows))
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder and below, by its place."""
    files = (file for file in folder.rglob("*") if file.is_file())
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}
