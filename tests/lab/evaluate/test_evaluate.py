"""``unmask evaluate`` as a user runs it, and what it says of a small set on which the answer is known."""

import csv
import json
import math
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from command_line import run
from judged_clips import findings, judged, paired_rows
from labelled_clips import write_labelled
from tiny_model import write_tiny_model
from unmask.config import ScanSettings
from unmask.judge.calibration import Calibration
from unmask.lab.evaluate.clips import LabelledClip, read_clips
from unmask.lab.evaluate.examine import Findings
from unmask.lab.evaluate.summary import Judged, summarise
from unmask.lab.pages.evaluation import evaluation_page
from unmask.pipeline import load_scanner


@pytest.fixture(scope="module")
def card(tmp_path_factory):
    return write_tiny_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    return write_labelled(tmp_path_factory.mktemp("clips") / "part")


@pytest.fixture(scope="module")
def report(tmp_path_factory, card, clips):
    folder = tmp_path_factory.mktemp("out") / "report"
    assert run("evaluate", clips, "--model", card, "-o", folder, "--frames", 8, "--fallback", 0.4) == 0
    return folder


@pytest.fixture(scope="module")
def metrics(report):
    return json.loads((report / "metrics.json").read_text())


def test_scores_are_those_of_a_scan_and_failures_carry_none(report, card, clips):
    with (report / "scores.csv").open(newline="") as file:
        rows = {row["name"]: row for row in csv.DictReader(file)}
    assert len(rows) == 8
    settings = ScanSettings(model=str(card))
    scanner = load_scanner(settings)
    for name in ("real0.mp4", "fake2.mp4", "empty.mp4", "broken.mp4"):
        verdict = scanner.scan(clips / name)
        assert rows[name]["outcome"] == verdict.outcome.value
        assert rows[name]["p_fake"] == ("" if verdict.p_fake is None else str(verdict.p_fake))
    assert (rows["empty.mp4"]["outcome"], rows["broken.mp4"]["outcome"]) == ("no_face", "unreadable")
    assert rows["fake1.mp4"]["original"] == "real1.mp4"
    logit = float(rows["fake1.mp4"]["logit"])
    assert float(rows["fake1.mp4"]["p_fake"]) == pytest.approx(1 / (1 + math.exp(-logit)), abs=1e-5)


def test_figures_are_right_where_the_answer_is_known(metrics):
    (model,) = metrics["models"].values()
    assert (metrics["clips"], metrics["fakes"], metrics["originals"]) == (8, 4, 4)
    scored = 6 * ScanSettings().score.min_frames  # half of the eight that were sampled would be fewer
    for level, count in (("video", 6), ("person", 6), ("frame", scored)):
        assert model[level]["auc"]["value"] == 1 and model[level]["count"] == count
    assert model["video"]["pair_accuracy"]["value"] == 1
    real, fake = model["coverage"]["REAL"], model["coverage"]["FAKE"]
    assert (real["clips"], real["judged"], real["no_face"]) == (4, 3, 1)
    assert (fake["clips"], fake["judged"], fake["unreadable"]) == (4, 3, 1)


def test_log_loss_over_all_counts_the_fallback(metrics, report):
    with (report / "scores.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    p_fake = np.clip([float(row["p_fake"] or 0.4) for row in rows], 1e-6, 1 - 1e-6)
    fake = np.array([row["label"] == "FAKE" for row in rows])
    (model,) = metrics["models"].values()
    expected = -np.mean(np.where(fake, np.log(p_fake), np.log(1 - p_fake)))
    assert model["fallback"] == {"p_fake": 0.4, "log_loss": pytest.approx(expected, abs=1e-5)}


class Tags(HTMLParser):
    """Checks that tags close, and gathers what a page would fetch."""

    void = ("meta", "link", "img", "br")

    def __init__(self):
        super().__init__()
        self.open, self.links = [], []

    def handle_starttag(self, tag, attrs):
        self.links += [value for key, value in attrs if key in ("src", "href")]
        if tag not in self.void:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_whole_and_asks_for_nothing(report):
    text = (report / "index.html").read_text()
    tags = Tags()
    tags.feed(text)
    assert not tags.open
    assert tags.links and all(link.startswith("data:") for link in tags.links)
    assert "default-src 'none'" in text and "<script" not in text
    for expected in ("ROC", "Reliability", "clipping", "brightness of the faces", "real0.mp4", "image/jpeg"):
        assert expected in text


def test_a_browser_shows_the_page_without_complaint(report, browser):
    problems = []
    page = browser.new_page(viewport={"width": 480, "height": 800})
    page.on("console", lambda message: problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda r: problems.append(r.url) if r.url.startswith("http") else None)
    page.goto((report / "index.html").as_uri())
    assert page.locator("svg").count() >= 5
    assert page.locator("img").first.evaluate("image => image.naturalWidth") == 6 * 96
    assert page.evaluate("document.documentElement.scrollWidth") <= 480
    assert problems == []


def test_recalibration_helps_an_overconfident_model_and_changes_no_rank(tmp_path):
    rows = paired_rows(60)
    sure = judged(tmp_path, rows, calibration=Calibration(temperature=0.1))
    found = summarise([sure], name="set", draws=50)["models"]["m"]
    assert found["recalibrated"]["log_loss"]["value"] < 0.7 < found["video"]["log_loss"]["value"]
    fitted, sure = (found[key]["rms_calibration_error"] for key in ("recalibrated", "video"))
    assert fitted["low"] == 0 < sure["low"]  # so the card's probabilities are not true
    plain = summarise([judged(tmp_path, rows)], name="set", draws=50)["models"]["m"]
    assert found["video"]["auc"]["value"] == pytest.approx(plain["video"]["auc"]["value"], abs=0.02)


def test_two_models_stand_side_by_side_with_their_difference(tmp_path):
    weak, strong = paired_rows(40, gap=0.2), paired_rows(40, gap=3.0)
    pair = [judged(tmp_path, strong, name="strong"), judged(tmp_path, weak, name="weak")]
    summary = summarise(pair, name="set", draws=100)
    (gap,) = summary["differences"]
    assert (gap["first"], gap["second"], gap["clips"]) == ("strong", "weak", 80)
    assert gap["auc"]["value"] > 0.2 and gap["auc"]["p_value"] < 0.05
    assert "strong less weak" in evaluation_page(summary, pair)


def test_a_model_that_judged_one_class_only_is_told_and_nothing_is_made_up(tmp_path):
    rows = paired_rows(5)
    one = judged(tmp_path, rows)
    blind = [
        f if clip.fake else Findings(problem="gone") for f, clip in zip(one.findings, one.clips, strict=True)
    ]
    half = Judged("m", one.card, one.clips, blind, one.settings)
    summary = summarise([half], name="set", draws=20)
    assert "video" not in summary["models"]["m"]
    assert "both classes are needed, got 5 fakes of 5" in summary["models"]["m"]["problem"]
    assert "both classes are needed" in evaluation_page(summary, [half])


def test_names_from_outside_stay_text_on_the_page(tmp_path):
    one = judged(tmp_path, paired_rows(3))
    evil = "<script>alert(1)</script>.mp4"
    clips = [LabelledClip(evil, evil, True, one.clips[0].name), *one.clips]
    findings_ = [findings(-9.0), *one.findings]
    more = Judged("m", one.card, clips, findings_, one.settings)
    page = evaluation_page(summarise([more], name="<b>", draws=20), [more])
    assert "<script" not in page and "<b>" not in page.split("<body>")[1].split("</h1>")[0]


BAD = {
    "no class": ("path,label\na.mp4,REAL\nb.mp4,REAL\n", "both classes are needed, got 0 FAKE and 2 REAL"),
    "no label": ("path,label\na.mp4,\nb.mp4,FAKE\n", "line 2: label must be REAL or FAKE, got ''"),
    "other label": ("path,label\na.mp4,fake?\n", "label must be REAL or FAKE, got 'fake?'"),
    "twice": ("path,label\na.mp4,REAL\nx/a.mp4,FAKE\n", "must come once, came twice: a.mp4"),
    "fake original": (
        "path,label,original\na.mp4,FAKE,b.mp4\nb.mp4,FAKE,c.mp4\nc.mp4,REAL,\n",
        "the original of a FAKE must be a REAL clip, is a FAKE for a.mp4",
    ),
    "real of another": ("path,label,original\na.mp4,REAL,c.mp4\n", "a REAL clip must have no original"),
    "no path": ("path,label\n,REAL\n", "line 2 must name a path"),
    "no columns": ("a,b\n1,2\n", "must have the columns of an index"),
    "bytes": (b"path,label\n\xff\xfe,REAL\n", "cannot be read"),
}


def test_the_original_of_a_fake_need_not_be_known(tmp_path):
    table = tmp_path / "labels.csv"
    table.write_text("path,label\na.mp4,FAKE\nb.mp4,REAL\n", encoding="utf-8")
    fake, real = read_clips([table])
    assert (fake.fake, fake.original, real.original) == (True, "a.mp4", "b.mp4")


@pytest.mark.parametrize(("table", "message"), BAD.values(), ids=BAD)
def test_bad_tables_end_with_rule_and_value(tmp_path, capsys, table, message):
    path = tmp_path / "labels.csv"
    path.write_bytes(table if isinstance(table, bytes) else table.encode())
    assert run("evaluate", path, "-o", tmp_path / "out") == 2
    found = capsys.readouterr().err
    assert message in found and "Traceback" not in found


def test_other_bad_input_ends_with_rule_and_value(tmp_path, capsys, clips):
    for arguments, message in (
        ((tmp_path / "absent", "-o", tmp_path / "o"), "absent"),
        ((clips, "-o", clips / "metadata.json"), "--output must be a folder that can be written to"),
        ((clips, "-o", tmp_path / "o", "--fallback", "1"), "--fallback must be between 0 and 1"),
        ((clips, "-o", tmp_path / "o", "--frames", "0"), "frames must be 1 to 10000"),
        ((clips, "-o", tmp_path / "o", "--model", tmp_path / "no.json"), "no readable model card"),
        ((clips, "-o", tmp_path / "o", "--peer", "xception=a"), "unknown peer 'xception'"),
    ):
        assert run("evaluate", *arguments) == 2
        found = capsys.readouterr().err
        assert message in found and "Traceback" not in found


def test_a_page_never_stands_beside_figures_of_another_run(tmp_path, monkeypatch):
    from unmask.cli.lab.evaluate import _write

    one = [judged(tmp_path, paired_rows(5))]
    summary = summarise(one, name="set", draws=5)
    _write(tmp_path, summary, one)
    page = (tmp_path / "index.html").read_text()
    earlier = {file.name: file.read_bytes() for file in tmp_path.iterdir() if file.is_file()}

    def refuse(*_, **__):
        raise OSError("no space left")

    def refuse_figures(draft, target, whole=Path.replace):
        return refuse() if target.name == "metrics.json" else whole(draft, target)

    with monkeypatch.context() as patch:  # before anything takes its place
        patch.setattr(Path, "write_text", refuse)
        with pytest.raises(OSError, match="no space left"):
            _write(tmp_path, summary, one)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir() if file.is_file()} == earlier
    with monkeypatch.context() as patch:  # and while they do
        patch.setattr(Path, "replace", refuse_figures)
        with pytest.raises(OSError, match="no space left"):
            _write(tmp_path, summary, one)
    assert not (tmp_path / "index.html").exists()
    _write(tmp_path, summary, one)
    assert (tmp_path / "index.html").read_text() == page
