from data_sets import load_crasher
from unmask.work.in_step import Failure, do_all


def test_a_crash_costs_one_task():
    found = dict(do_all([1, 2, 3, 4], load_crasher, jobs=2, limit_seconds=60))
    assert isinstance(found.pop(3), Failure) and found == {1: -1, 2: -2, 4: -4}
