import numpy as np
import pytest
import sklearn.metrics as reference
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from unmask.errors import DataError
from unmask.lab.evaluate.metrics import (
    PROBABILITY,
    RANKING,
    Scored,
    accuracy,
    auc,
    average_precision,
    brier,
    equal_error_rate,
    false_alarms,
    log_loss,
    pair_accuracy,
    precision_recall,
    recall,
    recall_at_false_alarms,
    rms_calibration_error,
    roc,
    squared_calibration_error,
)


def scored(fake, p_fake, source=None):
    source = range(len(fake)) if source is None else source
    return Scored(np.array(fake, bool), np.array(p_fake, float), np.array([str(s) for s in source]))


# Few distinct values, so that ties are common.
LEVELS = st.one_of(st.integers(0, 10).map(lambda tenth: tenth / 10), st.floats(0, 1))
ROWS = st.lists(st.tuples(st.booleans(), LEVELS), min_size=2, max_size=40)
PERFECT = scored([0, 0, 1, 1], [0.0, 0.0, 1.0, 1.0], "abab")
WORST = scored([0, 0, 1, 1], [1.0, 1.0, 0.0, 0.0], "abab")


@pytest.mark.parametrize(
    ("name", "best", "worst"),
    [
        ("auc", 1, 0),
        ("pair_accuracy", 1, 0),
        ("average_precision", 1, 0.5),
        ("equal_error_rate", 0, 1),
        ("recall_at_1_percent_false_alarms", 1, 0),
        ("recall_at_5_percent_false_alarms", 1, 0),
        ("log_loss", 0, 13.8),
        ("brier", 0, 1),
        ("rms_calibration_error", 0, 1),
    ],
)
def test_each_metric_knows_perfect_and_worst(name, best, worst):
    metric = (RANKING | PROBABILITY)[name]
    assert metric(PERFECT) == pytest.approx(best, abs=1e-4)
    assert metric(WORST) == pytest.approx(worst, abs=0.1)


def test_knowing_nothing_scores_as_chance():
    blind = scored([0, 1] * 50, [0.5] * 100)
    assert auc(blind) == 0.5
    assert log_loss(blind) == pytest.approx(np.log(2))
    assert brier(blind) == 0.25
    assert equal_error_rate(blind) == pytest.approx(0.5)


@settings(max_examples=40, deadline=None)
@given(ROWS)
def test_metrics_are_those_of_scikit_learn(rows):
    fake, p_fake = zip(*rows, strict=True)
    assume(len(set(fake)) == 2)
    mine, close = scored(fake, p_fake), lambda value: pytest.approx(value, abs=1e-9)
    assert auc(mine) == close(reference.roc_auc_score(fake, p_fake))
    assert average_precision(mine) == close(reference.average_precision_score(fake, p_fake))
    assert brier(mine) == close(reference.brier_score_loss(fake, p_fake))
    clipped = np.clip(p_fake, 0.01, 0.99)
    assert log_loss(mine, clip=0.01) == close(reference.log_loss(fake, clipped, labels=[False, True]))
    called = np.array(p_fake) >= 0.4
    assert accuracy(mine, threshold=0.4) == close(reference.accuracy_score(fake, called))
    assert recall(mine, threshold=0.4) == close(reference.recall_score(fake, called))
    real = ~np.array(fake)
    assert false_alarms(mine, threshold=0.4) == close(1 - reference.recall_score(real, ~called))


@settings(max_examples=40, deadline=None)
@given(ROWS)
def test_curves_are_those_of_scikit_learn(rows):
    fake, p_fake = zip(*rows, strict=True)
    assume(len(set(fake)) == 2)
    mine = scored(fake, p_fake)
    alarms, hits, thresholds = reference.roc_curve(fake, p_fake, drop_intermediate=False)
    curve = roc(mine)
    np.testing.assert_allclose(curve.false_alarms, alarms)
    np.testing.assert_allclose(curve.hits, hits)
    np.testing.assert_allclose(curve.thresholds, thresholds)
    precision, found, _ = reference.precision_recall_curve(fake, p_fake)
    my_precision, my_recall = precision_recall(mine)
    np.testing.assert_allclose(my_precision[::-1], precision[:-1])
    np.testing.assert_allclose(my_recall[::-1], found[:-1])
    assert recall_at_false_alarms(mine, rate=0.2) == pytest.approx(hits[alarms <= 0.2].max())


def test_equal_error_rate_lies_where_alarms_and_misses_meet():
    rng = np.random.default_rng(0)
    fake = rng.random(4000) < 0.5
    mine = scored(fake, 1 / (1 + np.exp(-(fake * 2 - 1 + rng.normal(0, 1, 4000)))))
    rate = equal_error_rate(mine)
    assert rate == pytest.approx(0.1587, abs=0.02)  # two unit normals, two apart: Phi(-1)
    assert recall_at_false_alarms(mine, rate=rate) == pytest.approx(1 - rate, abs=0.005)


def drawn(clips, *, off, seed):
    """Probabilities that are too high by ``off``, and what came of them, each clip by itself."""
    rng = np.random.default_rng(seed)
    p_fake = rng.uniform(0.25, 0.75, clips)
    return scored(rng.random(clips) < p_fake - off, p_fake)


def test_calibration_error_is_the_gap_between_stated_and_true_frequency():
    p_fake = np.repeat([0.1, 0.3, 0.5, 0.7, 0.9], 200)
    fake = np.concatenate([[True] * n + [False] * (200 - n) for n in (20, 60, 100, 140, 180)])
    assert rms_calibration_error(scored(fake, p_fake)) == 0
    gaps = np.array([0.8, 0.4, 0, 0.4, 0.8])
    assert rms_calibration_error(scored(~fake, p_fake)) == pytest.approx(np.sqrt(np.mean(gaps**2)), abs=0.01)


@settings(max_examples=12, deadline=None)
@given(clips=st.integers(14, 60), off=st.sampled_from([0.0, 0.1, 0.2]), seed=st.integers(0, 2**20))
def test_luck_adds_nothing_to_the_calibration_error_in_the_mean(clips, off, seed):
    found = []
    for number in range(300):
        try:
            found.append(squared_calibration_error(drawn(clips, off=off, seed=(seed, number))))
        except DataError:  # one class only
            continue
    error_of_mean = np.std(found) / np.sqrt(len(found))
    assert np.mean(found) == pytest.approx(off**2, abs=5 * error_of_mean)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.booleans(), LEVELS, st.sampled_from("abc")), min_size=2, max_size=25))
def test_only_clips_of_different_originals_are_held_against_each_other(rows):
    fake, p_fake, source = zip(*sorted(rows, key=lambda row: row[1]), strict=True)
    assume(len(set(fake)) == 2)
    squared, clips = 0.0, 0
    for part in np.array_split(np.arange(len(rows)), max(1, min(5, len(rows) // 2))):
        missed = [(p_fake[i] - fake[i], source[i]) for i in part]
        products = [one * other for one, a in missed for other, b in missed if a != b]
        if products:
            squared, clips = squared + len(part) * np.mean(products), clips + len(part)
    found = squared_calibration_error(scored(fake, p_fake, source))
    assert found == pytest.approx(squared / clips if clips else np.nan, nan_ok=True)


def test_pairs_compare_a_fake_with_its_own_original_only():
    assert pair_accuracy(scored([0, 1, 0, 1], [0.1, 0.2, 0.8, 0.9], "aabb")) == 1
    assert pair_accuracy(scored([0, 1, 0, 1], [0.1, 0.2, 0.8, 0.7], "aabb")) == 0.5
    assert pair_accuracy(scored([0, 1, 0, 1], [0.5, 0.5, 0.5, 0.5], "aabb")) == 0.5
    assert np.isnan(pair_accuracy(scored([0, 1], [0.1, 0.9], "ab")))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.booleans(), LEVELS, st.sampled_from("abc")), min_size=2, max_size=25))
def test_pairs_count_as_when_counted_one_by_one(rows):
    fake, p_fake, source = zip(*rows, strict=True)
    assume(len(set(fake)) == 2)
    shares = []
    for is_fake, score, name in rows:
        originals = [p for f, p, s in rows if s == name and not f]
        if is_fake and originals:
            shares.append(np.mean([(score > p) + (score == p) / 2 for p in originals]))
    found = pair_accuracy(scored(fake, p_fake, source))
    assert found == pytest.approx(np.mean(shares) if shares else np.nan, nan_ok=True)


def test_one_class_or_uneven_lengths_are_refused():
    with pytest.raises(DataError, match="both classes are needed, got 2 fakes of 2"):
        scored([1, 1], [0.5, 0.5])
    with pytest.raises(DataError, match="equally long"):
        scored([1, 0], [0.5])
