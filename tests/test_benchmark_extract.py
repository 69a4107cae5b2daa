"""The benchmark of extraction runs, on tiny clips, and the document shows the tables of its figures."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = ROOT / "benchmarks" / "extract.py"
DOCUMENT = ROOT / "docs" / "performance.md"
FIGURES = ROOT / "docs" / "lab" / "extract.json"


def run(*arguments):
    command = [sys.executable, SCRIPT, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)


def test_it_measures_one_worker_and_two_and_the_rows(tmp_path):
    # At 320x180 the face has 48 px, the least that is stored, and x264's pixels differ from run to run.
    size = ["--width", 480, "--height", 270, "--frames", 32, "--synthetic", 4, "--rows", 600]
    done = run(*size, "--engines", "local", "--cache", tmp_path, "--json", tmp_path / "report.json")
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "report.json").read_text())
    assert [(r["engine"], r["workers"], r["done"], r["led"]) for r in report["runs"]] == [
        ("local", workers, 4, 2) for workers in (1, 2, 1)
    ]
    assert all(r["cpu_seconds_led"] > 0 and r["cpu_seconds_searched"] > 0 for r in report["runs"])
    assert report["rows"]["peak memory, MB"] > 20
    assert "### Two workers against one" in done.stdout and "| local |" in done.stdout


@pytest.mark.skipif(not FIGURES.is_file(), reason="nothing was measured yet")
def test_the_document_shows_the_tables_of_its_figures(tmp_path):
    copy = tmp_path / "performance.md"
    copy.write_text(DOCUMENT.read_text(encoding="utf-8"), encoding="utf-8")
    done = run("--read", FIGURES, "--into", copy)
    assert done.returncode == 0, done.stderr
    assert copy.read_text(encoding="utf-8") == DOCUMENT.read_text(encoding="utf-8")
