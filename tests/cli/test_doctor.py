"""`unmask doctor`: what is installed, whether it works, and that it says where it does not."""

import importlib
import json
import tomllib
from pathlib import Path

import pytest

from command_line import run
from portraits import moving_views, write_clip

ROOT = Path(__file__).resolve().parents[2]
doctor = importlib.import_module("unmask.cli.doctor")  # the package calls the command so


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Of a sound installation, with a clip that is none."""
    folder = tmp_path_factory.mktemp("media")
    clip = write_clip(folder / "a.mp4", moving_views(6))
    (folder / "broken.mp4").write_text("no video")
    return doctor.examine([clip, folder / "broken.mp4"])


def test_what_is_installed_is_told_with_versions_and_without_folders(found):
    assert found["packages"]["default"].keys() >= {"av", "numpy", "onnxruntime"}
    assert all(found["packages"]["default"].values())
    assert "test" not in found["packages"] and "CPUExecutionProvider" in found["providers"]
    assert found["weights"].endswith("as published")
    told = json.dumps(found)
    assert "/tmp" not in told and str(doctor.Path.home()) not in told


def test_scans_show_whether_it_works(found):
    assert found["scans"]["made_up.mp4"]["outcome"] == "no_face"
    assert 0 < found["scans"]["a.mp4"]["p_fake"] < 1
    assert found["problems"] == ["broken.mp4 is unreadable"]


def test_people_and_programs_get_the_same_and_an_exit_code(found, monkeypatch, capsys):
    monkeypatch.setattr(doctor, "examine", lambda *_: found)
    assert run("doctor") == 1
    told = capsys.readouterr().out
    assert "PROBLEM: broken.mp4 is unreadable" in told and "- scan of made_up.mp4: no_face" in told
    assert run("doctor", "--json") == 1
    assert json.loads(capsys.readouterr().out) == found
    monkeypatch.setattr(doctor, "examine", lambda *_: {**found, "problems": []})
    assert run("doctor") == 0
    assert "All of it works." in capsys.readouterr().out


def test_what_does_not_work_is_named(found, monkeypatch):
    packages = {"default": {"av": None}}
    scans = {"made_up.mp4": {"outcome": "error"}}
    monkeypatch.setattr(
        doctor, "_installed", lambda: ["onnxruntime", "onnxruntime-ep-openvino", "onnxruntime-gpu"]
    )
    assert doctor._problems(packages, scans, "changed: SHA-256", {}) == [
        "av is not installed",
        "several builds of onnxruntime overwrite each other: onnxruntime, onnxruntime-gpu",
        "changed: SHA-256",
        "a clip without anybody must be no_face, got error",
    ]


def test_weights_that_were_changed_are_told(monkeypatch):
    from unmask.errors import ModelError
    from unmask.judge import card

    def changed(card, folder):
        raise ModelError("SHA-256 must be")

    monkeypatch.setattr(card, "read_weights", changed)
    assert doctor._weights() == "changed: SHA-256 must be"


def test_an_example_that_is_judged_otherwise_than_known_is_a_problem():
    scans = {
        "made_up.mp4": {"outcome": "no_face"},
        "portrait_real.mp4": {"outcome": "real"},
        "portrait_swapped.mp4": {"outcome": "real"},
    }
    found = doctor._problems({"default": {}}, scans, "as published", doctor._EXPECTED)
    assert found == ["portrait_swapped.mp4 must be fake, got real"]
    assert doctor._problems({"default": {}}, scans, "as published", {}) == []


def test_the_examples_are_there_and_come_with_the_wheel():
    assert [clip.name for clip in doctor.examples() if clip.is_file()] == list(doctor._EXPECTED)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    included = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    where = {f"examples/{name}": f"unmask/examples/{name}" for name in doctor._EXPECTED}
    assert included == where
    assert doctor._PLACES[0] == Path(doctor.__file__).parents[1] / "examples"


def test_providers_are_those_that_unmask_uses_built_in_or_plugged_in(monkeypatch):
    from unmask.judge import devices

    monkeypatch.setattr(
        devices.ort,
        "get_available_providers",
        lambda: ["AzureExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"],
    )
    monkeypatch.setattr(devices, "plugged", lambda name: [])
    assert devices.available_providers() == ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(devices, "plugged", lambda name: ["a processor"])
    assert devices.available_providers()[1] == "OpenVINOExecutionProvider"


def test_a_plug_in_is_told_even_where_it_offers_nothing(found, monkeypatch):
    monkeypatch.setattr(doctor, "_installed", lambda: ["numpy", "onnxruntime-ep-openvino"])
    assert doctor._plug_ins(["CPUExecutionProvider"]) == {"onnxruntime-ep-openvino": False}
    assert doctor._plug_ins(["OpenVINOExecutionProvider"]) == {"onnxruntime-ep-openvino": True}
    told = doctor._lines({**found, "plug_ins": {"onnxruntime-ep-openvino": False}})
    assert any(line.startswith("- onnxruntime-ep-openvino is installed, and") for line in told)
    told = doctor._lines({**found, "plug_ins": {"onnxruntime-ep-openvino": True}})
    assert not any("onnxruntime-ep" in line and "can use nothing" in line for line in told)
