import json
import math
from dataclasses import replace

import numpy as np
import pytest

from tiny_model import write_tiny_model
from unmask.config import ScanSettings
from unmask.judge.calibration import LEAST_P_FAKE, MOST_P_FAKE, Thresholds, from_log_odds
from unmask.judge.card import read_card
from unmask.judge.conclude import About, conclude
from unmask.judge.footage import Look
from unmask.judge.stored import read_verdict
from unmask.judge.verdict import Evidence
from unmask.reasons import because
from unmask.types import Face, Track
from unmask.verdicts import Outcome

FRAMES = 10


def look(*logits, start=0.0, until=10.0):
    """A shot of ten seconds with a face for each logit."""
    face = Face(np.array([0, 0, 100, 100], np.float32), np.zeros((5, 2), np.float32), 0.9)
    tracks = tuple(Track(i, tuple(range(FRAMES)), (face,) * FRAMES) for i in range(len(logits)))
    evidence = Evidence(
        tuple(start + i for i in range(FRAMES)),
        tracks,
        {i: dict.fromkeys(range(FRAMES), logit) for i, logit in enumerate(logits)},
    )
    return Look(True, start, start + 10.0, 0.0, until, evidence, worse={"jpeg": evidence})


def concluded(tmp_path, *looks, **settings):
    card = read_card(write_tiny_model(tmp_path))
    return conclude(looks, About("a.mp4", None), card, ScanSettings(stability=True, **settings))


def numbers(value):
    """Every p_fake in what is printed as JSON."""
    if isinstance(value, dict):
        for key, one in value.items():
            found = one.values() if key == "p_fake" and isinstance(one, dict) else [one]
            yield from (p for p in found if key == "p_fake" and p is not None)
            yield from numbers(one)
    elif isinstance(value, list):
        for one in value:
            yield from numbers(one)


@pytest.mark.parametrize("logit", [-400.0, -30.0, 0.0, 30.0, 400.0])
def test_nothing_that_is_said_is_certain(tmp_path, logit):
    shots = look(logit, logit - 1, until=20.0), look(logit, start=10.0, until=20.0)
    verdict = concluded(tmp_path, *shots)
    found = list(numbers(json.loads(json.dumps(verdict.to_dict()))))
    assert len(found) > 3 * FRAMES
    assert all(LEAST_P_FAKE <= p <= MOST_P_FAKE for p in found)
    assert "1.00" not in verdict.reason and "0.00" not in verdict.reason


def test_files_that_share_the_bound_keep_their_order(tmp_path):
    found = [concluded(tmp_path, look(logit)) for logit in (5.0, 7.0, 9.0)]
    assert {one.p_fake for one in found} == {MOST_P_FAKE}
    ranks = [one.log_odds for one in found]
    assert ranks == sorted(set(ranks))
    scale = read_card(write_tiny_model(tmp_path)).calibration
    assert from_log_odds(ranks[0]) == pytest.approx(scale.probability(5.0), abs=1e-6)


def test_what_is_said_is_what_is_judged(tmp_path):
    assert concluded(tmp_path, look(400.0), threshold=MOST_P_FAKE).outcome == "fake"
    assert concluded(tmp_path, look(400.0), threshold=0.995).outcome == "unsure"


def test_nothing_is_real_of_which_a_part_was_not_looked_at(tmp_path):
    unseen = because("other_streams", streams=1, first=1)
    assert concluded(tmp_path, look(-5.0)).outcome == "real"
    verdict = concluded(tmp_path, replace(look(-5.0), notes=(unseen,)))
    assert verdict.outcome == "unsure" and verdict.reasons[0] == unseen and verdict.reasons.count(unseen) == 1
    assert verdict.p_fake == concluded(tmp_path, look(-5.0)).p_fake
    fake = concluded(tmp_path, replace(look(5.0), notes=(unseen,)))
    assert fake.outcome == "fake" and fake.reasons[-1] == unseen


def test_a_verdict_with_its_rank_is_read_back(tmp_path):
    verdict = concluded(tmp_path, look(3.0))
    assert math.isfinite(verdict.log_odds) and read_verdict(json.dumps(verdict.to_dict())) == verdict


def test_of_a_single_picture_less_is_said(tmp_path):
    card = read_card(write_tiny_model(tmp_path))  # 0.7 and 0.3 for videos
    careful = replace(card, still_thresholds=Thresholds(0.95, 0.05))
    face = Face(np.array([0, 0, 100, 100], np.float32), np.zeros((5, 2), np.float32), 0.9)
    logit = math.log(0.8 / 0.2)
    evidence = Evidence((0.0,), (Track(0, (0,), (face,)),), {0: {0: logit}})
    still = Look(True, 0.0, 0.0, 0.0, 0.0, evidence)
    about = About("a.jpg", None)
    assert conclude([still], about, card, ScanSettings()).outcome is Outcome.FAKE
    found = conclude([still], about, careful, ScanSettings())
    assert found.outcome is Outcome.UNSURE and found.is_still
    assert conclude([look(logit)], about, careful, ScanSettings()).outcome is Outcome.FAKE  # a video
    assert conclude([still], about, careful, ScanSettings(threshold=0.75)).outcome is Outcome.FAKE
