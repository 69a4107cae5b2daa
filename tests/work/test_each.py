import os
import time

from acting_worker import load_acting
from unmask.config import BatchSettings
from unmask.errors import DataError
from unmask.reasons import because
from unmask.work.each import Failure, run_each


def test_a_crash_costs_one_task():
    found = dict(run_each(["a", "b", "exit", "c"], load_acting, BatchSettings(jobs=2)))
    assert isinstance(found.pop(2), Failure)
    assert sorted(found) == [0, 1, 3] and os.getpid() not in found.values()


class Unreadable:
    """A task whose worker cannot take it in, as one of a class that the child process cannot import."""

    def __reduce__(self):
        return int, ("no number",)


def test_a_task_that_cannot_be_read_by_its_worker_is_a_fault_of_ours(faults_folder):
    todo = [Unreadable(), Unreadable()]
    answers = [answer for _, answer in run_each(todo, load_acting, BatchSettings(jobs=2))]
    assert [answer.ours for answer in answers] == [True, True]
    assert "fault of unmask" in str(answers[0].reason) and "no number" in str(answers[0].reason)


def test_a_task_is_prepared_when_its_turn_comes_and_its_parts_are_told():
    given, told = [], []

    def prepare(task):
        given.append(task)
        return task * 2

    found = run_each(
        ["a", "b", "c"],
        load_acting,
        BatchSettings(jobs=1),
        prepare=prepare,
        on_part=lambda place, part: told.append((place, part)),
    )
    assert next(found)[0] == 0
    assert given == ["a"]
    assert [place for place, _ in found] == [1, 2]
    assert told == [(0, ("part", "aa")), (1, ("part", "bb")), (2, ("part", "cc"))]


def test_everything_ends_when_its_time_is_up():
    start = time.monotonic()
    assert list(run_each(["hang", "hang", "x"], load_acting, BatchSettings(jobs=1), until=start + 4)) == []
    assert time.monotonic() - start < 30


def load_here():
    def do(number, tell):
        tell.note("a note")
        tell.part(number + 1)
        if number == 30:
            raise DataError("30 must not be")
        return os.getpid()

    return do


def test_a_single_job_may_be_done_in_this_process():
    alone, parts = BatchSettings(jobs=1), []

    def answers(tasks, **more):
        prepared = {"prepare": lambda number: number * 10, "on_part": lambda *part: parts.append(part)}
        return list(run_each(tasks, load_here, alone, at_home=True, **prepared, **more))

    here = os.getpid()
    assert answers([1, 2, 3]) == [
        (0, here),
        (1, here),
        (2, Failure(because("unreadable", text="30 must not be"), note="a note")),
    ]
    assert parts == [(0, 11), (1, 21), (2, 31)]
    assert answers([1], until=time.monotonic()) == answers([]) == []


def test_several_jobs_are_never_done_in_this_process():
    found = dict(run_each(["a", "b"], load_acting, BatchSettings(jobs=2), at_home=True))
    assert len(found) == 2 and os.getpid() not in found.values()
