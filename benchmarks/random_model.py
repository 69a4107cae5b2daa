"""Writes a model with random weights, of the size and speed of the shipped one; its verdicts mean nothing.

    python benchmarks/random_model.py FOLDER

Needs the extra ``train``.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

from unmask.models.card import Card, write_card
from unmask.models.export import export_onnx
from unmask.models.frame_net import MEAN, STD, FrameNet
from unmask.verdict import Calibration, Thresholds


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    file, size_px = folder / "random.onnx", 224
    export_onnx(FrameNet("lite0", pretrained=False), file, size_px=size_px)
    card = Card(
        name="random",
        version="0",
        file=file.name,
        sha256=hashlib.sha256(file.read_bytes()).hexdigest(),
        size_px=size_px,
        margin_fraction=0.3,
        detector="mtcnn",
        mean=(MEAN, MEAN, MEAN),
        std=(STD, STD, STD),
        person_rule="mean",
        calibration=Calibration(temperature=1.0, bias=0.0),
        thresholds=Thresholds(fake_at_least=0.5, real_at_most=0.5),
        licence="Apache-2.0",
        training_data=("none",),
        terms="to measure time with",
        recipe="benchmarks/random_model.py",
        commit="none",
        scores={},
        limits=("Its weights are random.",),
    )
    write_card(card, folder / "random.json")


if __name__ == "__main__":
    main()
