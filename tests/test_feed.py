"""What a step is fed with, when somebody kills the processes that make it."""

import multiprocessing
import os
import signal

import pytest
import torch

from unmask.errors import DataError
from unmask.train.feed import StepBatch, StepBatches, feed
from unmask.train.pace import Pace


class Numbered(StepBatches):
    """Batches that say which they are."""

    def __init__(self):
        pass

    def __getitem__(self, step):
        return StepBatch(torch.full((1,), step), *[torch.zeros(0)] * 3)


def begin():
    """Batches on their way, the first of them, and the processes that make them."""
    batches = feed(Numbered(), range(60), workers=2, pin=False, pace=Pace())
    first = int(next(batches).crops)
    return batches, first, [process.pid for process in multiprocessing.active_children()]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_whole_group_does_not_stop_what_feeds_the_last_step(number):
    batches, first, makers = begin()
    assert len(makers) >= 2
    for maker in makers:
        os.kill(maker, number)
    assert [first, *(int(batch.crops) for batch in batches)] == list(range(60))


def test_a_maker_that_was_killed_is_told_in_a_sentence():
    batches, _, makers = begin()
    for maker in makers:
        os.kill(maker, signal.SIGKILL)
    with pytest.raises(DataError, match=r"must live: DataLoader worker .* the same command goes on"):
        list(batches)
