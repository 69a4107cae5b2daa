from command_line import run
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
    first, second = capsys.readouterr().out.split("model ")[1:3]
    assert DEFAULT_MODEL in first and DEFAULT_MODEL in second


def test_a_name_that_is_none_is_told_where_names_are(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("UNMASK_CACHE", str(tmp_path))
    for words in (["nothing-of-this-name"], ["card", "nothing-of-this-name"], ["check", "meso4-df"]):
        assert run("model", *words) == 2
        error = capsys.readouterr().err
        assert "unmask model list" in error and "Traceback" not in error
