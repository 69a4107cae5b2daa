import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from unmask.errors import DataError
from unmask.evaluate.calibrate import cross_calibrate, fit_calibration
from unmask.evaluate.metrics import METRICS, Scored, auc, interval, pair_accuracy


def scored(fake, p_fake, source=None):
    source = range(len(fake)) if source is None else source
    return Scored(np.array(fake, bool), np.array(p_fake, float), np.array([str(s) for s in source]))


PERFECT = scored([0, 0, 1, 1], [0.0, 0.0, 1.0, 1.0], "abab")
WORST = scored([0, 0, 1, 1], [1.0, 1.0, 0.0, 0.0], "abab")


@pytest.mark.parametrize(
    ("name", "best", "worst"),
    [
        ("auc", 1, 0),
        ("pair_accuracy", 1, 0),
        ("log_loss", 0, 13.8),
        ("calibration_error", 0, 1),
        ("equal_error_rate", 0, 1),
        ("recall_at_5_percent_false_alarms", 1, 0),
    ],
)
def test_each_metric_knows_perfect_and_worst(name, best, worst):
    assert METRICS[name](PERFECT) == pytest.approx(best, abs=1e-4)
    assert METRICS[name](WORST) == pytest.approx(worst, abs=0.1)


def test_knowing_nothing_scores_as_chance():
    blind = scored([0, 1] * 50, [0.5] * 100)
    assert auc(blind) == 0.5
    assert METRICS["log_loss"](blind) == pytest.approx(np.log(2))
    assert METRICS["equal_error_rate"](blind) == pytest.approx(0.5)


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1)), min_size=2, max_size=40))
def test_auc_is_that_of_scikit_learn(rows):
    fake = [row[0] for row in rows]
    if len(set(fake)) == 2:
        assert auc(scored(fake, [row[1] for row in rows])) == roc_auc_score(fake, [row[1] for row in rows])


def test_pairs_compare_a_fake_with_its_own_original_only():
    assert pair_accuracy(scored([0, 1, 0, 1], [0.1, 0.2, 0.8, 0.9], "aabb")) == 1
    assert pair_accuracy(scored([0, 1, 0, 1], [0.1, 0.2, 0.8, 0.7], "aabb")) == 0.5
    assert pair_accuracy(scored([0, 1, 0, 1], [0.5, 0.5, 0.5, 0.5], "aabb")) == 0.5


def test_one_class_or_uneven_lengths_are_refused():
    with pytest.raises(DataError, match="both classes are needed, got 2 fakes of 2"):
        scored([1, 1], [0.5, 0.5])
    with pytest.raises(DataError, match="equally long"):
        scored([1, 0], [0.5])


def test_intervals_hold_the_value_and_widen_with_dependence():
    rng = np.random.default_rng(0)
    fake = np.tile([0, 1], 60)
    p_fake = np.clip(0.5 + 0.15 * (fake - 0.5) + rng.normal(0, 0.2, 120), 0, 1)
    alone = scored(fake, p_fake)
    low, high = interval(auc, alone, draws=300)
    assert low < auc(alone) < high
    # The same clips ten times over are no new evidence when their source is known.
    copies = Scored(np.tile(alone.fake, 10), np.tile(alone.p_fake, 10), np.tile(alone.source, 10))
    blind = Scored(copies.fake, copies.p_fake, np.arange(1200).astype(str))

    def width(one):
        low, high = interval(auc, one, draws=200)
        return high - low

    assert width(blind) < 0.5 * width(copies)


def test_calibration_finds_temperature_and_bias_again():
    rng = np.random.default_rng(1)
    logits = rng.normal(0, 4, 4000)
    fake = rng.random(4000) < 1 / (1 + np.exp(-(logits + 2) / 3))
    found = fit_calibration(logits, fake)
    assert found.temperature == pytest.approx(3, rel=0.15) and found.bias == pytest.approx(2, abs=0.5)


def test_calibration_of_inverted_scores_is_refused():
    with pytest.raises(DataError, match="rise with fakes"):
        fit_calibration(np.array([1.0, 2, -1, -2]), np.array([False, False, True, True]))


def test_cross_calibration_never_sees_the_clip_it_judges():
    rng = np.random.default_rng(2)
    fake = np.tile([False, True], 30)
    logits = fake * 2 + rng.normal(0, 1.5, 60)
    source = np.repeat(np.arange(30), 2).astype(str)
    before = cross_calibrate(logits, fake, source)
    flipped = fake.copy()
    flipped[:2] = ~flipped[:2]  # changing a label changes no probability of its own source
    np.testing.assert_array_equal(before[:2], cross_calibrate(logits, flipped, source)[:2])
