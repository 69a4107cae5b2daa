"""Change one thing at a time: short runs from one start, and what each change did.

    python recipes/levers.py recipes/levers.toml -o runs/levers --into docs/pseudo_fakes.md

Each run is a folder of its own under the output and goes on where it was stopped; ``--only`` picks some.
Fakes and reals of the recipe's validation are scored, and the real people whom it holds out. A difference is
that to the run without a change, on the same clips, with the 95 % interval from resampling source clips.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from unmask.crops.shards import CropReader, read_index
from unmask.evaluate.bootstrap import Difference, compare
from unmask.evaluate.metrics import Scored, auc, pair_accuracy
from unmask.files import read_toml, write_whole
from unmask.train.build import predictor
from unmask.train.join import load_run
from unmask.train.log import LOG_NAME
from unmask.train.loop import AUTOENCODER_NAME, RECIPE_NAME
from unmask.train.recipe import Recipe, change_table, resolve_recipe
from unmask.train.run import train
from unmask.train.validate import score_samples

MARKS = ("<!-- levers: begin -->\n", "<!-- levers: end -->\n")
SCORES_NAME = "scores.json"
UNCHANGED = "nothing"

Changes = Mapping[str, str | Mapping[str, object]]


def _sized(size_px: int) -> Changes:
    return {"view": {"size_px": size_px}, "pairs": {"size_px": size_px, "last_size_px": size_px}}


LEVERS: dict[str, Changes] = {
    UNCHANGED: {},
    "seed 2": {"loop": {"seed": 2}},
    "seed 3": {"loop": {"seed": 3}},
    "crops of 160 px": _sized(160),
    "crops of 256 px": _sized(256),
    "crops stored with up to 320 px": {"crops": ".data/train"},
    "tight crops": {"view": {"margin_fraction": 0.1}, "pairs": {"margin_fractions": [0.0, 0.25]}},
    "every pair through a codec": {"pairs": {"clean_share": 0.0}},
    "no pair through a codec": {"pairs": {"clean_share": 1.0}},
    "self-blends only": {"pairs": {"swap_share": 0.0}},
    "swaps only": {"pairs": {"swap_share": 1.0}},
    "no autoencoder": {"pairs": {"neural_share": 0.0}},
    "autoencoder in 60 %": {"pairs": {"neural_share": 0.6}},
    "videos only": {"pairs": {"source_weights": {"real_videos": 1.0}}},
    "photos only": {"pairs": {"source_weights": {"headshots": 0.48, "webfaces": 0.33, "lfw": 0.19}}},
    "no ranking loss": {"loop": {"rank_weight": 0.0}},
    "no mask loss": {"loop": {"mask_weight": 0.0}},
    "neither ranking nor mask loss": {"loop": {"rank_weight": 0.0, "mask_weight": 0.0}},
    "the harder half of the pairs": {"loop": {"hard_share": 0.5}},
    "sharpness-aware": {"loop": {"sam_radius": 0.05}},
    "no running average": {"loop": {"ema_decay": 0.0}},
    "fine detail only": {"loop": {"sees": "detail"}},
}


def main() -> None:
    given = read_options()
    base = read_toml(given.recipe)
    crops = resolve_recipe(base).crops  # held-out people are scored on the same crops after every run
    folders = {name: given.output / name.replace(" ", "_") for name in LEVERS}
    for name, folder in folders.items():
        if given.only and name not in given.only:
            continue
        recipe = resolve_recipe(change_table(base, LEVERS[name]))
        if not is_scored(recipe, folder):
            lend_autoencoder(recipe, folder)
            train(recipe, folder, say=print, show=lambda numbers: None)
            write_whole(folder / SCORES_NAME, json.dumps(score(recipe, folder, crops)) + "\n")
    table = tabulate(folders)
    print(table)
    if given.into:
        text = given.into.read_text(encoding="utf-8")
        before, rest = text.split(MARKS[0])
        write_whole(given.into, before + MARKS[0] + table + MARKS[1] + rest.split(MARKS[1])[1])


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recipe", type=Path, help="the run that each lever changes in one place")
    parser.add_argument("-o", "--output", type=Path, required=True, help="a folder of runs")
    parser.add_argument("--only", action="append", choices=list(LEVERS), help="this lever; may be repeated")
    parser.add_argument("--into", type=Path, help="a document to write the table into, between its marks")
    return parser.parse_args()


def is_scored(recipe: Recipe, folder: Path) -> bool:
    """Whether a run of this very recipe was scored; one of another recipe refuses to be trained on."""
    if not (folder / SCORES_NAME).exists():
        return False
    made_by = json.loads((folder / RECIPE_NAME).read_text(encoding="utf-8"))
    return resolve_recipe(made_by) == recipe  # what it does not say has its default


def lend_autoencoder(recipe: Recipe, folder: Path) -> None:
    """Give a run the autoencoder of the run that it begins with, so that all have the same."""
    if recipe.pairs.neural_share and not (folder / AUTOENCODER_NAME).exists():
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(Path(recipe.loop.start) / AUTOENCODER_NAME, folder / AUTOENCODER_NAME)


def score(recipe: Recipe, folder: Path, crops: Path) -> dict[str, list[Any]]:
    """Label, mean logit and source clip of everybody in validation, and of the real people held out.

    Args:
        recipe: Of the run.
        folder: Of the run.
        crops: Where the crops of held-out people lie.
    """
    stored = [(CropReader(path), s) for path in recipe.validation.values() for s in read_index(path)]
    held_out = recipe.pairs.held_out
    reader = CropReader(crops)
    stored += [(reader, s) for s in read_index(crops) if s.identity.startswith(held_out)]
    found = score_samples(predictor(load_run(folder)), stored, recipe.view)
    kept = [sample.identity.startswith(held_out) for _, sample in stored]
    return {
        "fake": found.fake.tolist(),
        "logit": found.p_fake.tolist(),
        "source": found.source.tolist(),
        "held_out": kept,
    }


def tabulate(folders: Mapping[str, Path]) -> str:
    """A row a lever that was scored, best against all reals first."""
    found = {
        name: json.loads((folder / SCORES_NAME).read_text(encoding="utf-8"))
        for name, folder in folders.items()
        if (folder / SCORES_NAME).exists()
    }
    if UNCHANGED not in found:
        raise SystemExit(f"the run without a change must be there to compare with; add --only {UNCHANGED!r}")
    base_all, base_clips = scored(found[UNCHANGED], held_out=True), scored(found[UNCHANGED], held_out=False)
    rows = []
    for name, scores in found.items():
        everybody, clips = scored(scores, held_out=True), scored(scores, held_out=False)
        seconds = median(step_seconds(folders[name])) / median(step_seconds(folders[UNCHANGED]))
        rows.append(
            (
                auc(everybody),
                f"| {name} | {auc(clips):.2f} | {pair_accuracy(clips):.2f} | {auc(everybody):.2f} | "
                f"{_tell(compare(clips, base_clips, {'auc': auc})['auc'])} | "
                f"{_tell(compare(everybody, base_all, {'auc': auc})['auc'])} | {seconds:.1f} x |",
            )
        )
    head = (
        "| changed | AUC, 40 clips | pairs | AUC, all reals | difference, 40 clips | difference, all reals "
        "| cost of a step |\n|---|---:|---:|---:|---:|---:|---:|\n"
    )
    return head + "".join(row + "\n" for _, row in sorted(rows, reverse=True))


def scored(scores: Mapping[str, list[Any]], *, held_out: bool) -> Scored:
    """Scores with or without the people who are held out."""
    rows = np.array([held_out or not kept for kept in scores["held_out"]])
    fake, logit, source = (np.array(scores[key])[rows] for key in ("fake", "logit", "source"))
    return Scored(fake, logit, source)


def step_seconds(folder: Path) -> list[float]:
    """Seconds of each step of a run, by its log; images are the same number in all."""
    lines = [json.loads(line) for line in (folder / LOG_NAME).read_text(encoding="utf-8").splitlines()]
    return [1 / line["images_per_second"] for line in lines if line["images_per_second"]]


def _tell(difference: Difference) -> str:
    return f"{difference.value:+.2f} ({difference.low:+.2f} to {difference.high:+.2f})"


if __name__ == "__main__":
    main()
