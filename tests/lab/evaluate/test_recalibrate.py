"""``unmask calibrate``: a card that fits somebody's own clips."""

from dataclasses import replace

import numpy as np
import pytest

from command_line import run
from judged_clips import judged, paired_rows
from labelled_clips import write_labelled
from tiny_model import write_tiny_model
from unmask import scan
from unmask.errors import DataError, SettingsError
from unmask.judge.calibration import Calibration, Thresholds
from unmask.judge.card import read_card, read_weights
from unmask.lab.evaluate.recalibrate import recalibrate


@pytest.mark.parametrize("method", ["temperature", "isotonic"])
def test_an_overconfident_card_becomes_honest(tmp_path, method):
    sure = judged(tmp_path, paired_rows(100), calibration=Calibration(temperature=0.1))
    found = recalibrate(sure, name="my set!", method=method, false_alarm_rate=0.1, draws=50)
    assert found.before > 1 > 0.7 > found.figures["log_loss"].value
    assert found.figures["rms_calibration_error"].value < 0.15
    assert found.figures["false_alarms"].value == pytest.approx(0.1, abs=0.08)
    assert found.card.scores["my_set_log_loss"].clips == 200
    assert "nothing" in found.card.scores  # what was measured before stays
    assert found.card.limits[0].startswith(f"Calibrated ({method}) on 200 clips of my set!, 100 of them fake")
    again = recalibrate(judged(tmp_path, paired_rows(100)), name="my set!", method=method, draws=20)
    assert sum(limit.startswith("Calibrated") for limit in again.card.limits) == 1


def test_the_thresholds_of_pictures_go_with_the_calibration_that_they_were_held_under(tmp_path):
    one = judged(tmp_path, paired_rows(30))
    one = replace(one, card=replace(one.card, still_thresholds=Thresholds(0.94, 0.19)))
    assert recalibrate(one, name="set", draws=20).card.still_thresholds is None


def test_the_threshold_keeps_the_wanted_rate_on_the_clips_it_was_fitted_on(tmp_path):
    for rate in (0.0, 0.05, 0.3):
        one = judged(tmp_path, paired_rows(100))
        card = recalibrate(one, name="set", false_alarm_rate=rate, draws=20).card
        logits = np.array([one.logits[place] for place, clip in enumerate(one.clips) if not clip.fake])
        p_real = [card.calibration.probability(logit) for logit in logits]
        share = np.mean(np.array(p_real) >= card.thresholds.fake_at_least)
        assert share <= rate and share >= rate - 0.04


def test_what_cannot_be_fitted_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="unknown method 'platt'; choose from: temperature, isotonic"):
        recalibrate(judged(tmp_path, paired_rows(5)), name="s", method="platt")
    with pytest.raises(SettingsError, match="false_alarm_rate must be 0 to below 1, got 1"):
        recalibrate(judged(tmp_path, paired_rows(5)), name="s", false_alarm_rate=1.0)
    with pytest.raises(DataError, match="rise with fakes"):
        recalibrate(judged(tmp_path, paired_rows(30, gap=-4.0)), name="s")


def test_one_command_calibrates_and_a_scan_uses_it(tmp_path, capsys):
    model = write_tiny_model(tmp_path / "model", calibration={"temperature": 0.05, "bias": 0.0})
    clips = write_labelled(tmp_path / "clips", originals=3)
    output = tmp_path / "mine" / "card.json"
    assert run("calibrate", clips, "--model", model, "-o", output, "--frames", 8) == 0
    assert "fitted on 6 clips" in capsys.readouterr().out
    card = read_card(output)
    assert read_weights(card, output.parent)
    assert card.calibration.temperature > 0.05 and "clips_auc" in card.scores
    before, after = scan(clips / "fake0.mp4", model=model), scan(clips / "fake0.mp4", model=output)
    assert before.p_fake == 0.99 and before.log_odds > 13  # as sure as a number can be
    assert 0.5 < after.p_fake <= 0.99 and 0 < after.log_odds < before.log_odds
    (output.parent / "tiny.onnx").write_bytes(b"other")
    assert run("calibrate", clips, "--model", model, "-o", output, "--frames", 8) == 2
    assert "holds other weights" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("-o", "card.txt"), "--output must name a card, a .json file"),
        (("-o", "card.json", "--method", "x"), "choose from: temperature, isotonic"),
        (("-o", "card.json", "--false-alarms", "2"), "--false-alarms must be 0 to below 1, got 2.0"),
    ],
)
def test_bad_input_ends_with_rule_and_value(tmp_path, capsys, arguments, message):
    assert run("calibrate", tmp_path, *arguments) == 2
    assert message in capsys.readouterr().err
