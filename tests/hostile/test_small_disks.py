"""Commands on disks that are too small, and whose writes fail, and two of them at once; one case of each.

``benchmarks/kills.py`` tries more of each.
"""

from __future__ import annotations

import errno
import os

import pytest

pytest.importorskip("torch")

from hostile.commands import Command, made_commands
from hostile.disks import BLOCK_BYTES, can_mount
from hostile.harms import Tried, earlier_results, two_at_once
from hostile.mortal import Ended, Harm, can_fail_writes
from hostile.serving import Serving
from hostile.shortages import little_room, room_for_one

NAMES = ("extract", "train", "evaluate", "submit", "report", "data index")
mounts = pytest.mark.skipif(not can_mount(), reason="only root can mount, and on Linux")
fails = pytest.mark.skipif(not can_fail_writes(), reason="needs Linux and a C compiler")


@pytest.fixture(scope="module")
def commands(tmp_path_factory):
    with made_commands(tmp_path_factory.mktemp("data"), NAMES) as made:
        yield {command.name: command for command in made}


@pytest.fixture(scope="module")
def tried(commands, tmp_path_factory):
    """A command by its name, after an undisturbed run."""
    known = {}

    def get(name):
        if name not in known:
            known[name] = Tried(commands[name], tmp_path_factory.mktemp("out"))
            known[name].prepare()
        return known[name]

    return get


@mounts
@pytest.mark.parametrize("name", NAMES)
def test_a_disk_that_is_too_small(tried, name):
    assert not little_room(tried(name), (1 if name == "submit" else 2) * BLOCK_BYTES)


@mounts
def test_earlier_results_outlast_a_disk_with_no_room_for_others(tried):
    assert not room_for_one(tried("report"))


@fails
def test_earlier_results_outlast_a_disk_that_is_full_at_the_end(tried):
    one = tried("evaluate")
    assert not earlier_results(one, Harm(write=one.writes, kind="full"))


@fails
@pytest.mark.parametrize(
    ("name", "kind"), [("data index", "quota"), ("submit", "broken"), ("report", "sealed")]
)
def test_a_write_that_fails(tried, name, kind):
    """In the middle: before it, some were made, and after it none is."""
    one = tried(name)
    assert one.writes > 2
    assert not one.harm(Harm(write=one.writes // 2, kind=kind))


def test_two_at_once(tried):
    assert not two_at_once(tried("evaluate"))


def test_two_servers_on_one_folder(tmp_path):
    serving = Serving(tmp_path / "serving")
    serving.prepare()
    assert not serving.two()


def test_what_judges_the_runs_sees_what_is_wrong(tmp_path, monkeypatch):
    tried = Tried(Command("none", lambda out: []), tmp_path, {"a": b"all"})
    out = tried.make_folder()
    harm, words = Harm(write=1, kind="quota"), os.strerror(errno.EDQUOT)
    assert "otherwise after the next run: a" in tried.wrong_left(Ended(0, "", ()), harm, out)
    assert "says why" in tried.wrong_left(Ended(2, "error: a", ()), harm, out)
    assert not tried.wrong_left(Ended(2, f"error: a: {words}", ()), harm, out)
    monkeypatch.setattr(Tried, "run", lambda *given: Ended(2, f"error: a: {words}", ()))
    assert earlier_results(tried, harm, out) == "lost: a"
