import pytest

from unmask.judge.alone import needed_alone
from unmask.judge.calibration import Calibration

CALIBRATION = Calibration(real_mean=-2.0, real_std=1.5)


@pytest.mark.parametrize("looks", [2, 10, 58])
def test_a_look_that_needs_no_others_reaches_just_what_the_film_must(looks):
    needed = needed_alone(0.8, CALIBRATION, looks=looks)
    calm = [0.05] * (looks - 1)
    assert CALIBRATION.among_many([needed + 1e-4, *calm]) >= 0.8
    assert CALIBRATION.among_many([needed - 1e-3, *calm]) < 0.8


def test_the_more_looks_the_more_it_takes():
    found = [needed_alone(0.8, CALIBRATION, looks=looks) for looks in (1, 2, 58, 5000)]
    assert found[0] == 0.8 and found == sorted(found) and found[2] < 1 >= found[-1]
