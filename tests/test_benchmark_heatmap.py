"""Whether a heat map bears the verdict: what is counted, and that reports print what was measured."""

import importlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from unmask.judge.heat_trials import CHANCE, TRIALS, HeatTrial, trial_of

ROOT = Path(__file__).resolve().parents[1]
SIDE = 64


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    yield importlib.import_module("heatmap")
    sys.modules.pop("heatmap", None)


class Eye:
    """Sees the detail of a part of a face, or, when it is none, of all of it."""

    def __init__(self, part):
        self._part = part

    def logits(self, images):
        seen = images[:, 0, *self._part].astype(np.float32)
        return np.abs(np.diff(seen, axis=2)).mean(axis=(1, 2))


@pytest.fixture
def crops():
    return np.random.default_rng(0).integers(0, 255, (3, 3, SIDE, SIDE), dtype=np.uint8)


def test_a_map_bears_the_verdict_where_a_network_looks_at_one_place(script, crops):
    eye = Eye((slice(0, 12), slice(0, 12)))
    found = script.try_map(eye, crops, np.random.default_rng(1))
    assert found.bears and found.marked < found.plain and len(found.random) == 10


def test_a_map_bears_nothing_where_covering_only_raises_the_score(script, crops):
    class Contrary(Eye):
        def logits(self, images):
            return -super().logits(images)

    found = script.try_map(Contrary((slice(None), slice(None))), crops, np.random.default_rng(1))
    assert not found.bears and found.marked > found.plain


def test_the_share_has_an_interval_and_only_a_whole_one_above_chance_counts(script):
    rows = [{"bears": True}] * 6 + [{"bears": False}]
    assert script.summed_up(rows).beats_chance and not script.summed_up(rows[6:] * 7).beats_chance
    assert not script.summed_up(rows[5:] + rows[6:]).beats_chance  # too few to know
    assert pytest.approx(1 / 11) == CHANCE


def test_reports_print_what_was_measured(script):
    measured = json.loads((ROOT / "docs" / "lab" / "heatmap.json").read_text(encoding="utf-8"))
    assert json.loads(TRIALS.read_text(encoding="utf-8")) == script.published(measured)
    for sha256, found in measured.items():
        assert trial_of(sha256) == script.summed_up(found["rows"])
        assert all(
            row["bears"] == (row["marked"] < min(row["logit"], *row["random"])) for row in found["rows"]
        )
    assert trial_of("0" * 64) is None and HeatTrial(**next(iter(script.published(measured).values())))


def test_shipped_weights_were_tried(script):
    weights = ROOT / "src" / "unmask" / "judge" / "weights"
    cards = [json.loads(file.read_text(encoding="utf-8")) for file in weights.glob("*.json")]
    assert all(trial_of(card["sha256"]) for card in cards if "sha256" in card)
