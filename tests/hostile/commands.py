"""The commands that write, each on something tiny, and what they leave."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from labelled_clips import write_labelled
from tiny_model import write_tiny_model
from tiny_recipe import write_recipe
from training_data import store_people

NAMES = ("extract", "submit", "train", "evaluate", "calibrate", "model get")
MEASURED = ("images_per_second", "share_waiting")


@dataclass(frozen=True)
class Command:
    """A command on tiny data.

    Attributes:
        name: Of the command.
        arguments: For an output folder.
        left_out: Of the files that it leaves, those whose bytes a clock decides.
        environment: For an output folder.
    """

    name: str
    arguments: Callable[[Path], list[object]]
    left_out: tuple[str, ...] = ()
    environment: Callable[[Path], Mapping[str, str]] = field(default=lambda folder: {})

    def leaves(self, folder: Path) -> dict[str, bytes]:
        """What is in an output folder, by name, as far as it must be the same after every run."""
        files = sorted(file for file in folder.rglob("*") if file.is_file())
        names = {str(file.relative_to(folder)): file for file in files}
        return {
            name: _without_times(file)
            for name, file in names.items()
            if not name.startswith(self.left_out or "\0")
        }


def make_commands(folder: Path, names: tuple[str, ...] = NAMES) -> list[Command]:
    """The commands, and their data.

    Args:
        folder: For the data.
        names: Of the commands that are wanted.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return [_MAKERS[name](folder / name.replace(" ", "-")) for name in names]


def _extract(folder: Path) -> Command:
    clips = write_labelled(folder, originals=2)
    options = ["--workers", 1, "--frames", 3, "--shard-videos", 2]
    return Command("extract", lambda out: ["extract", clips, "-o", out, *options], ("timings",))


def _submit(folder: Path) -> Command:
    clips, card = write_labelled(folder / "clips", originals=2), write_tiny_model(folder / "model")
    options = ["--model", card, "--frames", 3, "--jobs", 1]
    return Command("submit", lambda out: ["submit", clips, "-o", out / "submission.csv", *options])


def _train(folder: Path) -> Command:
    folder.mkdir()
    store_people(folder / "train", [("ann", "REAL"), ("ben", "REAL")])
    store_people(folder / "val", [("carl", "REAL"), ("f-of-carl", "FAKE")])
    recipe = write_recipe(folder, folder)
    return Command("train", lambda out: ["train", recipe, "-o", out], ("tensorboard",))


def _evaluate(folder: Path) -> Command:
    clips, card = write_labelled(folder / "clips", originals=3), write_tiny_model(folder / "model")
    options = ["--model", card, "--frames", 3, "--jobs", 1]
    return Command("evaluate", lambda out: ["evaluate", clips, "-o", out, *options])


def _calibrate(folder: Path) -> Command:
    clips = write_labelled(folder / "clips", originals=3, odd=False)
    card = write_tiny_model(folder / "model")
    options = ["--model", card, "--frames", 3, "--jobs", 1]
    return Command("calibrate", lambda out: ["calibrate", clips, "-o", out / "card.json", *options])


def _get(folder: Path) -> Command:
    """From the hub that HF_ENDPOINT names."""
    from lab_hub import endpoint

    def environment(out: Path) -> dict[str, str]:
        return {"UNMASK_CACHE": str(out), "HF_ENDPOINT": endpoint(), "HF_TOKEN_PATH": str(folder / "none")}

    return Command("model get", lambda out: ["model", "get", "gend-clip-l14"], environment=environment)


_MAKERS: dict[str, Callable[[Path], Command]] = {
    "extract": _extract,
    "submit": _submit,
    "train": _train,
    "evaluate": _evaluate,
    "calibrate": _calibrate,
    "model get": _get,
}


def _without_times(file: Path) -> bytes:
    if file.name != "log.jsonl":
        return file.read_bytes()
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    kept = [{name: value for name, value in row.items() if name not in MEASURED} for row in rows]
    return json.dumps(kept).encode()
