"""What a step is fed with, when somebody kills the processes that make it."""

import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest

from numbered_batches import Numbered, tell_makers
from training_process import finish
from unmask.errors import DataError
from unmask.lab.train.feed import feed, makers_must_live
from unmask.lab.train.pace import Pace


def outlive():
    """Signal the whole group after the first batches; all of them must come."""
    os.setsid()
    signal.signal(signal.SIGTERM, lambda *_: None)
    batches = feed(Numbered(), range(60), workers=2, pin=False, pace=Pace())
    made = [int(next(batches).crops) for _ in range(2)]  # one of each maker, so both are on their way
    os.killpg(0, signal.SIGTERM)
    made += [int(batch.crops) for batch in batches]
    assert made == list(range(60))


def test_a_signal_to_the_whole_group_does_not_stop_what_feeds_the_last_step():
    process = multiprocessing.get_context("fork").Process(target=outlive)
    process.start()
    assert finish([process], seconds=60) == [0]


def lose_one(told):
    """Lose a maker, and tell in which words that ends."""
    batches = feed(Numbered(), range(60), workers=2, pin=False, pace=Pace())
    try:
        with makers_must_live():
            next(batches)
            maker, *_ = multiprocessing.active_children()
            os.kill(maker.pid, signal.SIGKILL)
            list(batches)
    except DataError as error:
        told.write_text(str(error))
    os._exit(0)  # torch tells of the same loss again whenever another maker ends


def test_a_maker_that_was_killed_is_told_in_a_sentence(tmp_path):
    told = tmp_path / "told"
    process = multiprocessing.get_context("fork").Process(target=lose_one, args=(told,))
    process.start()
    assert finish([process], seconds=60) == [0]
    assert "every process that makes batches must live: " in told.read_text()
    assert "the same command goes on" in told.read_text()


@pytest.mark.parametrize("way", ["fork", "forkserver"])
def test_makers_end_with_a_main_process_that_is_killed(way):
    context = multiprocessing.get_context(way)
    hear, tell = context.Pipe(duplex=False)
    process = context.Process(target=tell_makers, args=(tell,))
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
