"""The notebooks of the docs run from the first cell to the last, and are kept without outputs."""

import json
import os
import sys
from pathlib import Path

import pytest

from unmask.judge.card import DEFAULT_MODEL

nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "lab" / "notebooks"
NOTEBOOKS = sorted(path.name for path in FOLDER.glob("*.ipynb"))


def execute(name, monkeypatch, *, data):
    if data is None:
        monkeypatch.delenv("UNMASK_NOTEBOOK_DATA", raising=False)
    else:
        monkeypatch.setenv("UNMASK_NOTEBOOK_DATA", data)
    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    notebook = nbformat.read(FOLDER / name, as_version=4)
    client = nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(FOLDER)}})
    client.execute()
    return "\n".join(
        output.get("text", "") + str(output.get("data", {}).get("text/plain", ""))
        for cell in notebook.cells
        for output in cell.get("outputs", [])
    )


EXPECTED = {
    "1_look.ipynb": ["{'REAL': 4, 'FAKE': 4} 4 originals", "30 frames kept", "as it is"],
    "2_train.ipynb": ["torch.Size([8, 8, 3, 48, 48])", "4 clips to train on, 4 held out", "CNN and GRU: AUC"],
    "3_measure_and_submit.ipynb": [f"{DEFAULT_MODEL} auc", "8 rows", "'filename'"],
}


def test_all_are_known():
    assert list(EXPECTED) == NOTEBOOKS


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", EXPECTED)
def test_a_notebook_runs_on_generated_clips(name, monkeypatch):
    found = execute(name, monkeypatch, data="")
    for text in EXPECTED[name]:
        assert text in found


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_first_runs_on_real_clips(monkeypatch, shared_data):
    assert "{'REAL': 20, 'FAKE': 20} 20 originals" in execute("1_look.ipynb", monkeypatch, data=None).replace(
        "{'FAKE': 20, 'REAL': 20}", "{'REAL': 20, 'FAKE': 20}"
    )


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_nothing_that_was_seen_is_kept(name):
    for cell in json.loads((FOLDER / name).read_text(encoding="utf-8"))["cells"]:
        assert not cell.get("outputs") and cell.get("execution_count") is None
