"""``unmask scan --examine`` and the tables of people and segments, as a user meets them."""

from __future__ import annotations

import csv
import json
import subprocess
import sys

import numpy as np
import pytest

from command_line import run
from portraits import moving_views, write_clip
from tiny_model import write_tiny_model


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """Three shots of two seconds; the second is bright, which the tiny model takes for a fake."""
    folder = tmp_path_factory.mktemp("film")
    bright = [np.ascontiguousarray(view[:, ::-1]) for view in moving_views(24, brightness=70)]
    write_clip(folder / "film.mp4", [*moving_views(24), *bright, *moving_views(24, brightness=10)], fps=12)
    write_tiny_model(folder / "model")
    return folder


def scan(folder, *arguments):
    command = [sys.executable, "-m", "unmask", "scan", "--model", "model/tiny.json"]
    few = ["--jobs", "1", "--embedder", "none"]
    return subprocess.run(
        [*command, *few, *arguments], cwd=folder, capture_output=True, text=True, timeout=120
    )


def rows_of(table):
    return list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))


@pytest.fixture(scope="module")
def whole(film):
    rows = ["--csv", "people.csv", "--csv-rows", "person"]
    found = scan(film, "--json", *rows, "film.mp4")
    assert found.returncode == 0, found.stderr
    (film / "film.json").write_text(found.stdout)
    return json.loads(found.stdout)


def test_a_stretch_is_examined_as_one_look_of_the_film(film, whole):
    first = whole["segments"][0]
    stretch = f"{first['start_seconds']:g}-{first['end_seconds']:g}"
    scanned = ["--examine", stretch, "--scanned", "film.json"]
    found = scan(film, "--json", "film.mp4", *scanned, "--csv", "rows.csv", "--csv-rows", "segment")
    assert found.returncode == 0, found.stderr
    closer = json.loads(found.stdout)
    assert closer["looks"] == whole["looks"] == 3
    assert (closer["start_seconds"], closer["end_seconds"]) == pytest.approx((2, 4), abs=0.1)
    assert closer["stability"] and "chosen" in {reason["code"] for reason in closer["reasons"]}
    assert closer["p_fake"] <= whole["segments"][0]["p_fake"]
    (row,) = rows_of(film / "rows.csv")
    assert (row["person"], row["shot"], row["looks"]) == ("1", "1", "3")
    assert float(row["segment_p_fake"]) == closer["segments"][0]["p_fake"]


@pytest.mark.usefixtures("whole")
def test_a_row_for_each_person(film):
    rows = rows_of(film / "people.csv")
    assert [row["person"] for row in rows] == ["1", "2", "3"]
    assert all(row["kept"] == "true" and float(row["person_p_fake"]) for row in rows)
    assert [float(row["start_seconds"]) for row in rows] == pytest.approx([0, 2, 4], abs=0.1)
    assert len({row["outcome"] for row in rows}) == 1


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        (["--looks", "3"], "belong to --examine"),
        (["--examine", "2"], "must be START-END"),
        (["--examine", "4-2"], "must end after it begins"),
        (["--examine", "2-4", "--from", "1"], "without --from and --to"),
        (["--examine", "2-4", "--looks", "0"], "must be 1 or more"),
        (["--examine", "2-4", "--scanned", "other.json"], "got 1 on other files"),
        (["--csv-rows", "person"], "needs --csv FILE"),
        (["--csv", "x.csv", "--csv-rows", "frame"], "must be one of file, person, segment"),
    ],
)
def test_what_does_not_go_together_is_told_before_anything_is_scanned(
    film, whole, options, rule, capsys, monkeypatch
):
    monkeypatch.chdir(film)
    (film / "other.json").write_text(json.dumps(whole | {"sha256": "0" * 64}))
    assert run("scan", "--model", "model/tiny.json", "film.mp4", *options) == 2
    assert rule in capsys.readouterr().err
