"""Scores of a network on packed, labelled crops, video by video."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from unmask.config import CropSettings
from unmask.lab.crops.framing import view_centre
from unmask.lab.evaluate.metrics import Scored
from unmask.lab.train.samplers import Stored

CROPS_PER_PERSON = 12


def score_samples(
    predict: Callable[[NDArray[np.uint8]], NDArray[np.floating]],
    stored: Sequence[Stored],
    view: CropSettings,
) -> Scored:
    """Score every sample with up to `CROPS_PER_PERSON` evenly spread crops each.

    Args:
        predict: Logits, shape (T,), of one person's crops, shape (T, 3, S, S), uint8.
        stored: Labelled samples with their readers.
        view: The crop to cut.

    Returns:
        Labels and mean logits, which stand in for probabilities where only order counts.

    Raises:
        DataError: One of the classes is missing, or a crop is damaged.
    """
    logits = []
    for reader, sample in stored:
        numbers = np.unique(np.linspace(0, len(sample) - 1, CROPS_PER_PERSON).round().astype(int))
        stored_margin = sample.margin_fraction
        crops = np.stack(
            [
                view_centre(reader.read(sample, int(number))[0], view, stored_margin=stored_margin)
                for number in numbers
            ]
        )
        logits.append(float(np.mean(predict(np.ascontiguousarray(crops.transpose(0, 3, 1, 2))))))
    return Scored(
        np.array([sample.label == "FAKE" for _, sample in stored]),
        np.array(logits),
        np.array([sample.original for _, sample in stored]),
    )
