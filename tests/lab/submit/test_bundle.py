"""The offline bundle: it installs with no index, and gives the same file."""

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from command_line import run
from tiny_model import write_tiny_model
from unmask.errors import DataError
from unmask.judge.card import DEFAULT_MODEL
from unmask.lab.submit import bundle as module
from unmask.lab.submit.bundle import LIMIT_BYTES, NOTEBOOK, write_bundle

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kaggle") / "bundle"
    try:
        write_bundle(folder)
    except DataError as error:
        if "is there a network?" in str(error) and os.environ.get("CI") != "true":
            pytest.skip(f"pip cannot fetch wheels: {error}")
        raise
    return folder


def cells(folder):
    notebook = json.loads((folder / NOTEBOOK).read_text())
    return ["".join(cell["source"]) for cell in notebook["cells"]]


def test_a_fresh_environment_without_an_index_gives_the_same_file(bundle, tmp_path):
    assert sum(f.stat().st_size for f in bundle.rglob("*") if f.is_file()) < LIMIT_BYTES
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    scripts = tmp_path / "venv" / "bin"
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PIP", "PYTHON"))}
    environment |= {"PATH": f"{scripts}:{os.environ['PATH']}", "PIP_CONFIG_FILE": os.devnull}
    for cell in cells(bundle)[1:]:  # the notebook's own commands; the first cell says where things lie
        command = cell.removeprefix("!").replace("{BUNDLE}", str(bundle)).replace("{TEST}", str(EXAMPLES))
        subprocess.run(command, shell=True, cwd=tmp_path, env=environment, check=True)
    there = (tmp_path / "submission.csv").read_bytes()
    assert run("submit", EXAMPLES, "-o", tmp_path / "here.csv") == 0
    assert there == (tmp_path / "here.csv").read_bytes()
    assert there.count(b"\n") == 3
    listed = subprocess.run([scripts / "pip", "list"], capture_output=True, text=True, check=True).stdout
    assert not re.search(r"^(torch|pandas)\s", listed, re.MULTILINE)


def test_the_bundle_brings_the_models_card_and_weights(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_download", lambda *_, **__: None)
    write_bundle(tmp_path / "b", model=str(write_tiny_model(tmp_path / "model")))
    assert sorted(p.name for p in (tmp_path / "b" / "model").iterdir()) == ["tiny.json", "tiny.onnx"]
    assert any(cell.endswith("--model {BUNDLE}/model/tiny.json") for cell in cells(tmp_path / "b"))
    (wheel,) = (tmp_path / "b" / "wheels").iterdir()
    names = zipfile.ZipFile(wheel).namelist()
    assert f"unmask/judge/weights/{DEFAULT_MODEL}.onnx" in names
    assert not any("__pycache__" in name for name in names)


def test_a_bundle_is_there_as_a_whole_or_not_at_all(tmp_path, monkeypatch, capsys):
    def fail(*_, **__):
        raise DataError("pip found no wheels for the bundle (offline); is there a network?")

    monkeypatch.setattr(module, "_download", fail)
    assert run("submit", "--bundle", tmp_path / "b") == 2
    assert "pip found no wheels" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    assert run("submit", "--bundle", tmp_path / "full") == 2
    assert "must be a new or empty folder" in capsys.readouterr().err


def test_a_bundle_that_is_too_large_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_download", lambda *_, **__: None)
    monkeypatch.setattr(module, "LIMIT_BYTES", 1000)
    with pytest.raises(DataError, match="a bundle may have 1000 bytes, got"):
        write_bundle(tmp_path / "b")
    assert list(tmp_path.iterdir()) == []


def test_a_python_that_has_no_wheels_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_pins", lambda: ["numpy==1.0.999"])
    with pytest.raises(DataError, match="pip found no wheels"):
        write_bundle(tmp_path / "b", python="3.11")
