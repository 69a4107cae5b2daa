import csv
import sqlite3

import numpy as np
import pytest
from typer.testing import CliRunner

from unmask.cli import app
from unmask.config import DetectSettings, TrackSettings
from unmask.faces.detect import load_detector
from unmask.faces.settings_file import read_detector_file
from unmask.lab.facebench.bench import BenchItem, TrueFace, write_bench
from unmask.lab.facebench.count import FaceCounts, count_item, match_truth, precision_recall
from unmask.lab.facebench.plan import gather_cast
from unmask.lab.facebench.scene import Scene
from unmask.types import Face, Track

POINTS = np.zeros((5, 2), np.float32)


def face(left, confidence=0.9):
    return Face(np.array([left, 0, left + 10, 10], np.float32), POINTS, confidence)


def true(left, who=0, kind="person", ignore=False):
    return TrueFace(who, kind, (left, 0, left + 10, 10), ignore)


def item(*frames):
    return BenchItem("a.mp4", "easy", 0, 100, 50, tuple(frames))


class TestCounting:
    def test_best_overlaps_match_first_and_once(self):
        assert match_truth([face(3), face(1)], [true(0)]) == {1: 0}
        assert match_truth([face(0), face(50)], [true(52), true(90)]) == {1: 0}

    def test_people_pictures_and_hidden_faces_count_apart(self):
        truth = (true(0), true(30, 100, "picture"), true(60, 1, ignore=True))
        counts = count_item(item(truth), [[face(0), face(30), face(60), face(85)]], None)
        assert (counts.people, counts.detected, counts.kept) == (1, 1, 1)
        assert counts.false_faces == 2  # the picture, and what is nothing at all
        assert sorted(hit for _, hit in counts.marks) == [False, True, True]

    def test_purity_falls_when_a_track_changes_its_person(self):
        frames = [(true(0, 0), true(30, 1))] * 4
        swapped = Track(0, (0, 1, 2, 3), (face(0), face(0), face(0), face(30)))
        counts = count_item(item(*frames), [[f] for f in swapped.faces], [swapped])
        assert counts.purity == 0.75 and counts.completeness == 0.5 and counts.recall == 0.5

    def test_dropped_tracks_are_not_kept(self):
        dropped = Track(0, (0,), (face(0),), "too small")
        counts = count_item(item((true(0),)), [[face(0)]], [dropped])
        assert counts.detected == 1 and counts.kept == 0 and counts.score == 0

    def test_without_people_only_false_faces_cost(self):
        assert FaceCounts(frames=4, false_faces=1).score == 0.75
        assert FaceCounts(frames=4, false_faces=9).score == 0

    def test_a_curve_goes_from_sure_to_unsure(self):
        counts = FaceCounts(people=2, marks=[(0.5, False), (0.9, True), (0.3, True)])
        assert precision_recall(counts) == [(0.9, 1, 0.5), (0.5, 0.5, 0.5), (0.3, 2 / 3, 1)]


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    cast = gather_cast(load_detector(DetectSettings()), half="report")
    folder = tmp_path_factory.mktemp("bench")
    write_bench(
        folder,
        [Scene("easy", 60, seed=1, frames=2), Scene("hands", 1, seed=2, people=0, hands=1, frames=2)],
        cast,
    )
    return folder


def run(*arguments):
    return CliRunner().invoke(app, ["tune", *map(str, arguments)])


def test_a_run_goes_on_where_it_stood_and_writes_what_scan_takes(bench, tmp_path):
    output = tmp_path / "detector.toml"
    first = run(bench, "-o", output, "--trials", 2)
    assert first.exit_code == 0 and "; 2 trials" in first.output
    again = run(bench, "-o", output, "--trials", 3)
    assert again.exit_code == 0 and "; 3 trials" in again.output
    detect, track = read_detector_file(output)
    assert detect.detector == "mtcnn" and track.policy == TrackSettings().policy
    assert "Chosen by unmask tune of 3 trials on 2 items" in output.read_text()
    front = list(csv.DictReader(output.with_suffix(".pareto.csv").read_text().splitlines()))
    assert front and {"trial", "score", "cpu_ms_a_frame", "p_threshold"} <= front[0].keys()
    curves = list(csv.DictReader(output.with_suffix(".curves.csv").read_text().splitlines()))
    assert {row["settings"] for row in curves} == {"shipped", "tuned"}
    assert {row["condition"] for row in curves} == {"easy"}
    assert output.with_suffix(".curves.png").stat().st_size > 1000
    with sqlite3.connect(output.with_suffix(".sqlite3")) as trials:
        assert trials.execute("select count(*) from trials where state = 'COMPLETE'").fetchone() == (3,)
    trials.close()
    other = run(bench, "-o", output, "--trials", 4, "--detector", "centerface")
    assert other.exit_code == 2 and "name another file with --study" in other.output


def test_bad_input_is_one_line(bench, tmp_path):
    (tmp_path / "s.sqlite3").write_text("no database, but text that is long enough to be taken for one" * 9)
    for arguments, message in (
        ([bench, "-o", tmp_path / "d.toml", "--trials", 0], "trials must be 1 or more, got 0"),
        ([tmp_path / "none", "-o", tmp_path / "d.toml"], "make one with: unmask data facebench"),
        ([bench, "-o", tmp_path / "d.toml", "--study", tmp_path / "s.sqlite3"], "is no study of Optuna"),
        ([bench, "-o", tmp_path / "d.toml", "--detector", "haar"], "unknown face detector 'haar'"),
    ):
        found = run(*arguments)
        assert found.exit_code == 2 and message in found.output.replace("\n", " "), found.output
