import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from unmask.errors import DataError, SettingsError
from unmask.judge.calibration import Calibration
from unmask.lab.evaluate.calibrate import (
    METHODS,
    choose_clip,
    choose_thresholds,
    cross_calibrate,
    fit_isotonic,
    fit_temperature,
    probabilities,
    split_folds,
)
from unmask.lab.evaluate.metrics import Scored, log_loss

ROWS = st.lists(st.tuples(st.booleans(), st.integers(-40, 40).map(lambda x: x / 8)), min_size=4, max_size=40)


def drawn(count, *, temperature=3.0, bias=2.0, seed=1):
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 4, count)
    return logits, rng.random(count) < 1 / (1 + np.exp(-(logits + bias) / temperature))


def test_temperature_and_bias_are_found_again():
    found = fit_temperature(*drawn(4000))
    assert found.temperature == pytest.approx(3, rel=0.15) and found.bias == pytest.approx(2, abs=0.5)


@settings(max_examples=40, deadline=None)
@given(ROWS)
def test_temperature_is_the_logistic_regression_of_scikit_learn(rows):
    fake, logits = (np.array(part) for part in zip(*rows, strict=True))
    assume(0 < fake.sum() < len(fake))
    spread = float(np.std(logits)) or 1.0
    theirs = LogisticRegression(C=1.0, solver="newton-cholesky", tol=1e-10).fit(
        logits[:, None] / spread, fake
    )
    assume(theirs.coef_[0, 0] / spread > 2e-3)
    expected = theirs.predict_proba(logits[:, None] / spread)[:, 1]
    np.testing.assert_allclose(probabilities(fit_temperature(logits, fake), logits), expected, atol=2e-4)


@settings(max_examples=40, deadline=None)
@given(ROWS)
def test_isotonic_is_that_of_scikit_learn_within_its_ends(rows):
    fake, logits = (np.array(part) for part in zip(*rows, strict=True))
    assume(0 < fake.sum() < len(fake))
    theirs = IsotonicRegression(out_of_bounds="clip").fit(logits, fake.astype(float))
    places = np.linspace(-6, 6, 97)
    expected, edge = theirs.predict(places), 1 / (len(fake) + 2)
    assume(np.ptp(expected) > 1e-9)
    mine = probabilities(fit_isotonic(logits, fake), places)
    assert mine.min() >= edge - 1e-6 and mine.max() <= 1 - edge + 1e-6
    assert (np.diff(mine) >= 0).all()
    on_knots = probabilities(fit_isotonic(logits, fake), logits)
    np.testing.assert_allclose(on_knots, np.clip(theirs.predict(logits), edge, 1 - edge), atol=1e-6)


def test_isotonic_follows_a_curve_that_no_temperature_fits():
    rng = np.random.default_rng(3)
    logits = rng.uniform(-4, 4, 4000)
    truth = np.where(logits < 0, 0.1, 0.6)
    fake = rng.random(4000) < truth
    curve, line = fit_isotonic(logits, fake), fit_temperature(logits, fake)
    gaps = [np.abs(probabilities(one, logits) - truth).mean() for one in (curve, line)]
    assert gaps[0] < 0.03 < gaps[1]


@pytest.mark.parametrize("method", METHODS)
def test_calibration_of_inverted_scores_or_of_one_class_is_refused(method):
    with pytest.raises(DataError, match="rise with fakes"):
        METHODS[method](np.array([1.0, 2, -1, -2]), np.array([False, False, True, True]))
    with pytest.raises(DataError, match="both classes, got 0 fakes of 2"):
        METHODS[method](np.array([1.0, 2]), np.array([False, False]))


def test_cross_calibration_never_sees_the_clip_it_judges():
    rng = np.random.default_rng(2)
    fake = np.tile([False, True], 30)
    logits = fake * 2 + rng.normal(0, 1.5, 60)
    source = np.repeat(np.arange(30), 2).astype(str)
    before = cross_calibrate(logits, fake, source)
    flipped = fake.copy()
    flipped[:2] = ~flipped[:2]  # changing a label changes no probability of its own original
    np.testing.assert_array_equal(before[:2], cross_calibrate(logits, flipped, source)[:2])
    assert (before[2:] != cross_calibrate(logits, flipped, source)[2:]).any()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from("abcdefgh"), min_size=2, max_size=60), st.integers(2, 10))
def test_folds_hold_every_row_out_once_and_keep_originals_whole(source, folds):
    assume(len(set(source)) > 1)
    source = np.array(source)
    times = np.zeros(len(source), int)
    for fitted, held_out in split_folds(source, folds=folds):
        times += held_out
        assert (fitted ^ held_out).all()
        assert not set(source[fitted]) & set(source[held_out])
    assert (times == 1).all()


@pytest.mark.parametrize("method", METHODS)
def test_probabilities_are_those_of_a_verdict(method):
    logits, fake = drawn(60)
    calibration = METHODS[method](logits, fake)
    one_by_one = [calibration.probability(float(logit)) for logit in logits]
    np.testing.assert_allclose(probabilities(calibration, logits), one_by_one, atol=1.1e-6)


def test_one_original_cannot_be_checked():
    with pytest.raises(DataError, match="2 originals or more, got 1"):
        list(split_folds(np.array(["a", "a"])))


def test_a_clip_is_chosen_for_log_loss():
    fake = np.array([False] * 20 + [True] * 20)
    sure = Scored(fake, np.where(fake, 1.0, 0.0), np.arange(40))
    assert choose_clip(sure) == 0.001
    wrong = sure.p_fake.copy()
    wrong[:4] = 1  # one real in five is surely fake
    hedged = Scored(fake, wrong, sure.source)
    assert choose_clip(hedged) == 0.12
    assert log_loss(hedged, clip=0.12) < log_loss(hedged, clip=0.01)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=60), st.sampled_from([0, 0.05, 0.2, 0.5]))
def test_thresholds_keep_the_wanted_false_alarm_rate(p_real, rate):
    p_real = np.round(p_real, 6)
    found = choose_thresholds(p_real, false_alarm_rate=rate)
    if found.fake_at_least < 1:
        assert np.mean(p_real >= found.fake_at_least) <= rate
        assert np.mean(p_real >= found.fake_at_least - 0.0101) > rate  # and no higher than needed


@pytest.mark.parametrize(
    "points", [((0.0, 0.5),), ((0.0, 0.5), (0.0, 0.6)), ((0.0, 0.6), (1.0, 0.5)), ((0.0, 0.1), (1.0, 1.1))]
)
def test_a_curve_must_rise(points):
    with pytest.raises(SettingsError, match="two points or more, of rising"):
        Calibration(isotonic=points)
