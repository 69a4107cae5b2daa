"""Scores of a network on packed, labelled crops, video by video."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unmask.config import CropSettings
from unmask.data.pairs import view_centre
from unmask.data.shards import CropReader, read_index
from unmask.evaluate.metrics import Scored

CROPS_PER_PERSON = 12


def score_videos(
    predict: Callable[[NDArray[np.uint8]], NDArray[np.floating]], folder: Path, view: CropSettings
) -> Scored:
    """Score every sample of a folder with up to `CROPS_PER_PERSON` evenly spread crops each.

    Args:
        predict: Logits, shape (T,), of crops, shape (T, 3, S, S), uint8.
        folder: Packed crops.
        view: The crop to cut.

    Returns:
        Labels and mean logits, which stand in for probabilities where only order counts.

    Raises:
        DataError: The folder lacks an index or one of the classes.
    """
    reader, samples = CropReader(folder), read_index(folder)
    logits = []
    for sample in samples:
        numbers = np.unique(np.linspace(0, len(sample) - 1, CROPS_PER_PERSON).round().astype(int))
        crops = np.stack([view_centre(reader.read(sample, int(number))[0], view) for number in numbers])
        logits.append(float(np.mean(predict(np.ascontiguousarray(crops.transpose(0, 3, 1, 2))))))
    return Scored(
        np.array([sample.label == "FAKE" for sample in samples]),
        np.array(logits),
        np.array([sample.original for sample in samples]),
    )
