import json
import re

import pytest

from command_line import run
from footage import moving_views, write_clip
from tiny_model import write_tiny_model
from unmask.judge.card import DEFAULT_MODEL


def test_a_card_is_shown_with_or_without_the_word(tmp_path, capsys):
    card = write_tiny_model(tmp_path)
    shown = []
    for words in ([card], ["card", card]):
        assert run("model", *words) == 0
        shown.append(capsys.readouterr().out)
    assert shown[0] == shown[1] and "tests only" in shown[0]
    assert run("model") == run("model", "card") == 0
    told = capsys.readouterr().out.splitlines()
    assert sum(line.split()[:2] == ["model", f"{DEFAULT_MODEL},"] for line in told) == 2


def test_a_name_that_is_none_is_told_where_names_are(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("UNMASK_CACHE", str(tmp_path))
    for words in (
        ["nothing-of-this-name"],
        ["card", "nothing-of-this-name"],
        ["get", "nothing-of-this-name"],
    ):
        assert run("model", *words) == 2
        error = capsys.readouterr().err
        assert "unmask model list" in error and "Traceback" not in error


@pytest.mark.parametrize("name", ["gend", "meso4-fd", "dfdc_b7", "mesoinception4-f2"])
def test_what_is_proposed_for_a_name_like_another_works(name, tmp_path, capsys, monkeypatch):
    from unmask.lab.zoo.table import find_entry

    monkeypatch.setenv("UNMASK_CACHE", str(tmp_path))
    for words in (["model", "get", name], ["scan", "--model", name, "a.mp4"], ["model", "check", name]):
        assert run(*words) == 2
        (proposed,) = re.findall(r"\(unmask model get (\S+)\)\?", capsys.readouterr().err)
        assert find_entry(proposed).name == proposed


def test_a_published_one_that_is_not_here_is_told_how_to_get(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("UNMASK_CACHE", str(tmp_path))
    assert run("scan", "--model", "meso4-df", "a.mp4") == 2
    assert capsys.readouterr().err.endswith(": unmask model get meso4-df\n")


def test_the_names_that_can_be_got_are_those_of_the_table():
    from unmask.judge.cache import PUBLISHED
    from unmask.lab.zoo.table import ZOO

    assert tuple(ZOO) == PUBLISHED


def test_the_list_is_there_for_programs_too(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("UNMASK_CACHE", str(tmp_path))
    assert run("model", "list", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    first = next(one for one in found if one["name"] == "gend-clip-l14")
    assert first["here"] is False and first["megabytes"] > 1000 and first["licence"].startswith("MIT")


def test_the_shipped_card_is_a_page_for_people_and_json_for_programs(capsys):
    assert run("model", DEFAULT_MODEL, "--json") == run("model", "--json") == 0
    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert first == second and first["scores"]["strangers_DFDC_auc"]["clips"] > 1000
    assert run("model") == 0
    page = capsys.readouterr().out
    titles = [line.partition("  ")[0] for line in page.splitlines() if line[:1].strip()]
    assert titles == [
        "model", "what it is", "what it says", "measured", "cannot", "trained on", "licence", "where",
    ]  # fmt: skip
    score = first["scores"]["strangers_DFDC_auc"]
    told = f"AUC {score['value']:.2f} ({score['low']:.2f} to {score['high']:.2f}), {score['clips']} clips"
    assert f"strangers DFDC: {told}" in page and "strangers lip sync: share that is called fake" in page
    assert not [key for key in first["scores"] if f"{key}:" in page]


def test_several_models_judge_one_scan(tmp_path, capsys):
    card = write_tiny_model(tmp_path / "a", thresholds={"fake_at_least": 0.0, "real_at_most": 0.0})
    limits = {"fake_at_least": 1.0, "real_at_most": 0.999999}
    other = write_tiny_model(tmp_path / "b", name="other", thresholds=limits)
    clip = write_clip(tmp_path / "a.mp4", moving_views(10))
    assert run("scan", "--json", "--model", card, "--model", other, "--frames", "6", clip) == 0
    verdict = json.loads(capsys.readouterr().out)
    assert verdict["outcome"] == "unsure" and verdict["model"]["name"] == "tiny"
    assert "tiny says fake" in verdict["reason"] and "other says real" in verdict["reason"]
