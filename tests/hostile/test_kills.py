"""Commands that are killed, or whose disk is full, end with the same command as if nothing had been."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from hostile.commands import made_commands
from hostile.harms import Tried, places, two_at_once
from hostile.mortal import Harm

NAMES = ("submit", "train", "calibrate", "model get", "evaluate")


@pytest.fixture(scope="module")
def commands(tmp_path_factory):
    with made_commands(tmp_path_factory.mktemp("data"), NAMES) as made:
        yield {command.name: command for command in made}


@pytest.fixture
def tried(commands, tmp_path, request):
    one = Tried(commands[request.param], tmp_path)
    one.prepare()
    return one


@pytest.mark.parametrize("tried", NAMES, indirect=True)
def test_what_is_left_of_a_killed_run_is_gone_on_with(tried):
    """Killed in the middle, then told that the disk is full, both in one folder."""
    out = tried.make_folder()
    spots = list(places(tried.changes, "kill"))
    assert tried.run(out, Harm(spots[2 * len(spots) // 3])).code == -9
    assert not tried._half_written(out)
    full = Harm(1, "full")
    assert not tried._wrong_end(tried.run(out, full), full)
    assert not tried._half_written(out)
    assert not tried.wrong_in_the_end(out, tried.run(out))


@pytest.mark.parametrize("tried", ["train", "model get"], indirect=True)
def test_of_two_runs_in_one_folder_one_does_it(tried):
    assert not two_at_once(tried)


def test_harm_is_seen(commands, tmp_path):
    """What judges the runs notices a result that is cut short, or otherwise in the end."""
    one = Tried(commands["calibrate"], tmp_path)
    one.prepare()
    out = one.make_folder()
    ended = one.run(out)
    assert not one.wrong_in_the_end(out, ended)
    card = out / "card.json"
    card.write_bytes(card.read_bytes()[:-1])
    assert one._half_written(out) == "half written: card.json"
    assert "card.json" in one.wrong_in_the_end(out, ended)
