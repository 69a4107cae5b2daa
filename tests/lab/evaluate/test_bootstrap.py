import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from unmask.errors import DataError
from unmask.lab.evaluate.bootstrap import compare, measure
from unmask.lab.evaluate.metrics import (
    PROBABILITY,
    RANKING,
    Scored,
    at_threshold,
    auc,
    log_loss,
    pair_accuracy,
    rms_calibration_error,
)


def pairs(count, *, gap, noise=0.2, seed=0):
    """Reals beside their fakes, whose scores are higher by ``gap`` in the mean."""
    rng = np.random.default_rng(seed)
    fake = np.tile([False, True], count)
    p_fake = np.clip(0.5 + gap * (fake - 0.5) + rng.normal(0, noise, 2 * count), 0, 1)
    return Scored(fake, p_fake, np.repeat(np.arange(count), 2).astype(str))


def test_intervals_hold_the_value_and_are_the_same_each_time():
    one = pairs(60, gap=0.15)
    found = measure(one, RANKING, draws=300)
    for name, figure in found.items():
        assert figure.low <= figure.value <= figure.high, name
    assert found["auc"].value == auc(one)
    assert found == measure(one, RANKING, draws=300)
    assert found != measure(one, RANKING, draws=300, seed=1)


CHANCES = st.one_of(st.integers(0, 10).map(lambda tenth: tenth / 10), st.floats(0, 1))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.booleans(), CHANCES, st.sampled_from("abcdefgh")), min_size=2, max_size=20),
    st.integers(0, 99),
)
def test_no_value_lies_outside_its_own_interval(rows, seed):
    fake, p_fake, source = (np.array(column) for column in zip(*rows, strict=True))
    assume(0 < fake.sum() < len(fake))
    every = RANKING | PROBABILITY | at_threshold(0.5)
    for name, figure in measure(Scored(fake, p_fake, source), every, draws=30, seed=seed).items():
        if np.isfinite([figure.value, figure.low]).all():
            assert figure.low <= figure.value <= figure.high, name


def test_an_interval_that_resampling_would_put_beside_the_value_is_widened():
    def originals(one):  # resampling never sees all of them
        return float(len(set(one.source)))

    figure = measure(pairs(30, gap=0.1), {"originals": originals}, draws=50)["originals"]
    assert figure.low < figure.value == figure.high == 30


@pytest.mark.parametrize("clips", [14, 60, 300])
@pytest.mark.parametrize("off", [0.0, 0.2])
def test_intervals_of_the_calibration_error_hold_the_truth(clips, off):
    held = near = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        p_fake = rng.uniform(0.25, 0.75, clips)
        one = Scored(rng.random(clips) < p_fake - off, p_fake, np.arange(clips))
        figure = measure(one, {"error": rms_calibration_error}, draws=100)["error"]
        held += figure.low <= off <= figure.high
        near += abs(figure.value - off) < 0.1
    assert held >= 17
    assert near >= 18 or clips < 300


def test_ninety_five_percent_of_intervals_hold_the_truth():
    held = 0
    for seed in range(40):
        figure = measure(pairs(60, gap=0.2, seed=seed), {"auc": auc}, draws=100)["auc"]
        held += figure.low <= 0.7602 <= figure.high  # Phi(0.2 / (0.2 * sqrt 2)), nearly no clipping
    assert held >= 33


def test_copies_of_a_clip_are_no_new_evidence_when_their_original_is_known():
    alone = pairs(60, gap=0.15)
    copies = Scored(*(np.tile(part, 10) for part in (alone.fake, alone.p_fake, alone.source)))
    blind = Scored(copies.fake, copies.p_fake, np.arange(1200).astype(str))

    def width(one):
        figure = measure(one, {"auc": auc}, draws=200)["auc"]
        return figure.high - figure.low

    assert width(blind) < 0.5 * width(copies)
    assert width(copies) == pytest.approx(width(alone), rel=0.2)


def test_an_original_drawn_twice_counts_twice_and_not_four_times():
    # One of two pairs is ranked right: the mean over draws is a half only if each copy counts once.
    one = Scored(np.array([0, 1, 0, 1], bool), np.array([0.1, 0.2, 0.9, 0.8]), np.array(list("aabb")))
    values = []

    def note(scored):
        values.append(pair_accuracy(scored))
        return values[-1]

    measure(one, {"pairs": note}, draws=400)
    assert np.mean(values) == pytest.approx(0.5, abs=0.05)


def test_a_better_model_is_told_from_an_equal_one():
    weak, strong = pairs(80, gap=0.1), pairs(80, gap=0.4)
    ahead = compare(strong, weak, {"auc": auc, "log_loss": log_loss}, draws=300)
    assert ahead["auc"].value > 0.1 and ahead["auc"].low > 0 and ahead["auc"].p_value < 0.01
    assert ahead["auc"].value == pytest.approx(auc(strong) - auc(weak))
    same = compare(weak, weak, {"auc": auc}, draws=100)["auc"]
    assert (same.value, same.low, same.high, same.p_value) == (0, 0, 0, 1)


def test_pairing_sees_a_small_difference_that_two_intervals_hide():
    first = pairs(60, gap=0.2)
    second = Scored(first.fake, np.clip(first.p_fake + 0.02 * first.fake, 0, 1), first.source)
    apart = measure(first, {"auc": auc}, draws=200)["auc"], measure(second, {"auc": auc}, draws=200)["auc"]
    assert apart[0].high > apart[1].low
    assert compare(second, first, {"auc": auc}, draws=200)["auc"].p_value < 0.05


def test_only_the_same_clips_are_compared():
    with pytest.raises(DataError, match="same clips"):
        compare(pairs(3, gap=0.1), pairs(4, gap=0.1), {"auc": auc})


def test_a_metric_that_no_draw_allows_has_no_interval():
    lonely = Scored(np.array([False, True]), np.array([0.1, 0.9]), np.array(["a", "b"]))
    figure = measure(lonely, {"pairs": pair_accuracy}, draws=50)["pairs"]
    assert np.isnan(figure.value) and np.isnan(figure.low)
