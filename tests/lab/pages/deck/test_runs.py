import json

import pytest

from unmask.errors import DataError
from unmask.lab.pages.deck.runs import MOST_POINTS, levers, read_run, thin


def write_log(folder, lines):
    folder.mkdir(exist_ok=True)
    (folder / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def test_a_run_is_read_back(project):
    ranked, unranked = (read_run(project.runs / name) for name in ("ranked", "unranked"))
    assert (ranked.name, ranked.steps, ranked.planned) == ("ranked", 4, 4)
    assert [step for step, _ in ranked.validated["val_auc"]] == [2, 4]
    assert ranked.settings["loop.backbone"] == "tiny"
    assert levers([ranked, unranked]) == ["loop.rank_weight"]


@pytest.mark.parametrize("count", [1, MOST_POINTS, MOST_POINTS + 1, 100_000])
def test_a_long_curve_is_averaged(count):
    found = thin([(float(n), float(n)) for n in range(count)])
    assert len(found) <= MOST_POINTS and len(found) >= min(count, MOST_POINTS // 2)
    weights = [-(-count // MOST_POINTS)] * (len(found) - 1)
    weights.append(count - sum(weights))
    mean = sum(y * weight for (_, y), weight in zip(found, weights, strict=True)) / count
    assert mean == pytest.approx((count - 1) / 2)


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([], "must hold a step"),
        ([{"loss": 1.0}], "line 1: step must be"),
        ([{"step": 1, "loss": "x"}], "line 1: loss must be a number"),
        ([{"step": 1, "loss": 1.0}, {"step": 2, "loss": 1.0, "a_auc": "x"}], "line 2: a_auc must be"),
        ([{"step": 1, "loss": 1.0, "a_auc": 1.5}], "line 1: a_auc must be from 0 to 1"),
        ([{"step": 2, "loss": 1.0}, {"step": 1, "loss": 1.0}], "line 2: step must be above the one before"),
    ],
)
def test_a_bad_log_is_named(tmp_path, lines, told):
    with pytest.raises(DataError, match=told):
        read_run(write_log(tmp_path / "run", lines))


def test_a_run_without_a_recipe_has_no_settings(tmp_path):
    found = read_run(write_log(tmp_path / "run", [{"step": 1, "loss": 0.5}]))
    assert (found.settings, found.validated, found.planned) == ({}, {}, 1)
