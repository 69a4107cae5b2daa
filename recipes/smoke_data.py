"""Make the data of recipes/smoke.toml: crops of a public-domain portrait (Eileen Collins, NASA).

    pip install '.[train]'
    python recipes/smoke_data.py .data/smoke

One picture under different light stands in for several people, so a run on it shows that the engine
works, and nothing about detection.
"""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
from skimage.data import astronaut

from unmask.lab.crops.samples import Sample
from unmask.lab.crops.shards import ShardWriter
from unmask.types import Image

LEFT, TOP, SIDE = 114, 8, 219  # twice as wide as the face
POINTS = np.array([(90.6, 94.3), (133.3, 95.8), (112.0, 121.7), (88.6, 132.5), (131.7, 133.5)], np.float32)
FRAMES = 4
PEOPLE = {"train": ["ann", "ben", "cleo"], "validation": ["dan", "eve"]}


def main(folder: Path) -> None:
    for part, names in PEOPLE.items():
        with closing(ShardWriter(folder / part, name="crops-00000.tar")) as writer:
            for number, name in enumerate(names):
                for label in ("REAL", "FAKE") if part == "validation" else ("REAL",):
                    images = [draw_face(3 * number + i, fake=label == "FAKE") for i in range(FRAMES)]
                    writer.write(describe(name, label), images)
        print(f"{folder / part}: {', '.join(names)}")


def draw_face(number: int, *, fake: bool) -> Image:
    left = LEFT - number % 4
    image = np.clip(astronaut()[TOP : TOP + SIDE, left : left + SIDE] * (0.7 + 0.04 * number), 0, 255)
    face = image.astype(np.uint8)
    if fake:
        face[70:150, 70:150] = cv2.GaussianBlur(face[70:150, 70:150], (0, 0), 3)
    return face


def describe(name: str, label: str) -> Sample:
    return Sample(
        key=f"portraits_{name}{'-fake' if label == 'FAKE' else ''}-p0",
        label=label,
        identity=name,
        original=f"portraits_{name}-p0",
        source="portraits",
        shard="",
        times_seconds=np.arange(FRAMES, dtype=np.float64),
        points=np.tile(POINTS, (FRAMES, 1, 1)),
        spans=np.empty((0, 2), np.int64),
    )


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else ".data/smoke"))
