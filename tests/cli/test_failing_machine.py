"""A disk that fails while a clip is read, as a user sees it: no number, no blame on the clip, tried again.

Reading the beginning of ``/proc/self/mem`` gives the error of a failing disk, on any Linux and to anybody.
"""

import csv
import json
import sys

import pytest

from command_line import run
from labelled_clips import write_labelled
from tiny_model import write_tiny_model

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
NOTHING_OF_THE_FILE = "the machine failed to read it (Input/output error), which says nothing of the file"


@pytest.fixture(scope="module")
def card(tmp_path_factory):
    return write_tiny_model(tmp_path_factory.mktemp("model"))


@pytest.fixture
def clips(tmp_path):
    """Labelled clips; what happens to ``fake0.mp4`` is the disk's doing."""
    folder = write_labelled(tmp_path / "clips", originals=2, odd=False)
    (folder / "fake0.mp4").rename(tmp_path / "fake0.mp4")
    (folder / "fake0.mp4").symlink_to("/proc/self/mem")
    return folder


def mend(clips):
    (clips / "fake0.mp4").unlink()
    (clips.parent / "fake0.mp4").rename(clips / "fake0.mp4")


def test_a_scan_calls_it_an_error(card, clips, capsys):
    assert run("scan", clips / "fake0.mp4", clips / "real0.mp4", "--model", card, "--json") == 1
    bad, good = map(json.loads, capsys.readouterr().out.splitlines())
    assert (bad["outcome"], bad["p_fake"], bad["damaged"]) == ("error", None, False)
    assert bad["reason"].startswith(NOTHING_OF_THE_FILE) and good["p_fake"] is not None


def test_a_submission_gives_the_fallback_and_tries_again(card, clips, tmp_path, capsys):
    output = tmp_path / "submission.csv"
    command = ("submit", clips, "-o", output, "--model", card, "--fallback", 0.3, "--frames", 8, "--json")
    assert run(*command) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["outcomes"]["error"] == 1 and NOTHING_OF_THE_FILE in found["errors"]["fake0.mp4"]
    mend(clips)
    assert run(*command) == 0
    assert "error" not in json.loads(capsys.readouterr().out)["outcomes"]
    with output.open(newline="") as file:
        assert "0.300000" not in [row["label"] for row in csv.DictReader(file)]


def test_an_evaluation_counts_it_apart(card, clips, tmp_path, capsys):
    assert run("evaluate", clips, "--model", card, "-o", tmp_path / "report", "--frames", 8) == 0
    (model,) = json.loads((tmp_path / "report" / "metrics.json").read_text())["models"].values()
    fake = model["coverage"]["FAKE"]
    assert (fake["clips"], fake["judged"], fake["error"], fake["unreadable"]) == (2, 1, 1, 0)
    assert "1 of the others are no fault of the clips" in capsys.readouterr().err


def test_an_extraction_does_not_call_it_unreadable(clips, tmp_path):
    crops = tmp_path / "crops"
    assert run("extract", clips, "-o", crops, "--frames", 6) == 0
    lines = map(json.loads, (crops / "manifest.jsonl").read_text().splitlines())
    (line,) = (line for line in lines if line["name"] == "fake0.mp4")
    assert line["status"] == "error" and NOTHING_OF_THE_FILE in line["reason"]
