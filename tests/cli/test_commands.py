import os
import subprocess
import sys

import pytest

from command_line import run
from unmask.cli import app


def flagged(text):
    return [line for line in text.splitlines() if "--json" in line or "--help" in line or "--int8" in line]


@pytest.mark.parametrize(
    "words",
    [(), ("scan",), ("train",), ("data", "split"), ("model",), ("model", "list"), ("model", "get")],
)
def test_flags_show_no_type_in_the_help(words, capsys):
    assert run(*words, "--help") == 0
    text = capsys.readouterr().out
    assert flagged(text) and "<bool>" not in text and "BOOLEAN" not in text


def test_every_command_is_one_of_ours():
    from typer.main import get_command

    from unmask.cli.commands import Command, Group

    top = get_command(app)
    below = [
        one for group in (top, *top.commands.values()) for one in getattr(group, "commands", {}).values()
    ]
    assert len(below) > 20 and all(isinstance(one, Command | Group) for one in below)


def test_a_file_in_place_of_a_command_is_told_how_to_be_scanned(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my folder").mkdir()
    for word, told in (("clip.mp4", "unmask scan clip.mp4"), ("my folder", "unmask scan 'my folder'")):
        assert run(word) == 2
        assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (("scn",), "'scan'"),
        (("model", "lst"), "'list'"),
        (("data", "splt"), "'split'"),
        (("scan", "--jso"), "--json"),
    ],
)
def test_a_mistyped_word_is_told_what_was_meant(words, meant, capsys):
    assert run(*words) == 2
    assert meant in capsys.readouterr().err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_can_be_had_and_completes(shell, tmp_path):
    def ask(*words, **variables):
        command = [sys.executable, "-m", "unmask", *words]
        environment = os.environ | {"HOME": str(tmp_path)} | variables
        found = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert not found.stderr
        return found.stdout

    script = ask(_UNMASK_COMPLETE=f"source_{shell}")
    assert f"complete_{shell}" in script and "unmask" in script
    told = {"COMP_WORDS": "unmask model l", "COMP_CWORD": "2", "_TYPER_COMPLETE_ARGS": "unmask model l"}
    told |= {"_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    assert "list" in ask(_UNMASK_COMPLETE=f"complete_{shell}", **told)


@pytest.mark.parametrize(
    ("words", "proposed"),
    [
        ("model get meso4-", {"meso4-df", "meso4-f2f"}),
        ("model card fa", {"fast"}),
        ("scan --model clip", {"clip-probe"}),
        ("scan --model meso4", set()),  # not here: nothing could be judged with it
        ("submit --device cu", {"cuda"}),
    ],
)
def test_names_of_models_and_devices_are_completed(words, proposed, tmp_path):
    told = {"_UNMASK_COMPLETE": "complete_bash", "COMP_WORDS": f"unmask {words}"}
    told |= {"COMP_CWORD": str(len(words.split())), "UNMASK_CACHE": str(tmp_path)}
    command = [sys.executable, "-m", "unmask"]
    found = subprocess.run(command, env=os.environ | told, capture_output=True, text=True, check=False)
    assert not found.stderr
    assert set(found.stdout.split()) == proposed
