"""Change one thing at a time: short runs from one start, and what each change did.

    python recipes/levers.py recipes/levers.toml -o runs/levers --into docs/lab/pseudo_fakes.md

The table ``[levers]`` of the recipe names each change: ``[levers."seed 2".loop]`` changes keys of ``[loop]``.
Each run is a folder of its own under the output and goes on where it was stopped; ``--only`` picks some. The
recipe's validation sets are scored. A difference is that to the run without a change, on the same people, and
has the 95 % interval from resampling their originals.
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

from unmask.files import read_toml, write_whole
from unmask.lab.crops.shards import CropReader, read_index
from unmask.lab.evaluate.bootstrap import Difference, compare
from unmask.lab.evaluate.metrics import Scored, auc, pair_accuracy
from unmask.lab.train.build import predictor
from unmask.lab.train.log import LOG_NAME
from unmask.lab.train.loop import AUTOENCODER_NAME, RECIPE_NAME, Trainer
from unmask.lab.train.recipe import Recipe, change_table, resolve_recipe
from unmask.lab.train.run import train
from unmask.lab.train.validate import score_samples

MARKS = ("<!-- levers: begin -->\n", "<!-- levers: end -->\n")
SCORES_NAME = "scores.json"
UNCHANGED = "nothing"
TABLE_NAME = "levers"


def main() -> None:
    given = read_options()
    base = read_toml(given.recipe)
    levers: dict[str, dict[str, Any]] = {UNCHANGED: {}} | base.pop(TABLE_NAME)
    unknown = sorted(set(given.only or ()) - set(levers))
    if unknown:
        raise SystemExit(f"--only must be one of {', '.join(levers)}, got {unknown[0]!r}")
    crops = resolve_recipe(base).crops  # held-out people are scored on the same crops after every run
    folders = {name: given.output / name.replace(" ", "_") for name in levers}
    for name, folder in folders.items():
        if given.only and name not in given.only:
            continue
        recipe = resolve_recipe(change_table(base, levers[name]))
        if not is_scored(recipe, folder):
            lend_autoencoder(recipe, folder)
            trainer = train(recipe, folder, say=print, show=lambda numbers: None)
            if not trainer.done:
                return
            write_whole(folder / SCORES_NAME, json.dumps(score(trainer, crops)) + "\n")
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
    parser.add_argument("--only", action="append", help="this lever; may be repeated")
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


def score(trainer: Trainer, crops: Path) -> dict[str, dict[str, list[Any]]]:
    """Label, mean logit and source clip of everybody in each validation set.

    Where a recipe holds real people out by name, every set is there a second time with them added.

    Args:
        trainer: Of a run that is done.
        crops: Where the crops of held-out people lie.
    """
    if not trainer.scores:  # it was done before it was scored
        trainer.validate()
    sets = dict(trainer.scores)
    held_out, reader = trainer.recipe.pairs.held_out, CropReader(crops)
    stored = read_index(crops) if held_out else []
    strangers = [(reader, s) for s in stored if s.identity.startswith(held_out)]
    if strangers:
        predict, view = predictor(trainer.average), trainer.recipe.view
        for name, kept in trainer.sources.validation.items():
            sets[f"{name}, all reals"] = score_samples(predict, [*kept, *strangers], view)
    return {
        name: {"fake": s.fake.tolist(), "logit": s.p_fake.tolist(), "source": s.source.tolist()}
        for name, s in sets.items()
    }


def tabulate(folders: Mapping[str, Path]) -> str:
    """A row a lever that was scored, best on the last validation set first."""
    found = {
        name: {key: scored(value) for key, value in json.loads((folder / SCORES_NAME).read_text()).items()}
        for name, folder in folders.items()
        if (folder / SCORES_NAME).exists()
    }
    if UNCHANGED not in found:
        raise SystemExit(f"the run without a change must be there to compare with; add --only {UNCHANGED!r}")
    base = found[UNCHANGED]
    rows = []
    for name, sets in found.items():
        cells = [name]
        for key in base:  # a change may bring a validation set of its own
            scores = sets[key]
            apart = compare(scores, base[key], {"auc": auc})["auc"]
            cells += [f"{auc(scores):.3f}", f"{pair_accuracy(scores):.3f}", _tell(apart)]
        seconds = median(step_seconds(folders[name])) / median(step_seconds(folders[UNCHANGED]))
        rows.append((auc(scores), " | ".join([*cells, f"{seconds:.1f} x"])))
    head = ["changed"]
    for key in base:
        head += [f"{key}: AUC", "pairs", "difference of the AUC"]
    lines = [" | ".join([*head, "cost of a step"]), "|".join(["---", *["---:"] * len(head)])]
    lines += [row for _, row in sorted(rows, reverse=True)]
    return "".join(f"| {line} |\n" for line in lines)


def scored(scores: Mapping[str, list[Any]]) -> Scored:
    """Scores as they were stored."""
    return Scored(*(np.array(scores[key]) for key in ("fake", "logit", "source")))


def step_seconds(folder: Path) -> list[float]:
    """Seconds of each step of a run, by its log; images are the same number in all."""
    lines = [json.loads(line) for line in (folder / LOG_NAME).read_text(encoding="utf-8").splitlines()]
    return [1 / line["images_per_second"] for line in lines if line["images_per_second"]]


def _tell(difference: Difference) -> str:
    return f"{difference.value:+.3f} ({difference.low:+.3f} to {difference.high:+.3f})"


if __name__ == "__main__":
    main()
