import threading

import pytest

from unmask.web.queue import QueueFullError, ScanQueue


def test_first_come_first_served_and_places_count():
    queue = ScanQueue(2)
    with queue.place():
        queue.put("a", "/a")
        assert len(queue) == 2  # one waits, and the block still keeps its place
        with pytest.raises(QueueFullError, match="at most 2"), queue.place():
            pass
    with queue.place():
        queue.put("b", "/b")
    assert len(queue) == 2
    first = queue.take()
    assert (first.key, first.path, len(queue), queue.running) == ("a", "/a", 1, 1)
    queue.end(first)
    assert queue.running == 0


def test_a_place_is_free_again_when_nothing_came_of_it():
    queue = ScanQueue(1)
    for _ in range(3):
        with pytest.raises(KeyError), queue.place():
            raise KeyError
    assert len(queue) == 0


def test_what_waits_is_cancelled_at_once_and_what_runs_when_its_worker_lets_go():
    queue = ScanQueue(5)
    queue.put("a", "/a")
    queue.put("b", "/b")
    running = queue.take()
    assert queue.cancel("b") and len(queue) == 0
    assert not queue.cancel("a", timeout_seconds=0.01)
    assert running.cancelled.is_set()
    threading.Timer(0.05, queue.end, [running]).start()
    assert queue.cancel("a", timeout_seconds=10)
    assert queue.cancel("never heard of")


def test_closing_wakes_who_waits():
    queue, found = ScanQueue(1), []
    waiter = threading.Thread(target=lambda: found.append(queue.take()))
    waiter.start()
    queue.close()
    waiter.join(10)
    assert found == [None]


def test_who_waits_only_for_a_while_goes_away_with_nothing():
    queue = ScanQueue(1)
    assert queue.take(timeout_seconds=0.01) is None
    queue.put("a", "/a")
    assert queue.take(timeout_seconds=0.01).key == "a"
