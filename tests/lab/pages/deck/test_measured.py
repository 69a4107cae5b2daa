import json
import shutil

import pytest

from unmask.errors import DataError
from unmask.lab.pages.deck.measured import read_evaluation, read_labels, read_timing


@pytest.fixture
def report(project, tmp_path):
    return shutil.copytree(project.report, tmp_path / "report")


def test_an_evaluation_is_read_back_as_it_was_measured(project):
    found = read_evaluation(project.report)
    (model,) = found.models
    told = json.loads((project.report / "metrics.json").read_text())["models"][model.name]
    assert model.figures["auc"].value == told["video"]["auc"]["value"] == 1
    assert model.fake_at_least == told["fake_at_least"]
    assert sorted(one.name for one in model.answers if one.p_fake is None) == ["empty.mp4"]
    scored = model.scored()
    assert len(scored) == 4 and scored.fake.sum() == 2


def test_a_clip_on_which_unmask_failed_has_no_number(report):
    file = report / "scores.csv"
    file.write_text(file.read_text().replace(",no_face,", ",error,", 1))
    (model,) = read_evaluation(report).models
    assert [(one.name, one.p_fake) for one in model.answers if one.outcome == "error"] == [
        ("empty.mp4", None)
    ]
    assert len(model.scored()) == 4


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (",FAKE,", ",FALSE,", "label must be REAL or FAKE, got 'FALSE'"),
        (",no_face,", ",nobody,", "outcome must be one of"),
        (",no_face,", ",no_face,0.5", "p_fake must be"),
        (",no_face,", ",error,0.5", "p_fake must be"),
        ("model,", "modell,", "lacks model"),
    ],
)
def test_bad_scores_are_named(report, old, new, told):
    file = report / "scores.csv"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
    with pytest.raises(DataError, match=told):
        read_evaluation(report)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda plain: plain.pop("models"), "models must be an object"),
        (lambda plain: plain.update(models={"other": {}}), "must be those of scores.csv"),
        (lambda plain: plain.update(set=3), "set must be a text"),
        (lambda plain: plain.update(originals=-1), "originals must be a whole number"),
        (lambda plain: plain["models"].update(tiny=3), "tiny must be an object"),
        (lambda plain: plain["models"]["tiny"].update(fake_at_least="x"), "fake_at_least of tiny must be"),
        (lambda plain: plain["models"]["tiny"].update(video=3), "video of tiny must be an object"),
        (lambda plain: plain["models"]["tiny"]["video"]["auc"].update(value=[]), "auc must be a number"),
    ],
)
def test_bad_metrics_are_named(report, change, told):
    file = report / "metrics.json"
    plain = json.loads(file.read_text())
    change(plain)
    file.write_text(json.dumps(plain))
    with pytest.raises(DataError, match=told) as caught:
        read_evaluation(report)
    assert str(caught.value).startswith(str(file))


def test_a_submission_is_read_back(project):
    labels = read_labels(project.submission)
    assert len(labels) == 6 and labels.count(0.5) == 2
    timing = read_timing(project.timing)
    assert timing.rows == 6 and timing.seconds > 0
    assert timing.outcomes["no_face"] == timing.outcomes["unreadable"] == 1
    assert timing.frames == {30: 6}


@pytest.mark.parametrize(("text", "told"), [("a.mp4,2", "from 0 to 1, got '2'"), ("", "has none")])
def test_bad_labels_are_named(tmp_path, text, told):
    file = tmp_path / "submission.csv"
    file.write_text(f"filename,label\n{text}")
    with pytest.raises(DataError, match=told):
        read_labels(file)


@pytest.mark.parametrize(
    "changes",
    [
        {"rows": -1},
        {"seconds": "x"},
        {"seconds": -1},
        {"outcomes": 3},
        {"outcomes": {"real": 1.5}},
        {"frames": {"thirty": 1}},
        {"frames": {"9" * 5000: 1}},
        {"fallback": None},
    ],
)
def test_bad_timing_is_named(project, tmp_path, changes):
    file = tmp_path / "submission.json"
    file.write_text(json.dumps(json.loads(project.timing.read_text()) | changes))
    with pytest.raises(DataError, match=r"submission\.json: .*must be"):
        read_timing(file)
