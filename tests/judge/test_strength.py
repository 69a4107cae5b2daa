"""How strongly a probability speaks for one of two propositions."""

import math

import pytest

from unmask.errors import SettingsError
from unmask.judge.calibration import Calibration
from unmask.judge.strength import strength_of

SPREAD = ((-4.6, -5.5, -3.5), (0.0, -0.4, 0.5), (4.6, 3.0, 6.0))
MEASURED = Calibration(spread=SPREAD, sources=500)


@pytest.mark.parametrize("p_fake", [0.05, 0.3, 0.5, 0.8, 0.97])
def test_the_ratio_is_the_odds_since_fakes_count_as_often_as_reals(p_fake):
    found = strength_of(p_fake, MEASURED)
    assert found.likelihood_ratio == pytest.approx(p_fake / (1 - p_fake), rel=1e-3)
    assert found.low < found.likelihood_ratio < found.high and found.base_rate == 0.5


def test_the_interval_is_that_of_the_sources():
    found = strength_of(0.5, MEASURED)
    assert (found.low, found.high) == pytest.approx((math.exp(-0.4), math.exp(0.5)), rel=1e-3)


@pytest.mark.parametrize("sources", [1, 9, 51])
def test_a_few_sources_support_no_more_than_about_as_many_to_one(sources):
    few = Calibration(spread=SPREAD, sources=sources)
    for p_fake in (0.999, 0.001):
        found = strength_of(p_fake, few)
        ends = found.likelihood_ratio, found.low, found.high
        assert all(0.999 / (sources + 1) <= end <= 1.001 * (sources + 1) for end in ends)


def test_nothing_is_told_where_nothing_was_measured():
    assert strength_of(0.9, Calibration()) is None


BAD = {
    "falling": {"spread": ((1.0, 0.5, 1.5), (0.0, -0.5, 0.5)), "sources": 3},
    "outside": {"spread": ((1.0, 1.5, 2.5),), "sources": 3},
    "endless": {"spread": ((1.0, -math.inf, 2.5),), "sources": 3},
    "of nobody": {"spread": SPREAD},
    "of nothing": {"sources": 3},
    "negative": {"spread": SPREAD, "sources": -1},
}


@pytest.mark.parametrize("values", BAD.values(), ids=BAD)
def test_a_spread_that_breaks_a_rule_is_refused(values):
    with pytest.raises(SettingsError, match="spread"):
        Calibration(**values)
