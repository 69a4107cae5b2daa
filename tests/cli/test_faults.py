"""A fault of unmask itself, as a user sees it: no number, no blame on the file, and where the details are."""

import csv
import json

import pytest

from command_line import run
from faulty import fault_on
from labelled_clips import write_labelled
from tiny_model import write_tiny_model


@pytest.fixture(scope="module")
def card(tmp_path_factory):
    return write_tiny_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    return write_labelled(tmp_path_factory.mktemp("clips") / "part", originals=2)


def test_a_scan_says_so_everywhere_and_judges_the_others(
    card, clips, tmp_path, monkeypatch, capsys, faults_folder
):
    table, report = tmp_path / "verdicts.csv", tmp_path / "report"
    both = [clips / "real0.mp4", clips / "fake0.mp4"]
    with fault_on("fake0.mp4", tmp_path / "site", monkeypatch):
        assert run("scan", *both, "--model", card, "--json", "--csv", table, "--report", report) == 1
        good, bad = map(json.loads, capsys.readouterr().out.splitlines())
        assert run("scan", both[1], "--model", card) == 1
    assert good["outcome"] == "real" and good["p_fake"] is not None
    assert (bad["outcome"], bad["p_fake"], bad["damaged"], bad["people"]) == ("error", None, False, [])
    (details,) = faults_folder.iterdir()
    assert "fault of unmask" in bad["reason"] and str(details) in bad["reason"]
    assert 'TypeError("an argument that is none")' in details.read_text()
    with table.open(newline="") as file:
        assert [row["outcome"] for row in csv.DictReader(file)] == ["real", "error"]
    assert "error" in (shown := capsys.readouterr().out) and str(details) in shown
    pages = "".join(page.read_text() for page in report.glob("*.html"))
    assert "Nothing was judged: unmask itself failed" in pages and "could not be read" not in pages


def test_a_submission_gives_the_fallback_names_the_fault_and_tries_again(
    card, clips, tmp_path, monkeypatch, capsys, faults_folder
):
    output = tmp_path / "submission.csv"
    command = ("submit", clips, "-o", output, "--model", card, "--fallback", 0.3, "--frames", 8)
    with fault_on("fake0.mp4", tmp_path / "site", monkeypatch):
        assert run(*command) == 0
        assert "unmask itself failed on 1 of these, such as fake0.mp4: " in capsys.readouterr().out
        assert run(*command, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["outcomes"]["error"] == 1 and "TypeError" in found["errors"]["fake0.mp4"]
    assert "fake0.mp4,0.300000" in output.read_text()
    assert run(*command, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert "error" not in found["outcomes"] and found["errors"] == {} and found["reused"] == found["rows"] - 1
    assert "fake0.mp4,0.300000" not in output.read_text()


def test_an_evaluation_counts_it_apart(card, clips, tmp_path, monkeypatch, capsys, faults_folder):
    with fault_on("fake0.mp4", tmp_path / "site", monkeypatch):
        assert run("evaluate", clips, "--model", card, "-o", tmp_path / "report", "--frames", 8) == 0
    (model,) = json.loads((tmp_path / "report" / "metrics.json").read_text())["models"].values()
    fake = model["coverage"]["FAKE"]
    assert (fake["clips"], fake["judged"], fake["error"], fake["unreadable"]) == (3, 1, 1, 1)
    assert "1 of the others are no fault of the clips" in capsys.readouterr().err


def test_an_extraction_does_not_call_it_unreadable(clips, tmp_path, monkeypatch, capsys, faults_folder):
    crops = tmp_path / "crops"
    with fault_on("fake0.mp4", tmp_path / "site", monkeypatch):
        assert run("extract", clips, "-o", crops, "--frames", 6) == 0
    assert "1 error (unmask failed on them; manifest.jsonl says why)" in capsys.readouterr().out
    lines = {
        line["name"]: line for line in map(json.loads, (crops / "manifest.jsonl").read_text().splitlines())
    }
    assert lines["fake0.mp4"]["status"] == "error" and "TypeError" in lines["fake0.mp4"]["reason"]
    assert lines["broken.mp4"]["status"] == "unreadable"
