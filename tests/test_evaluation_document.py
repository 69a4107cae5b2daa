"""The tables of docs/lab/evaluation.md are made by a script, so that new weights need no typing."""

import importlib
import json
import sys
from pathlib import Path

import pytest

from judged_clips import judged, paired_rows
from unmask.lab.evaluate.ladder import CLEAN, summarise_ladder
from unmask.lab.evaluate.summary import summarise

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    yield importlib.import_module("evaluation")
    sys.modules.pop("evaluation", None)


@pytest.fixture
def report(tmp_path):
    one = judged(tmp_path, paired_rows(10))
    rungs = [{CLEAN: {"m": ruling.p_fake}, ("jpeg", 1): {"m": ruling.p_fake}} for ruling in one.rulings]
    summary = summarise([one], name="set", draws=30)
    summary["ladder"] = summarise_ladder(one.clips, rungs, {"m": one.card})
    cost = {"clips": 6, "cpu_seconds_per_clip": 3.5, "hours": 1.94}
    return json.loads(json.dumps({"metrics": summary, "submission": cost}))


def test_every_figure_gets_a_row(script, report):
    text = script.markdown(report)
    video = report["metrics"]["models"]["m"]["video"]
    assert f"| AUC | {video['auc']['value']:.3f} | " in text
    for title in (*script.NAMES.values(), "Brier score, with the card's calibration", "AUC per frame (200)"):
        assert f"| {title} |" in text
    assert "| m | jpeg | " in text and "**1.9 hours on 2 cores without a GPU**" in text


def test_the_opening_tells_the_first_figures(script, report):
    text = script.opening(report)
    assert "On worse clips" not in text  # nothing was measured in the middle of the ladder
    auc = report["metrics"]["models"]["m"]["video"]["auc"]
    assert f"an AUC of {auc['value']:.2f} (95 %" in " ".join(text.split())
    assert text.startswith("Older weights (weights ") and "which never shipped" in text
    report["metrics"]["models"]["m"]["video"]["auc"]["low"] = 0.4
    assert "were not shown to beat chance" in " ".join(script.opening(report).split())


def test_no_value_that_is_shown_lies_outside_its_own_interval():
    def figures(found):
        if isinstance(found, dict):
            if {"value", "low", "high"} <= set(found):
                yield found
            for part in found.values():
                yield from figures(part)

    kept = json.loads((ROOT / "docs" / "lab" / "evaluation.json").read_text(encoding="utf-8"))
    found = [one for one in figures(kept) if one["value"] is not None]
    assert len(found) > 20
    assert [one for one in found if not one["low"] <= one["value"] <= one["high"]] == []


def test_a_document_is_filled_between_its_marks(script, report, tmp_path, monkeypatch):
    document, figures = tmp_path / "d.md", tmp_path / "f.json"
    old = "<!-- {0}: begin -->\nstale\n<!-- {0}: end -->\n"
    document.write_text(f"before\n{old.format('opening')}{old.format('measured')}after\n")
    figures.write_text(json.dumps(report))
    monkeypatch.setattr("sys.argv", ["evaluation.py", "--read", str(figures), "--into", str(document)])
    script.main()
    text = document.read_text()
    assert text.startswith("before\n") and text.endswith("after\n")
    assert "stale" not in text and "| AUC |" in text
