"""A whole small project as a team has it at the end, each part written by the command that a user gives."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from command_line import run
from labelled_clips import write_labelled
from tiny_model import write_tiny_model
from tiny_recipe import write_recipe
from training_data import store_people


@dataclass(frozen=True)
class Project:
    """Where everything lies."""

    videos: Path
    index: Path
    crops: Path
    report: Path
    runs: Path
    submission: Path
    timing: Path

    @property
    def all(self):
        """What `unmask present` takes."""
        return [self.index, self.crops, self.report, self.runs, self.submission, self.timing]


def make_project(folder: Path) -> Project:
    """Index, extract, evaluate, train twice and submit."""
    videos = write_labelled(folder / "videos", originals=2)
    card = write_tiny_model(folder / "model")
    made = Project(
        videos, *(folder / name for name in ("index.parquet", "crops", "report", "runs")),
        folder / "submission.csv", folder / "submission.json",
    )  # fmt: skip
    assert run("data", "index", videos, "-o", made.index) == 0
    assert run("extract", made.index, "-o", made.crops, "--workers", 1) == 0
    assert run("evaluate", made.index, "--model", card, "-o", made.report, "--frames", 8) == 0
    _train(folder / "data", made.runs)
    command = ["submit", videos, "-o", made.submission, "--model", card, "--json"]
    told = subprocess.run(
        [sys.executable, "-m", "unmask", *map(str, command)], capture_output=True, text=True, check=True
    )
    made.timing.write_text(told.stdout, encoding="utf-8")
    assert json.loads(told.stdout)["rows"] == 6
    return made


def _train(data: Path, runs: Path) -> None:
    store_people(data / "train", [("ann", "REAL"), ("ben", "REAL")], frames=4)
    store_people(data / "val", [("carl", "REAL"), ("f-of-carl", "FAKE")], frames=4)
    for name, weight in (("ranked", 0.5), ("unranked", 0.0)):
        changes = [('backbone = "tiny"', f'backbone = "tiny"\nrank_weight = {weight}')]
        recipe = write_recipe(data, data, changes=changes)
        assert run("train", recipe, "-o", runs / name) == 0
