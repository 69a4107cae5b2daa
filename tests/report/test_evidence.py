from dataclasses import replace

import pytest

from films import interview
from judged_files import judged_file, page_of
from unmask.report.evidence import MANIPULATED, RECORDED, conclusions, evidence, strength_told
from unmask.report.words import Words
from unmask.verdicts import Outcome, Strength


@pytest.mark.parametrize(
    ("outcome", "strength", "recorded", "manipulated"),
    [
        (Outcome.FAKE, Strength(30.0, 11.0, 60.0, 0.5), "inconsistent", "consistent"),
        (Outcome.FAKE, Strength(30.0, 3.0, 60.0, 0.5), "inconclusive", "consistent"),
        (Outcome.FAKE, None, "inconclusive", "consistent"),
        (Outcome.REAL, Strength(0.03, 0.01, 0.09, 0.5), "consistent", "inconsistent"),
        (Outcome.REAL, Strength(0.03, 0.01, 0.4, 0.5), "consistent", "inconclusive"),
        (Outcome.UNSURE, Strength(1.1, 0.5, 2.0, 0.5), "inconclusive", "inconclusive"),
    ],
)
def test_a_conclusion_has_one_of_three_forms_for_each_proposition(outcome, strength, recorded, manipulated):
    found = conclusions(replace(interview(), outcome=outcome, p_fake=0.5, strength=strength))
    assert found == {RECORDED: recorded, MANIPULATED: manipulated}


def test_strength_is_told_towards_the_side_that_it_supports():
    neutral = strength_told(Strength(1.31, 0.94, 1.86, 0.5), Words("en"))
    assert neutral.startswith("The evidence is practically neutral:") and len(neutral) < 200
    assert "likelihood ratio 1.31 to 1 for manipulation, 95 % interval 0.94 to 1.86" in neutral
    other = strength_told(Strength(0.8, 0.5, 1.0, 0.5), Words("de"))
    assert other.startswith("Der Befund ist praktisch neutral") and "1,25 zu 1 für Gesichter" in other
    fake = strength_told(Strength(20.0, 8.0, 40.0, 0.5), Words("en"))
    assert "20.00 times" in fake and "8.00 to 40.00" in fake and "moderate support for manipulation" in fake
    real = strength_told(Strength(0.25, 0.125, 0.5, 0.5), Words("de"))
    assert "4,00-mal" in real and "2,00 bis 8,00" in real and "schwach" in real


def test_the_report_says_propositions_interval_scale_and_cap(tmp_path):
    spread = [[-4.6, -5.5, -3.5], [0.0, -0.4, 0.5], [4.6, 3.0, 6.0]]
    calibration = {"temperature": 1.0, "bias": 0.0, "spread": spread, "sources": 48}
    verdict, source, options = judged_file(tmp_path, calibration=calibration)
    page = page_of(verdict, source, options, heat_map=False)
    for told in ("All faces are as recorded", "swapped, reenacted or generated", "95 % interval", "ENFSI"):
        assert told in page
    assert "rests on 48 sources, so more than 49 to 1 is never told" in page
    assert "about 5 would be called manipulated as well" in page
    assert verdict.strength.likelihood_ratio <= 49


def test_where_nobody_was_judged_there_is_no_conclusion(tmp_path):
    from judged_files import told_of
    from tiny_model import write_tiny_model
    from unmask.judge.card import read_card

    card = read_card(write_tiny_model(tmp_path))
    nobody = replace(interview(), outcome=Outcome.NO_FACE, p_fake=None)
    assert evidence(told_of(nobody, card, card.thresholds)) == ""
