"""Make a small data set in the layout of the DeepFake Detection Challenge, for trying every step on.

    pip install '.[tune]'
    python recipes/challenge_data.py .data/challenge

Two public-domain portraits (Eileen Collins, NASA, and Grace Hopper, US Navy) blink, talk and turn before a
wall under a moving camera. A fake is its original with another face: blended in without a seam
(``poisson``), or pasted softly and from fewer pixels, as autoencoders leave it (``soft``). The folders
``train`` and ``test`` hold a ``metadata.json`` each, as DFDC's parts do. About one minute of one core, 5 MB.

Two faces and two ways to swap are no deepfakes: what is learned here is this set.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from unmask.config import DetectSettings
from unmask.faces.detect import load_detector
from unmask.faces.points import CANONICAL_POINTS, fit_affine, move_points
from unmask.lab.facebench.bench import encode
from unmask.lab.facebench.draw import draw_scene
from unmask.lab.facebench.plan import HALVES, gather_cast
from unmask.lab.facebench.scene import Cast, Portrait, Scene
from unmask.lab.forge.swap import match_colour
from unmask.types import Image

OUTLINE = np.array(
    [
        (-1.7, -0.8),
        (0, -1.1),
        (1.7, -0.8),
        (1.8, 0.6),
        (1.5, 1.9),
        (0.8, 2.8),
        (0, 3.0),
        (-0.8, 2.8),
        (-1.5, 1.9),
        (-1.8, 0.6),
    ],
    np.float32,
)
"""Of what is exchanged, in half distances of the eyes from the point between them."""


@dataclass(frozen=True)
class Take:
    """One original and how its fakes were made.

    Attributes:
        scene: What is drawn.
        actor: Which of the two portraits plays.
        swaps: Keys of `SWAPS`, a fake for each.
    """

    scene: Scene
    actor: int
    swaps: tuple[str, ...]


def poisson(target: Portrait, donor: Portrait) -> Image:
    """The donor's face, seamlessly blended (Perez, Gangnet and Blake, "Poisson image editing", 2003)."""
    warped, mask = lay_over(target, donor)
    coloured = match_colour(warped, target.patch, np.float32(mask / 255), strength=0.8)
    x, y, width, height = cv2.boundingRect(mask)
    middle = (x + width // 2, y + height // 2)
    return np.asarray(cv2.seamlessClone(coloured, target.patch, mask, middle, cv2.NORMAL_CLONE), np.uint8)


def soft(target: Portrait, donor: Portrait) -> Image:
    """The donor's face at a third of its detail, under a mask with a soft rim."""
    warped, mask = lay_over(target, donor)
    side = len(warped)
    small = cv2.resize(warped, (side // 3, side // 3), interpolation=cv2.INTER_AREA)
    coarse = cv2.resize(small, (side, side), interpolation=cv2.INTER_CUBIC).astype(np.uint8)
    coloured = match_colour(coarse, target.patch, np.float32(mask / 255), strength=0.5)
    share = cv2.GaussianBlur(np.float32(mask / 255), (0, 0), 6)[..., None]
    return np.uint8(np.rint(coloured * share + target.patch * (1 - share)))


SWAPS: dict[str, Callable[[Portrait, Portrait], Image]] = {"poisson": poisson, "soft": soft}


def lay_over(target: Portrait, donor: Portrait) -> tuple[Image, Image]:
    """The donor's face moved onto the target's key points, and the region that is exchanged (0 or 255)."""
    side = len(target.patch)
    move = fit_affine(donor.points, target.points)
    warped = cv2.warpAffine(
        donor.patch, move, (side, side), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    outline = move_points(OUTLINE, fit_affine(CANONICAL_POINTS, target.points))
    mask = np.zeros((side, side), np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull(np.rint(outline).astype(np.int32)), 255)
    return np.asarray(warped, np.uint8), mask


def plan_takes(originals: int, *, frames: int, seed: int) -> list[Take]:
    """Originals with one fake or two each; a few are dark, or have a poster on the wall or passing hands."""
    chance = np.random.default_rng(seed)
    takes = []
    for number in range(originals):
        hard = {3: {"brightness": 0.12}, 5: {"posters": 1}, 7: {"hands": 1}}.get(number % 10, {})
        scene = Scene(
            condition="challenge",
            level=0,
            seed=1000 * seed + number,
            face_px=float(chance.uniform(80, 120)),
            frames=frames,
            frames_per_second=10,
            **hard,
        )
        swaps = (("poisson",), ("soft",), ("poisson", "soft"))[number % 3]
        takes.append(Take(scene, number % 2, swaps))
    return takes


def write_set(folder: Path, takes: list[Take], portraits: list[Portrait]) -> None:
    """Draw every take into a folder, with its fakes and the table of labels."""
    folder.mkdir(parents=True, exist_ok=True)
    table: dict[str, dict[str, str | None]] = {}
    for number, take in enumerate(takes):
        actor, other = portraits[take.actor], portraits[1 - take.actor]
        name = f"clip{number:02}.mp4"
        # On the wall hangs the other one, in the original as in the fake.
        encode(folder / name, draw_scene(take.scene, Cast([actor])), crf=23)
        table[name] = {"label": "REAL", "split": "train", "original": None}
        for swap in take.swaps:
            fake = f"clip{number:02}_{swap}.mp4"
            swapped = replace(actor, patch=SWAPS[swap](actor, other))
            encode(folder / fake, draw_scene(take.scene, Cast([swapped])), crf=23)
            table[fake] = {"label": "FAKE", "split": "train", "original": name}
    (folder / "metadata.json").write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


def make_challenge(folder: Path, *, originals: int = 6, frames: int = 100) -> None:
    """Write ``train`` and ``test``; the test has half as many originals, none of them in training."""
    detector = load_detector(DetectSettings())
    portraits = [gather_cast(detector, half=half).portraits[0] for half in HALVES]
    write_set(folder / "train", plan_takes(originals, frames=frames, seed=1), portraits)
    write_set(folder / "test", plan_takes(max(2, originals // 2), frames=frames, seed=2), portraits)


def main() -> None:
    parser = argparse.ArgumentParser(description="Make a small data set in DFDC's layout.")
    parser.add_argument("folder", type=Path, help="where to")
    parser.add_argument("--originals", type=int, default=6, help="real clips of the training part")
    parser.add_argument("--frames", type=int, default=100, help="frames of a clip, 10 a second")
    given = parser.parse_args()
    make_challenge(given.folder, originals=given.originals, frames=given.frames)


if __name__ == "__main__":
    main()
