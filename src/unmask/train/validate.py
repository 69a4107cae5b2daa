"""Scores of a network on packed, labelled crops, video by video."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from unmask.config import CropSettings
from unmask.data.pairs import view_centre
from unmask.data.shards import CropReader, Sample, read_index

CROPS_PER_PERSON = 12


@dataclass(frozen=True, slots=True)
class VideoScores:
    """Logits of the people of a labelled set.

    Attributes:
        samples: One a person and clip.
        logits: Mean over the crops, shape (N,).
    """

    samples: list[Sample]
    logits: NDArray[np.float64]

    @property
    def fake(self) -> NDArray[np.bool_]:
        """Which are labelled fake, shape (N,)."""
        return np.array([sample.label == "FAKE" for sample in self.samples])

    def auc(self) -> float:
        """Area under the ROC curve; not a number when one class is absent."""
        return (
            float(roc_auc_score(self.fake, self.logits))
            if 0 < self.fake.sum() < len(self.fake)
            else float("nan")
        )

    def pair_accuracy(self) -> float:
        """Share of fakes above their own original; not a number without pairs."""
        reals = {s.key: x for s, x in zip(self.samples, self.logits, strict=True) if s.label == "REAL"}
        pairs = [
            x > reals[s.original]
            for s, x in zip(self.samples, self.logits, strict=True)
            if s.label == "FAKE" and s.original in reals
        ]
        return float(np.mean(pairs)) if pairs else float("nan")


def score_videos(
    predict: Callable[[NDArray[np.uint8]], NDArray[np.floating]], folder: Path, view: CropSettings
) -> VideoScores:
    """Score every sample of a folder with up to `CROPS_PER_PERSON` evenly spread crops each.

    Args:
        predict: Logits, shape (T,), of crops, shape (T, 3, S, S), uint8.
        folder: Packed crops.
        view: The crop to cut.
    """
    reader, samples = CropReader(folder), read_index(folder)
    logits = []
    for sample in samples:
        numbers = np.unique(np.linspace(0, len(sample) - 1, CROPS_PER_PERSON).round().astype(int))
        crops = np.stack([view_centre(reader.read(sample, int(number))[0], view) for number in numbers])
        logits.append(float(np.mean(predict(np.ascontiguousarray(crops.transpose(0, 3, 1, 2))))))
    return VideoScores(samples, np.array(logits))
