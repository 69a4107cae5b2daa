import json

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
    for words in (["nothing-of-this-name"], ["card", "nothing-of-this-name"], ["check", "meso4-df"]):
        assert run("model", *words) == 2
        error = capsys.readouterr().err
        assert "unmask model list" in error and "Traceback" not in error


def test_several_models_judge_one_scan(tmp_path, capsys):
    card = write_tiny_model(tmp_path / "a", thresholds={"fake_at_least": 0.0, "real_at_most": 0.0})
    limits = {"fake_at_least": 1.0, "real_at_most": 0.999999}
    other = write_tiny_model(tmp_path / "b", name="other", thresholds=limits)
    clip = write_clip(tmp_path / "a.mp4", moving_views(10))
    assert run("scan", "--json", "--model", card, "--model", other, "--frames", "6", clip) == 0
    verdict = json.loads(capsys.readouterr().out)
    assert verdict["outcome"] == "unsure" and verdict["model"]["name"] == "tiny"
    assert "tiny says fake" in verdict["reason"] and "other says real" in verdict["reason"]
