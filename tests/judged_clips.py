"""Clips that were judged without being looked at, where the answer is known."""

from dataclasses import replace

import numpy as np

from tiny_model import write_tiny_model
from unmask.config import JudgeSettings
from unmask.judge.card import read_card
from unmask.judge.footage import Look
from unmask.judge.verdict import Evidence
from unmask.lab.evaluate.clips import LabelledClip
from unmask.lab.evaluate.examine import Findings
from unmask.lab.evaluate.summary import Judged
from unmask.types import Face, Track


def findings(logit, *, people=1, model="m"):
    """What a look at a clip with faces of 100 px gives, without looking."""
    face = Face(np.array([0, 0, 100, 100], np.float32), np.zeros((5, 2), np.float32), 0.99)
    tracks = tuple(Track(i, tuple(range(10)), (face,) * 10) for i in range(people))
    logits = {i: dict.fromkeys(range(10), logit - i) for i in range(people)}
    look = Look(True, 0.0, 10.0, 0.0, 10.0, Evidence(tuple(range(10)), tracks, logits))
    return Findings("", 640, 480, {model: (look,)}, 100.0, 120.0)


def judged(tmp_path, rows, *, name="m", calibration=None):
    card = read_card(write_tiny_model(tmp_path / name))
    if calibration is not None:
        card = replace(card, calibration=calibration)
    clips = [
        LabelledClip(f"{i}.mp4", f"{i}.mp4", fake, f"{i - fake}.mp4") for i, (fake, _) in enumerate(rows)
    ]
    return Judged(name, card, clips, [findings(x, model=name) for _, x in rows], JudgeSettings())


def paired_rows(count=20, gap=1.0, seed=0):
    rng = np.random.default_rng(seed)
    return [(i % 2 == 1, float(gap * (i % 2) + rng.normal())) for i in range(2 * count)]
