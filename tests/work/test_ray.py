"""What an actor of a cluster says. Actors at work: tests/lab/extract/test_crews.py and tests/archive."""

import pytest

from unmask.errors import MediaError, ModelError
from unmask.reasons import because
from unmask.work.pool import Done, Failure, Note, Part, Ready, Unusable
from unmask.work.ray import _Actor


def load():
    def do(task, tell):
        tell.note("f" * 64)
        tell.part(task)
        if task == "broken":
            raise MediaError(because("empty"))
        return task.upper()

    return do


def load_nothing():
    raise ModelError("no such weights")


@pytest.mark.parametrize("task", ["clip", "broken"])
def test_what_is_said_on_the_way_comes_before_what_came_of_it(task):
    actor = _Actor(load)
    assert isinstance(actor.begin(), Ready)
    note, part, last = actor.work(task)
    assert note == Note("f" * 64) and part == Part(task)
    if task == "clip":
        assert last == Done("CLIP")
    else:
        assert isinstance(last, Failure) and last.note == "f" * 64 and last.reason.code == "empty"


def test_an_actor_without_weights_says_so():
    assert _Actor(load_nothing).begin() == Unusable("no such weights")
