"""What a step is fed with, when somebody kills the processes that make it."""

import time
from pathlib import Path

import pytest

from numbered_batches import Numbered, lose_one, outlive, tell_makers
from training_process import CONTEXT, finish
from unmask.errors import DataError
from unmask.lab.train.feed import feed, makers_must_live
from unmask.lab.train.pace import Pace

# How Linux starts processes before Python 3.14, and from it on.
ways = pytest.mark.parametrize("way", ["fork", "forkserver"])


@ways
def test_a_signal_to_the_whole_group_does_not_stop_what_feeds_the_last_step(way):
    process = CONTEXT.Process(target=outlive, args=(way,))
    process.start()
    assert finish([process], seconds=60) == [0]


@ways
def test_a_maker_that_was_killed_is_told_in_a_sentence(tmp_path, way):
    told = tmp_path / "told"
    process = CONTEXT.Process(target=lose_one, args=(told, way))
    process.start()
    assert finish([process], seconds=60) == [0]
    assert "every process that makes batches must live: " in told.read_text()
    assert "the same command goes on" in told.read_text()


@ways
def test_makers_end_with_a_main_process_that_is_killed(way):
    hear, tell = CONTEXT.Pipe(duplex=False)
    process = CONTEXT.Process(target=tell_makers, args=(tell, way))
    process.start()
    tell.close()
    makers = hear.recv()
    assert len(makers) == 2 and all(map(lives, makers))
    process.kill()
    process.join()
    until = time.monotonic() + 30
    while any(map(lives, makers)):
        assert time.monotonic() < until, "makers outlive who they make batches for"
        time.sleep(0.05)


def lives(pid):
    """Whether a process is there and not only waits to be buried."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class HalfHandedOver(Numbered):
    """What reading a batch gives when its maker was killed while handing it over."""

    def __getitem__(self, step):
        raise ConnectionResetError(104, "Connection reset by peer")


def test_so_is_one_that_was_killed_while_it_handed_a_batch_over():
    batches = feed(HalfHandedOver(), range(1), workers=0, pin=False, pace=Pace())
    with pytest.raises(DataError, match=r"must live: .*reset by peer; .* the same command goes on"):
        next(batches)


def test_other_errors_stay_what_they_are():
    with pytest.raises(RuntimeError, match="out of memory"), makers_must_live():
        raise RuntimeError("out of memory")
