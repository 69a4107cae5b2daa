"""A worker's own worker: what it says and how it ends; its limits at work are in tests/archive."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from acting_worker import load_acting, load_nothing
from unmask.config import LimitSettings
from unmask.errors import ModelError
from unmask.work.delegate import Delegate
from unmask.work.faults import Fault
from unmask.work.limits import NO_LIMITS
from unmask.work.pool import Failure, Note, Part, Tell


def test_it_says_what_its_worker_says_and_replaces_one_that_ended():
    parts: list[Note | Part] = []
    delegate = Delegate(load_acting, 60.0, LimitSettings(memory_mb=512))
    try:
        pid = delegate.do("a", Tell(parts.append))
        assert parts == [Part(("part", "a"))] and pid != os.getpid()
        hoarded, ended = (delegate.do(task, Tell(parts.append)) for task in ("hoard", "exit"))
        assert isinstance(hoarded, Failure) and hoarded.ours and hoarded.reason.code == "too_much_memory"
        assert isinstance(ended, Failure) and not ended.ours and ended.note == "f" * 64
        assert ended.reason.values["how"].code == "exited"
        assert delegate.do("b", Tell(parts.append)) not in (pid, os.getpid())
    finally:
        delegate.close()


def test_a_fault_is_handed_on_and_what_cannot_load_is_told():
    delegate = Delegate(load_acting, 60.0, NO_LIMITS)
    fault = delegate.do("fault", Tell(lambda message: None))
    delegate.close()
    assert isinstance(fault, Fault) and fault.error == "ZeroDivisionError: fault"
    with pytest.raises(ModelError, match="no such weights"):
        Delegate(load_nothing, 60.0, NO_LIMITS)


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="needs /proc to find the worker")
def test_a_worker_ends_with_whom_it_works_for():
    """In the middle of its task: nobody would kill it when its time is up."""
    code = (
        "from acting_worker import load_acting\n"
        "from unmask.work.delegate import Delegate\n"
        "from unmask.work.limits import NO_LIMITS\n"
        "from unmask.work.pool import Tell\n"
        "delegate = Delegate(load_acting, 600.0, NO_LIMITS)\n"
        "print(delegate.do('a', Tell(lambda message: None)), flush=True)\n"
        "delegate.do('hang', Tell(lambda message: None))\n"
    )
    command = [sys.executable, "-c", code]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1]
    ) as driver:
        worker = int(driver.stdout.readline())
        assert _lives(worker)
        time.sleep(0.2)  # it has begun with what hangs
        driver.send_signal(signal.SIGKILL)
    end = time.monotonic() + 30
    while _lives(worker) and time.monotonic() < end:
        time.sleep(0.02)
    assert not _lives(worker)


def _lives(pid: int) -> bool:
    """Whether there is such a process that has not ended; one that nobody waits for stays as a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
