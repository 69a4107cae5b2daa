"""A run that is killed at any moment ends with the weights of one that was not, bit for bit."""

import random
import time

import numpy as np
import pytest

from tiny_recipe import LABELLED, read_log, write_recipe
from training_data import store_people
from training_process import checkpoint, finish, start

# Crops that grow in the cool-down, accumulation and a worker: all that a killed run could get wrong.
CHANGES = {
    "last_size_px = 32": "last_size_px = 64",
    "pairs_per_step = 2": "pairs_per_step = 4",
    "crops_per_step = 2": "crops_per_step = 4",
    "steps = 4": "steps = 10",
    "warmup_steps = 1": "warmup_steps = 2",
    "cooldown_steps = 2": "cooldown_steps = 3",
    "checkpoint_every = 2": "checkpoint_every = 3",
    "validate_every = 2": "validate_every = 5\naccumulate = 2",
    "workers = 0": "workers = 1",
}


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    store_people(folder / "train", [("ann", "REAL"), ("ben", "REAL")])
    store_people(folder / "val", [("carl", "REAL"), ("f-of-carl", "FAKE")])
    people = [(f"p{i}", "REAL") for i in range(4)] + [(f"f-of-p{i}", "FAKE") for i in range(4)]
    store_people(folder / "labelled", people)
    changes = {f"\n{old}\n": f"\n{new}\n" for old, new in CHANGES.items()}
    return write_recipe(folder, folder, more=LABELLED, changes=changes.items())


def steps_done(folder):
    log = folder / "log.jsonl"
    lines = log.read_text().splitlines() if log.exists() else []
    return len(lines)


def losses(folder):
    lines = read_log(folder)
    assert [line["step"] for line in lines] == list(range(1, 11))  # replayed steps are logged once
    return [line["loss"] for line in lines]


@pytest.fixture(scope="module")
def whole(recipe, tmp_path_factory):
    """Undisturbed runs of one process and of two."""
    folders = {world: tmp_path_factory.mktemp("whole") for world in (1, 2)}
    for world, folder in folders.items():
        assert finish(start(recipe, folder, world=world)) == [0] * world
    return folders


@pytest.mark.parametrize("world", [1, 2])
def test_a_run_killed_at_random_steps_ends_with_the_same_weights(recipe, whole, tmp_path, world):
    kills = sorted(random.Random().sample(range(1, 10), 3 - world))  # others every time; each must do
    for kill in kills:
        processes = start(recipe, tmp_path, world=world)
        deadline = time.monotonic() + 240
        while steps_done(tmp_path) < kill:
            assert time.monotonic() < deadline and any(p.is_alive() for p in processes)
            time.sleep(0.002)
        for process in processes:
            process.kill()
        finish(processes)
    assert finish(start(recipe, tmp_path, world=world)) == [0] * world
    expected, found = checkpoint(whole[world]), checkpoint(tmp_path)
    assert expected.keys() == found.keys()
    different = [name for name in expected if not np.array_equal(expected[name], found[name])]
    assert not different, f"killed at {kills}"
    assert losses(tmp_path) == losses(whole[world])


def test_two_processes_learn_what_one_learns(whole):
    """The same batches, whoever makes them; batch norms see half of each, so losses are only close."""
    np.testing.assert_allclose(losses(whole[1])[:2], losses(whole[2])[:2], rtol=0.2)
