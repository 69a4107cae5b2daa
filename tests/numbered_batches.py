"""Batches that say which they are, and processes that have others make them.

The processes start off a server and are not forked off the tests: a fork of a process whose torch has worked
on several threads may stand still for ever.
"""

import multiprocessing
import os
import signal

import torch

from unmask.errors import DataError
from unmask.lab.train.feed import StepBatch, StepBatches, feed, makers_must_live
from unmask.lab.train.pace import Pace


class Numbered(StepBatches):
    """Batches that say which they are."""

    def __init__(self):
        pass

    def __getitem__(self, step):
        return StepBatch(torch.full((1,), step), *[torch.zeros(0)] * 3)


def make_batches(way):
    """Batches of two makers, started in a way of multiprocessing's."""
    multiprocessing.set_start_method(way, force=True)
    return feed(Numbered(), range(60), workers=2, pin=False, pace=Pace())


def outlive(way):
    """Signal the whole group after the first batches; all of them must come."""
    os.setsid()
    signal.signal(signal.SIGTERM, lambda *_: None)
    batches = make_batches(way)
    made = [int(next(batches).crops) for _ in range(2)]  # one of each maker, so both are on their way
    os.killpg(0, signal.SIGTERM)
    made += [int(batch.crops) for batch in batches]
    assert made == list(range(60))


def lose_one(told, way):
    """Lose a maker, and tell in which words that ends."""
    batches = make_batches(way)
    try:
        with makers_must_live():
            next(batches)
            maker, *_ = multiprocessing.active_children()
            os.kill(maker.pid, signal.SIGKILL)
            list(batches)
    except DataError as error:
        told.write_text(str(error))
    os._exit(0)  # torch tells of the same loss again whenever another maker ends


def tell_makers(link, way):
    """Tell who makes batches, and then only wait."""
    batches = make_batches(way)
    next(batches)
    link.send([maker.pid for maker in multiprocessing.active_children()])
    signal.pause()
