"""Detectors from elsewhere, measured by the same command on the same faces.

A peer is a function from a file of weights to a `CropScorer`: an object with a card, which says how faces
are cut for it, and a method from crops to logits. ``docs/lab/peers.md`` shows how to add one.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from unmask.judge.score import CropScorer


def _meso4(weights: Path) -> CropScorer:
    from unmask.lab.zoo.mesonet import load_meso

    return load_meso(weights, "meso4")


def _mesoinception4(weights: Path) -> CropScorer:
    from unmask.lab.zoo.mesonet import load_meso

    return load_meso(weights, "mesoinception4")


PEERS: dict[str, Callable[[Path], CropScorer]] = {
    "meso4": _meso4,
    "mesoinception4": _mesoinception4,
}
"""By the name that ``unmask evaluate --peer NAME=WEIGHTS`` takes."""
