"""False alarms on sources that took no part: counted by source, with intervals over sources."""

import importlib
import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    yield importlib.import_module("strangers")
    sys.modules.pop("strangers", None)


def row(source, outcome, *, label="REAL", kind="video", p_fake=0.5, weights="a", **attributes):
    return {
        "source": source, "label": label, "family": "swap", "kind": kind, "outcome": outcome,
        "p_fake": p_fake, "weights": weights, **attributes,
    }  # fmt: skip


def rows():
    return [
        *[row("one", "fake")] * 4,
        *[row("two", "real", p_fake=0.1)] * 12,
        row("two", "no_face", p_fake=None),
        *[row("three", "fake", kind="stills", age="1", sex="f", race="x")] * 2,
        *[row("three", "real", kind="stills", age="70", sex="m", race="x")] * 6,
        *[row("one", "fake", label="FAKE", p_fake=0.9)] * 3,
    ]


def test_an_interval_resamples_sources_and_not_files(script):
    video = script.summarise(rows())["scores"]["video"]
    assert (video["value"], video["clips"], video["sources"]) == (0.25, 16, 2)
    assert (video["low"], video["high"]) == (0.0, 1.0)  # by files it would be about 0.06 to 0.44


def test_what_got_no_number_counts_as_a_file_but_not_among_those_judged(script):
    found = script.summarise(rows())
    assert found["reals"]["video"]["two"] == {"files": 13, "fake": 0, "unsure": 0, "real": 12}
    assert found["fakes"]["swap"] == {"files": 3, "fake": 3, "unsure": 0, "real": 0, "auc": 1.0}


def test_the_young_are_told_apart_from_the_old(script):
    found = script.summarise(rows())
    assert list(found["people"]["age"]) == [" 0 to 2", "60 to 120"]
    told = script.opening(found)
    assert "25 % of 16 real videos" in " ".join(told.split())
    assert "100 % of the children under ten, 0 % of those of thirty and more" in " ".join(told.split())


def test_files_judged_by_different_weights_are_refused(script):
    with pytest.raises(SystemExit, match="one set of weights, got 2"):
        script.summarise([*rows(), row("one", "real", weights="b")])


def test_a_scanned_file_that_the_index_lacks_is_named(script, tmp_path):
    (tmp_path / "index.csv").write_text("path,part,label,family,attributes\n/a.mp4,s,REAL,,\n")
    (tmp_path / "scans.jsonl").write_text(json.dumps({"path": "/b.mp4"}) + "\n")
    with pytest.raises(SystemExit, match=r"lacks /b\.mp4"):
        list(script.read_rows(tmp_path / "index.csv", tmp_path / "scans.jsonl"))
