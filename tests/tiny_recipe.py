"""A recipe that trains a tiny network on a few packed crops within a second or two."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

RECIPE = """
name = "tiny"
crops = "{folder}/train"
[validation]
val = "{folder}/val"
[view]
size_px = 32
[pairs]
size_px = 32
last_size_px = 32
pairs_per_step = 2
source_weights = {{ photos = 1.0 }}
[loop]
backbone = "tiny"
steps = 4
warmup_steps = 1
cooldown_steps = 2
checkpoint_every = 2
validate_every = 2
workers = 0
"""
CLIP = "[clip]\nframes = 3\nhidden = 16\n"
LABELLED = '[labelled]\nfolders = ["{folder}/labelled"]\ncrops_per_step = 2\n'


def write_recipe(data: Path, folder: Path, *, more="", changes: Iterable[tuple[str, str]] = ()) -> Path:
    """The recipe for the crops under ``data``, with tables added and texts exchanged."""
    text = RECIPE + more
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    file = folder / "recipe.toml"
    file.write_text(text.format(folder=data))
    return file


def read_log(folder: Path) -> list[dict[str, float]]:
    """A line a step."""
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def silent(numbers):
    """Reports nothing."""
