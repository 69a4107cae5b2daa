from unmask.work.shares import Shares


def parted(tasks, pieces):
    """Tasks of which the first was taken and turned out to have so many pieces."""
    shares = Shares(tasks)
    assert shares.take() == (0, tasks[0])
    shares.part(0, list(range(pieces)))
    assert not shares.end(0)
    return shares


def test_whole_tasks_come_in_order():
    shares = Shares(["a", "b"])
    assert [shares.take(), shares.take(), shares.take()] == [(0, "a"), (1, "b"), None]
    assert shares.end(1) and shares.end(0)


def test_whoever_parted_a_task_goes_on_with_it_and_others_take_whole_ones_first():
    shares = parted(["film", "b", "c"], 4)
    assert shares.take() == (0, 0)
    assert [shares.take(), shares.take()] == [(1, "b"), (2, "c")]
    assert not shares.end(0)
    assert shares.take() == (0, 1)  # nobody was at it
    assert shares.end(1)
    assert shares.take() == (0, 2)  # nothing else is left
    assert [shares.end(2), shares.take(), shares.take()] == [True, (0, 3), None]
    assert [shares.end(0), shares.end(0), shares.end(0)] == [False, False, True]


def test_the_task_that_was_begun_first_is_helped_first():
    shares = parted(["one", "two"], 3)
    assert [shares.take(), shares.take()] == [(0, 0), (1, "two")]
    shares.part(1, [0, 1, 2])
    assert not shares.end(1)
    assert [shares.take(), shares.take(), shares.take()] == [(1, 0), (0, 1), (0, 2)]


def test_what_is_dropped_is_not_done():
    shares = parted(["film"], 3)
    assert shares.take() == (0, 0)
    shares.drop(0)
    assert shares.take() is None
    assert shares.end(0)
