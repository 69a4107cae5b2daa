"""Ask whether anything but the face tells the fakes of a recipe from its reals.

    pip install '.[train]'
    python recipes/probe.py recipes/mixture2.toml --steps 150

Batches are made as training makes them. Of each crop only a rim is looked at, an eighth of its side wide
and outside what was manipulated; boosted trees learn the class from its colours, its sharpness at four
scales, its noise and the grid of a codec. An AUC near 0.5, on people they have not seen, means that size,
framing, light and codec give nothing away; a high one means that a network could learn the source instead of
the forgery.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from unmask.lab.evaluate.bootstrap import measure
from unmask.lab.evaluate.metrics import Scored, auc
from unmask.lab.train.build import make_batches
from unmask.lab.train.feed import StepBatch
from unmask.lab.train.recipe import Recipe, read_recipe
from unmask.lab.train.samplers import SAMPLERS, People, throw_dice
from unmask.lab.train.sources import open_sources

RIM_SHARE = 1 / 8
FOLDS = 5

Numbers = NDArray[np.float64]


class Rim(NamedTuple):
    """What is known of the surroundings of one face.

    Attributes:
        kind: Which part of the mixture it belongs to.
        fake: Whether the face is one.
        group: Who it is, or which step's pairs; a group is in one fold.
        numbers: What the rim shows.
        control: The same with each fake blurred a little, which must be noticed.
    """

    kind: str
    fake: bool
    group: str
    numbers: Numbers
    control: Numbers


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--steps", type=int, default=150, help="batches to look at")
    options = parser.parse_args()
    rims = list(read_rims(read_recipe(options.recipe), options.steps))
    print("| part | crops | people or pairs | AUC of the rim (95 % interval) | were fakes blurred a little |")
    print("|---|---:|---:|---:|---:|")
    for kind in dict.fromkeys(rim.kind for rim in rims):
        own = [rim for rim in rims if rim.kind == kind]
        fake, groups = np.array([rim.fake for rim in own]), np.array([rim.group for rim in own])
        scores, noticed = (
            probe(fake, groups, np.stack(numbers))
            for numbers in zip(*((rim.numbers, rim.control) for rim in own), strict=True)
        )
        figure = measure(Scored(fake, scores, groups), {"auc": auc})["auc"]
        control = auc(Scored(fake, noticed, groups))
        told = f"{figure.value:.2f} ({figure.low:.2f} to {figure.high:.2f}) | {control:.2f}"
        print(f"| {kind} | {len(own)} | {len(np.unique(groups))} | {told} |")


def read_rims(recipe: Recipe, steps: int) -> Iterator[Rim]:
    """The rims of every crop of the first batches."""
    sources = open_sources(recipe)
    batches = make_batches(recipe, sources, steps=recipe.loop.steps)
    forged = recipe.pairs.pairs_per_step
    for step in track(range(steps), "batches"):
        batch = batches[step]
        if not isinstance(batch, StepBatch):
            raise SystemExit(batch.message)
        half = len(batch.masks) // 2
        images = batch.crops.numpy()
        changed = batch.masks.numpy()[half:] > 0
        for number in range(2 * half):
            place, fake = number % half, number >= half
            kind = "pseudo-fakes" if place < forged else "aligned pairs"
            yield Rim(kind, fake, f"{step}-{place}", *both(images[number], changed[place], fake=fake))
        if sources.people is None or recipe.labelled is None:
            continue
        for turn, label in enumerate(batch.fake):
            fake, person = bool(label), who(sources.people, recipe, step, turn)
            nothing = np.zeros((1, 1), bool)
            yield Rim("labelled", fake, person, *both(images[2 * half + turn], nothing, fake=fake))


def both(crop: NDArray[np.uint8], changed: NDArray[np.bool_], *, fake: bool) -> tuple[Numbers, Numbers]:
    """What a rim shows, and what it would if fakes were blurred."""
    numbers = describe(crop, changed)
    if not fake:
        return numbers, numbers
    blurred = cv2.GaussianBlur(crop.transpose(1, 2, 0), (0, 0), 0.8).transpose(2, 0, 1)
    return numbers, describe(blurred, changed)


def who(people: People, recipe: Recipe, step: int, turn: int) -> str:
    """Whom a labelled crop shows."""
    assert recipe.labelled is not None
    draw = SAMPLERS[recipe.labelled.sampler](people, throw_dice(recipe.loop.seed, step, turn))
    return people.stored[draw.number][1].original


def describe(crop: NDArray[np.uint8], changed: NDArray[np.bool_]) -> Numbers:
    """Colour, sharpness, noise and codec of a rim.

    Args:
        crop: Shape (3, S, S).
        changed: Patches that were manipulated, shape (P, P).
    """
    image = np.ascontiguousarray(crop.transpose(1, 2, 0))
    side = len(image)
    width = round(side * RIM_SHARE)
    rim = np.ones((side, side), bool)
    rim[width:-width, width:-width] = False
    rim &= cv2.resize(changed.astype(np.uint8), (side, side), interpolation=cv2.INTER_NEAREST) == 0
    if not rim.any():
        return np.full(18, np.nan)
    light = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    colours = image[rim].astype(np.float64)
    sharp, smaller = [], light
    for _ in range(4):
        blurred = cv2.GaussianBlur(smaller, (0, 0), 1.0)
        shown = cv2.resize(np.abs(smaller - blurred), (side, side))
        sharp.append(float(np.log(shown[rim].mean() + 1e-3)))
        smaller = cv2.resize(blurred, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    noise = np.abs(light - cv2.medianBlur(light, 3))[rim]
    steps = np.abs(np.diff(light, axis=1, prepend=light[:, :1]))
    grid = [float(steps[:, phase::8][rim[:, phase::8]].mean()) for phase in range(8) if rim[:, phase].any()]
    return np.array(
        [
            *colours.mean(axis=0),
            *colours.std(axis=0),
            float(np.ptp(image[rim], axis=-1).mean()),
            *sharp,
            *np.diff(sharp),
            float(np.log(noise.mean() + 1e-3)),
            float((noise > 0).mean()),
            max(grid, default=0) / (float(np.mean(grid)) + 1e-3) if grid else 0.0,
            float(rim.mean()),
        ]
    )


def probe(fake: NDArray[np.bool_], groups: NDArray[np.str_], numbers: Numbers) -> Numbers:
    """The probability of a fake, by trees that learned on other groups."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.model_selection import GroupKFold, cross_val_predict

    trees = HistGradientBoostingClassifier(max_iter=100, max_depth=4)
    found = cross_val_predict(
        trees, numbers, fake, groups=groups, cv=GroupKFold(FOLDS), method="predict_proba"
    )
    return np.asarray(found[:, 1], np.float64)


if __name__ == "__main__":
    main()
