import errno
import threading
import time

import pytest

from acting_worker import load_acting, load_nothing
from unmask.config import LimitSettings
from unmask.web.queue import ScanQueue
from unmask.web.slot import Slot
from unmask.work.pool import Failure
from unmask.work.processes import Processes


class Forgetful:
    """A watcher whose disk is full whenever it is told something for the first time."""

    def __init__(self, notes):
        self.notes, self.known = notes, set()

    def __getattr__(self, name):
        def tell(job, *more):
            if name != "heard" and (name, job.key) not in self.known:
                self.known.add((name, job.key))
                raise OSError("no space left on device")
            getattr(self.notes, name)(job, *more)

        return tell


class Faulty:
    """A watcher with a fault, which shows in one call on the scans ``one`` and ``two``."""

    def __init__(self, notes, call):
        self.notes, self.call = notes, call

    def __getattr__(self, name):
        def tell(job, *more):
            if name == self.call and job.key in ("one", "two"):
                raise ValueError("logits must be finite, got [nan]")
            getattr(self.notes, name)(job, *more)

        return tell


class Full:
    """A watcher whose disk is full whenever the scan ``one`` is over."""

    def __init__(self, notes):
        self.notes = notes

    def ended(self, job, answer):
        if job.key == "one":
            raise OSError("no space left on device")
        self.notes.ended(job, answer)

    def __getattr__(self, name):
        return getattr(self.notes, name)


class Poor:
    """A crew that the system refuses so many processes."""

    def __init__(self, crew, refusals):
        self.crew, self.refusals = crew, refusals

    def hire(self):
        if self.refusals:
            self.refusals -= 1
            raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
        return self.crew.hire()

    def wait(self, workers, timeout_seconds):
        return self.crew.wait(workers, timeout_seconds)


class Notes:
    """A watcher that keeps what it was told."""

    def __init__(self):
        self.told, self.answers, self.over = [], {}, threading.Semaphore(0)

    def began(self, job):
        self.told.append(("began", job.key))

    def heard(self, job, part):
        self.told.append(("heard", job.key, part))

    def ended(self, job, answer):
        self.answers[job.key] = answer
        self.over.release()

    def broke(self, job, why):
        self.answers[job.key] = why
        self.over.release()


@pytest.fixture
def working():
    """Starts a slot; gives its queue, notes and readiness."""
    started = []

    def start(load, limit_seconds=60.0, watcher=lambda notes: notes, crew=lambda processes: processes):
        queue, notes, ready = ScanQueue(9), Notes(), []
        workers = crew(Processes(load, 1, limit_seconds, LimitSettings(memory_mb=512)))
        slot = Slot(queue, workers, watcher(notes), lambda _, value: ready.append(value))
        slot.start()
        started.append((queue, slot))
        return queue, notes, ready

    yield start
    for queue, slot in started:
        queue.close()
        slot.join(20)
        assert not slot.is_alive()


def test_a_worker_stays_warm_and_a_crash_costs_one_scan(working):
    queue, notes, ready = working(load_acting)
    for path in ("one", "two", "exit", "hoard", "three"):
        queue.put(path, path)
    for _ in range(5):
        assert notes.over.acquire(timeout=120)
    found = notes.answers
    assert found["one"] == found["two"] != found["three"]
    assert isinstance(found["exit"], Failure) and "exit code 3" in str(found["exit"].reason)
    assert found["exit"].note == "f" * 64
    assert isinstance(found["hoard"], Failure) and "MemoryError" in str(found["hoard"].reason)
    assert found["hoard"].ours and not found["exit"].ours
    assert notes.told[:2] == [("began", "one"), ("heard", "one", ("part", "one"))]
    assert ready == [True, False, True] and queue.running == 0


def test_what_runs_can_be_cancelled_and_what_hangs_is_given_up(working):
    queue, notes, _ = working(load_acting, limit_seconds=1.5)
    queue.put("cancelled", "hang")
    while not any(told[0] == "heard" for told in notes.told):
        time.sleep(0.02)
    assert queue.cancel("cancelled", timeout_seconds=20)
    queue.put("given up", "hang")
    assert notes.over.acquire(timeout=120)
    assert "longer than 1.5 seconds" in str(notes.answers["given up"].reason)
    assert "cancelled" not in notes.answers


def test_a_full_disk_neither_ends_the_work_nor_loses_a_scan(working, monkeypatch):
    monkeypatch.setattr("unmask.web.slot._REST_SECONDS", 0.01)
    queue, notes, _ = working(load_acting, watcher=Forgetful)
    for path in ("two", "one"):
        queue.put(path, path)
    for _ in range(2):
        assert notes.over.acquire(timeout=120)
    assert list(notes.answers) == ["two", "one"] and notes.answers["one"] == notes.answers["two"]
    assert [told for told in notes.told if told[0] == "began"] == [("began", "two"), ("began", "one")]
    assert queue.running == 0


def test_a_scan_that_cannot_be_stored_can_be_cancelled(working, monkeypatch):
    monkeypatch.setattr("unmask.web.slot._REST_SECONDS", 0.01)
    queue, notes, _ = working(load_acting, watcher=lambda notes: Forgetful(Full(notes)))
    queue.put("one", "one")
    while not notes.told:
        time.sleep(0.02)
    assert queue.cancel("one", timeout_seconds=20)
    queue.put("two", "two")
    assert notes.over.acquire(timeout=120)
    assert list(notes.answers) == ["two"]


@pytest.mark.parametrize("call", ["began", "heard", "ended"])
def test_a_fault_of_ours_costs_one_scan_and_is_said(working, call):
    queue, notes, _ = working(load_acting, watcher=lambda notes: Faulty(notes, call))
    for key in ("one", "two", "three"):
        queue.put(key, key)
    for _ in range(3):
        assert notes.over.acquire(timeout=120)
    why = "unmask failed on it (ValueError: logits must be finite, got [nan]); that is a fault of unmask"
    assert all(str(notes.answers[name]).startswith(why) for name in ("one", "two"))
    assert isinstance(notes.answers["three"], int) and queue.running == 0


def test_a_scan_is_told_when_no_worker_can_be_started(working, monkeypatch):
    monkeypatch.setattr("unmask.web.slot._REST_SECONDS", 0.01)
    queue, notes, ready = working(load_nothing)
    queue.put("a", "a")
    assert notes.over.acquire(timeout=120)
    assert "no such weights" in str(notes.answers["a"].reason) and not any(ready)
    assert notes.answers["a"].ours  # it is no fault of the file


def test_a_system_that_refuses_a_process_for_a_while_does_not_end_the_work(working, monkeypatch, caplog):
    monkeypatch.setattr("unmask.web.slot._REST_SECONDS", 0.01)
    queue, notes, ready = working(load_acting, crew=lambda processes: Poor(processes, 2))
    queue.put("one", "one")
    assert notes.over.acquire(timeout=120)
    assert isinstance(notes.answers["one"], int) and ready == [True]
    assert caplog.text.count("Resource temporarily unavailable") == 2


def test_an_idle_slot_without_a_worker_tries_again(working, monkeypatch):
    monkeypatch.setattr("unmask.web.slot._REST_SECONDS", 0.01)
    monkeypatch.setattr("unmask.web.slot._RETRY_SECONDS", 0.01)
    _, _, ready = working(load_acting, crew=lambda processes: Poor(processes, 7))
    until = time.monotonic() + 60
    while not ready and time.monotonic() < until:
        time.sleep(0.02)
    assert ready == [True]


def test_a_scan_is_told_when_the_system_refuses_every_process(working, monkeypatch):
    monkeypatch.setattr("unmask.web.slot._REST_SECONDS", 0.01)
    queue, notes, _ = working(load_acting, crew=lambda processes: Poor(processes, 10**9))
    queue.put("a", "a")
    assert notes.over.acquire(timeout=60)
    assert "no worker could be started" in str(notes.answers["a"].reason)
    assert "temporarily unavailable" in str(notes.answers["a"].reason)
