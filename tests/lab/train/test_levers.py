"""Short runs that are changed in one place each, as ``recipes/levers.py`` makes and compares them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tiny_recipe import write_recipe
from training_data import store_people

SCRIPT = Path(__file__).resolve().parents[3] / "recipes" / "levers.py"
LEVERS = """
[levers."no ranking loss".loop]
rank_weight = 0.0
[levers."labelled clips".labelled]
folders = ["{folder}/labelled"]
crops_per_step = 2
"""


def test_levers_are_compared_with_the_run_without_a_change_and_not_run_twice(tmp_path):
    store_people(tmp_path / "train", [("a", "REAL"), ("b", "REAL")])
    store_people(tmp_path / "val", [(f"v{n}", "REAL") for n in range(3)] + [("w-of-v0", "FAKE")])
    store_people(
        tmp_path / "labelled",
        [(f"x{n}", "REAL") for n in range(4)] + [(f"y{n}-of-x{n}", "FAKE") for n in range(4)],
    )
    recipe = write_recipe(tmp_path, tmp_path, more=LEVERS)
    page = tmp_path / "page.md"
    page.write_text("above\n<!-- levers: begin -->\nold\n<!-- levers: end -->\nbelow\n")
    command = [sys.executable, SCRIPT, recipe, "-o", tmp_path / "runs", "--into", page]
    subprocess.run(command, check=True, capture_output=True, cwd=tmp_path)
    text = page.read_text()
    assert text.startswith("above\n") and text.endswith("below\n") and "old" not in text
    assert "| nothing |" in text and "| no ranking loss |" in text and "val: AUC" in text
    assert "+0.000 (+0.000 to +0.000)" in text  # a run against itself
    scores = {file: file.stat().st_mtime_ns for file in (tmp_path / "runs").rglob("scores.json")}
    assert len(scores) == 3
    assert "labelled: AUC" not in text  # the run without a change has no such set to compare with
    again = subprocess.run(command, check=True, capture_output=True, cwd=tmp_path, text=True)
    assert "| nothing |" in again.stdout
    assert all(file.stat().st_mtime_ns == then for file, then in scores.items())
