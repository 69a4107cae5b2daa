"""The document on models shows what the entries say and what was measured."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")

from unmask.lab.zoo.table import ZOO

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT, FIGURES = ROOT / "docs" / "models.md", ROOT / "docs" / "models.json"


def test_its_tables_are_those_of_the_script(tmp_path):
    copy = tmp_path / "models.md"
    copy.write_text(DOCUMENT.read_text(encoding="utf-8"), encoding="utf-8")
    command = [sys.executable, ROOT / "benchmarks" / "models.py", "--read", FIGURES, "--into", copy]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    assert copy.read_text(encoding="utf-8") == DOCUMENT.read_text(encoding="utf-8")


def test_every_network_was_measured_beside_the_shipped_one():
    report = json.loads(FIGURES.read_text(encoding="utf-8"))
    for name in report["onnx_mb"]:
        for device in ("cpu", "openvino"):
            beside = [run for run in report["runs"] if (run["beside"], run["device"]) == (name, device)]
            assert {run["model"] for run in beside} == {"shipped", name}
            assert all(run["found"]["crops"] == 15 for run in beside)
    assert all(f"`{name}`" in DOCUMENT.read_text(encoding="utf-8") for name in ZOO)
