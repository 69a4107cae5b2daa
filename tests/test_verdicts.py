"""How verdicts and what they are made from show themselves, and the table of a verdict."""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import pandas as pd
import pytest

import unmask
from portraits import moving_views, write_clip
from tiny_model import write_tiny_model

HOSTILE = "<img src=x onerror=alert(1)>\u202e" + "a" * 80 + ".mp4"


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return unmask.ScanSettings(model=str(write_tiny_model(tmp_path_factory.mktemp("model"))))


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return write_clip(tmp_path_factory.mktemp("clip") / HOSTILE, moving_views(20))


@pytest.fixture(scope="module")
def verdict(settings, path):
    return unmask.scan(path, settings=settings)


def test_everything_public_shows_itself_in_a_line(settings, path, verdict):
    clip = unmask.read_clip(path)
    (track,) = unmask.find_faces(clip)
    (crops,) = unmask.cut_crops(clip, [track], settings=settings)
    (sighting,) = unmask.watch(path, settings=settings)
    scanner = unmask.load_scanner(settings)
    (person,) = verdict.people
    public = [verdict, person, person.frames[0], *person.appearances, *verdict.shots, *verdict.segments]
    public += [clip, clip.frames[0], track, track.faces[0], crops, sighting, scanner, scanner.model]
    for one in public:
        line = repr(one)
        assert len(line) <= 150 and line.isprintable(), line
    assert repr(verdict).startswith(f"<Verdict {verdict.outcome}, p_fake {verdict.p_fake:.2f}: <img src=x")
    assert repr(verdict).endswith("aaa.mp4, 1 person in 1 shot>")
    assert repr(person) == f"<Person 0: p_fake {person.p_fake:.2f}, 20 frames, 0.00 to 1.90 s>"
    assert repr(clip).endswith("aaa.mp4: 20 frames of 200 x 160 px, 2.00 s>")
    assert repr(scanner) == "<Scanner: tiny on faces of Mtcnn>"


def test_a_failure_shows_why(tmp_path):
    missing = unmask.scan(tmp_path / "gone.mp4")
    assert repr(missing) == "<Verdict unreadable: gone.mp4, no such file>"
    assert "<table>" not in missing._repr_html_() and "no such file" in missing._repr_html_()


def test_a_notebook_shows_a_verdict_whatever_the_file_is_called(verdict):
    shown = verdict._repr_html_()
    assert "<img" not in shown and "&lt;img" in shown and "\u202e" not in shown and "src=http" not in shown
    (person,) = verdict.people
    assert f"<td>1</td><td>{person.p_fake:.2f}</td><td>20</td><td>0.00 to 1.90 s</td>" in shown
    crowd = replace(verdict, people=tuple(replace(person, id=i) for i in range(23)))
    assert crowd._repr_html_().count("<tr>") == 21 and "and 3 more people" in crowd._repr_html_()


def test_a_verdict_as_a_table_has_a_row_for_each_person_and_frame(verdict):
    frame = verdict.to_frame()
    (person,) = verdict.people
    assert len(frame) == 20 and frame["p_fake"].notna().sum() == 10
    for row, seen in zip(frame.itertuples(), person.frames, strict=True):
        assert (row.person, row.kept, row.shot, row.time_seconds) == (0, True, 0, seen.time_seconds)
        assert (row.x0, row.y0, row.x1, row.y1) == seen.box and row.confidence == seen.confidence
        assert row.p_fake == seen.p_fake or (pd.isna(row.p_fake) and seen.p_fake is None)
    again = unmask.read_verdict(json.dumps(verdict.to_dict())).to_frame()
    pd.testing.assert_frame_equal(frame, again)
    nobody = replace(verdict, people=()).to_frame()
    assert len(nobody) == 0 and (nobody.dtypes == frame.dtypes).all()


def test_without_pandas_it_says_what_to_install(verdict, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(unmask.MissingExtraError, match=r"pandas is not installed; .* '\.\[data\]'"):
        verdict.to_frame()
