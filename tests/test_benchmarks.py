"""The speed benchmark runs, on tiny clips, and the document shows the table that belongs to its figures."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tiny_model import write_tiny_model
from unmask import find_faces

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = ROOT / "benchmarks" / "pipeline.py"
DOCUMENT = ROOT / "docs" / "performance.md"
FIGURES = ROOT / "docs" / "performance.json"


def run(*arguments):
    command = [sys.executable, SCRIPT, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """One round on a tiny clip, as the JSON that was written, with the folder of the clips."""
    folder = tmp_path_factory.mktemp("benchmark")
    card = write_tiny_model(folder / "model")
    size = ["--width", "320", "--height", "180", "--frames", "32"]
    options = ["--people", "1", "--rounds", "1", "--card", card, "--cache", folder]
    done = run(*size, *options, "--json", folder / "report.json")
    assert done.returncode == 0, done.stderr
    assert "crops / decode" in done.stdout
    return json.loads((folder / "report.json").read_text()), folder


def test_every_way_of_unmask_is_run_on_both_clips_and_finds_the_face(report):
    runs = report[0]["runs"]
    assert [(r["clip"], r["way"]) for r in runs] == [
        (clip, way)
        for clip in ("one face, B-frames", "one face, no B-frames")
        for way in ("decode", "ours", "scan", "ours", "scan", "decode")
    ]
    for entry in runs:
        assert entry["cpu_seconds"] > 0
        assert entry["peak_mb"] > 20
        if entry["way"] == "decode":
            assert entry["found"] == {"frames": 30, "sizes": 1}
        else:
            crops = {"ours": 30, "scan": 15}[entry["way"]]
            assert (entry["found"]["people"], entry["found"]["crops"]) == (1, crops)


def test_the_clips_differ_in_b_frames_alone(report):
    import av
    from av.video.frame import PictureType

    kinds = []
    for ending in ("b", "nob"):
        (path,) = report[1].glob(f"v*_1p_{ending}.mp4")
        assert len(find_faces(path)) == 1
        with av.open(str(path)) as container:
            frames = list(container.decode(video=0))
        assert len(frames) == 32
        kinds.append({PictureType(frame.pict_type).name for frame in frames})
    assert "B" in kinds[0]
    assert "B" not in kinds[1]


def test_a_ratio_is_formed_within_a_round(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import tables

    spent = [("ours", 0, 1.0), ("notebook", 0, 12.0), ("ours", 0, 9.0), ("ours", 0, 1.2)]
    spent += [("ours", 1, 2.0), ("notebook", 1, 26.0), ("ours", 2, 9.0)]
    runs = [
        {"clip": "one face", "way": way, "round": number, "cpu_seconds": value, "peak_mb": 310.0}
        for way, number, value in spent
    ]
    assert tables.ratio(runs, "one face", "notebook", "ours") == (12 / 1.2 + 13) / 2
    assert tables.ratio(runs, "one face", "ours", "decode") is None
    met = {target.name: target.met for target in tables.targets(runs)}
    assert met == {"full / crops": True, "peak memory, crops": False}


def test_the_document_shows_the_table_of_its_figures(tmp_path):
    copy = tmp_path / "performance.md"
    copy.write_text(DOCUMENT.read_text(encoding="utf-8"), encoding="utf-8")
    done = run("--read", FIGURES, "--into", copy, "--markdown")
    assert done.returncode == 0, done.stderr
    assert "### CPU seconds" in done.stdout
    assert copy.read_text(encoding="utf-8") == DOCUMENT.read_text(encoding="utf-8")


def test_a_document_without_marks_is_left_alone(tmp_path):
    bare = tmp_path / "bare.md"
    bare.write_text("# Nothing\n", encoding="utf-8")
    done = run("--read", FIGURES, "--into", bare)
    assert done.returncode == 1
    assert "must hold the lines" in done.stderr
    assert bare.read_text(encoding="utf-8") == "# Nothing\n"
