"""The notebooks of the docs run from the first cell to the last, and show what their cells gave."""

import json
import os
import re
from pathlib import Path

import challenge_data
import pytest

nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")
pytest.importorskip("torch")

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "lab" / "notebooks"
NOTEBOOKS = sorted(path.name for path in FOLDER.glob("*.ipynb"))
EXPECTED = {
    "1_look.ipynb": ["7 videos: {'FAKE': 4, 'REAL': 3}", "30 of 30 frames", "of 12, "],
    "2_train.ipynb": ["on two sides by original: 0 of 3", "as stored:", "runs/team/cnn_gru/cnn_gru.onnx"],
    "3_measure_and_submit.ipynb": [
        "cnn_gru      auc",
        "cnn against cnn_gru",
        "filename,label",
        "slides.html",
    ],
}


def execute(name, folder, monkeypatch):
    """What a notebook prints on the clips in a folder, with a few steps of training."""
    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("PATH", os.defpath)  # as where the environment was not activated
    notebook = nbformat.read(FOLDER / name, as_version=4)
    first = next(cell for cell in notebook.cells if cell.cell_type == "code")
    for old, new in (("challenge", folder / "data"), ("team", folder / "work")):
        assert f'"../../../.data/{old}"' in first.source
        first.source = first.source.replace(f"../../../.data/{old}", str(new))
    first.source = first.source.replace("STEPS = 150", "STEPS = 4")
    client = nbclient.NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(FOLDER)}})
    client.execute()
    return printed(notebook)


def printed(notebook):
    return "\n".join(
        output.get("text", "") + str(output.get("data", {}).get("text/plain", ""))
        for cell in notebook.cells
        for output in cell.get("outputs", [])
    )


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_three_run_on_small_clips_one_after_the_other(tmp_path, monkeypatch):
    assert list(EXPECTED) == NOTEBOOKS
    challenge_data.make_challenge(tmp_path / "data", originals=3, frames=30)
    for name, words in EXPECTED.items():
        found = execute(name, tmp_path, monkeypatch)
        for text in words:
            assert text in found, found


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_what_is_stored_was_made_from_top_to_bottom(name):
    cells = [
        cell
        for cell in json.loads((FOLDER / name).read_text(encoding="utf-8"))["cells"]
        if cell["cell_type"] == "code"
    ]
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    kinds = [output["output_type"] for cell in cells for output in cell["outputs"]]
    assert kinds and "error" not in kinds


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_what_is_stored_names_no_folder_of_whoever_ran_it(name):
    stored = nbformat.read(FOLDER / name, as_version=4)
    assert not re.findall(r"(?:/home|/root|/tmp|/work|/Users|/opt)/\S*", printed(stored))
