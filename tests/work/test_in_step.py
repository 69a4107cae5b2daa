from data_sets import load_crasher
from unmask.work.in_step import Failure, do_all


def test_a_crash_costs_one_task():
    found = dict(do_all([1, 2, 3, 4], load_crasher, jobs=2, limit_seconds=60))
    assert isinstance(found.pop(3), Failure) and found == {1: -1, 2: -2, 4: -4}


class Unreadable:
    """A task whose worker cannot take it in, as one of a class that the child process cannot import."""

    def __reduce__(self):
        return int, ("no number",)


def test_a_task_that_cannot_be_read_by_its_worker_is_a_fault_of_ours(faults_folder):
    todo = [Unreadable(), Unreadable()]
    answers = [answer for _, answer in do_all(todo, load_crasher, jobs=2, limit_seconds=60)]
    assert [answer.ours for answer in answers] == [True, True]
    assert "fault of unmask" in answers[0].reason and "no number" in answers[0].reason
