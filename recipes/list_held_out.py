"""List the clips that a mixture did not learn from, as `recipes/publish.py` calibrates on them.

    python recipes/list_held_out.py recipes/mixture3.toml --root DATA --root DATA/generated -o held_out.csv

They are the validation part of the recipe's labelled crops. A fake belongs to its group (a person or a pair
of people), so that resampling keeps a group together.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

from unmask.lab.train.labelled import open_folders, split_people
from unmask.lab.train.recipe import read_recipe


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recipe", type=Path, help="one with labelled crops")
    parser.add_argument(
        "--root", type=Path, action="append", required=True, help="what the index's paths start from"
    )
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()
    recipe = read_recipe(options.recipe)
    if recipe.labelled is None:
        raise SystemExit(f"{options.recipe} must have a table [labelled]")
    _, kept = split_people(
        open_folders(recipe.labelled.folders),
        share=recipe.labelled.validation_share,
        held_out=recipe.pairs.held_out,
    )
    rows = set()
    for _, sample in kept:
        file = next((root / sample.video for root in options.root if (root / sample.video).is_file()), None)
        if file is None:
            raise SystemExit(f"{sample.video} must lie under a --root")
        group = "" if sample.label == "REAL" else f"group-{sample.identity}"
        rows.add((str(file.resolve()), sample.label, group))
    with options.output.open("w", newline="") as table:
        writer = csv.writer(table, lineterminator="\n")
        writer.writerow(["path", "label", "original"])
        writer.writerows(sorted(rows))
    print(f"{len(rows)} clips, {sum(label == 'FAKE' for _, label, _ in rows)} of them fakes")


if __name__ == "__main__":
    main()
