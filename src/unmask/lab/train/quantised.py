"""The 8-bit form of what was trained, calibrated on real crops that it was trained on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from unmask.lab.crops.framing import view_centre
from unmask.lab.crops.shards import CropReader, read_index
from unmask.lab.models.quantise import Batch, compare_onnx, quantise_onnx
from unmask.lab.train.recipe import Recipe
from unmask.lab.train.samplers import Stored
from unmask.lab.train.sources import Sources

CALIBRATION_PEOPLE, COMPARED_PEOPLE, FRAMES = 64, 16, 2


def export_int8(file: Path, target: Path, sources: Sources, recipe: Recipe) -> dict[str, float]:
    """Write the 8-bit form of an exported network and compare it on crops of other people.

    Args:
        file: The exported network.
        target: Where to.
        sources: Validation crops are compared on where there are any, else training crops.
        recipe: What was trained.

    Returns:
        What `compare_onnx` measured.
    """
    trained = [(CropReader(recipe.crops), sample) for sample in read_index(recipe.crops)]
    others = [item for items in sources.validation.values() for item in items] or trained[::-1]
    quantise_onnx(file, target, _batches(trained, recipe, people=CALIBRATION_PEOPLE))
    return compare_onnx(file, target, _batches(others, recipe, people=COMPARED_PEOPLE))


def _batches(stored: Sequence[Stored], recipe: Recipe, *, people: int) -> list[Batch]:
    """A few frames of some people, evenly taken from all, as the network takes them."""
    chosen = np.unique(np.linspace(0, len(stored) - 1, people).round().astype(int))
    batches = []
    for reader, sample in (stored[i] for i in chosen):
        numbers = np.linspace(0, len(sample) - 1, FRAMES).round().astype(int)
        margin = sample.margin_fraction
        images = [reader.read(sample, int(number))[0] for number in numbers]
        views = [view_centre(image, recipe.view, stored_margin=margin) for image in images]
        crops = np.ascontiguousarray(np.stack(views).transpose(0, 3, 1, 2))
        batches.append(crops[None] if recipe.clip else crops)
    return batches
