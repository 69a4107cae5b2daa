"""Commands short of room end with a sentence, and with room again as if nothing had been.

``benchmarks/kills.py`` tries more of each, on every command.
"""

from __future__ import annotations

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from command_line import run
from hostile.commands import made_commands
from hostile.disks import BLOCK_BYTES, can_mount, disk
from hostile.harms import YEAR_SECONDS, Tried, clock_jumps, two_at_once
from hostile.mortal import Ended
from hostile.serving import Serving
from hostile.shortages import blamed, closed_disk, file_sizes, little_room, no_scratch, small_files

NAMES = ("scan", "calibrate")
mounts = pytest.mark.skipif(not can_mount(), reason="only root can mount, and on Linux")


@pytest.fixture(scope="module")
def tried(tmp_path_factory):
    with made_commands(tmp_path_factory.mktemp("data"), NAMES) as made:
        found = {command.name: Tried(command, tmp_path_factory.mktemp("out")) for command in made}
        for one in found.values():
            one.prepare()
        yield found


@pytest.mark.parametrize("name", NAMES)
def test_files_that_may_not_grow_so_large(tried, name):
    *_, largest = file_sizes(tried[name])
    assert not small_files(tried[name], largest)


@mounts
def test_disks_that_are_too_small_closed_or_full(tried):
    assert not little_room(tried["scan"], 2 * BLOCK_BYTES)
    assert not closed_disk(tried["calibrate"])
    assert not no_scratch(tried["scan"])


def test_two_archives_at_once(tried):
    assert not two_at_once(tried["scan"])


@mounts
def test_a_server_on_a_small_disk(tmp_path):
    serving = Serving(tmp_path / "serving")
    serving.prepare()
    assert not serving.on_disk(16 * BLOCK_BYTES)
    assert not serving.on_disk(0)


@pytest.mark.parametrize("years", [-1, 1])
def test_a_clock_that_jumps(tried, tmp_path, years):
    assert not clock_jumps(tried["scan"], tmp_path, years * YEAR_SECONDS)


@mounts
def test_a_small_disk_is_small_and_a_closed_one_closed(tmp_path):
    with disk(tmp_path, 2 * BLOCK_BYTES) as small:
        with pytest.raises(OSError, match="No space left"):
            (tmp_path / "a").write_bytes(bytes(3 * BLOCK_BYTES))
        assert small.used_bytes() == 2 * BLOCK_BYTES
        small.seal()
        with pytest.raises(OSError, match="Read-only"):
            (tmp_path / "b").touch()
        small.open()
        (tmp_path / "a").write_bytes(bytes(3 * BLOCK_BYTES))


def test_what_blames_a_file_is_seen():
    assert blamed(Ended(2, "error: a.mp4 is unreadable", ()))
    assert not blamed(Ended(2, "error: out: No space left on device", ()))


def test_a_card_that_cannot_be_written_is_refused_before_anything_is_judged(tmp_path, capsys):
    assert run("calibrate", tmp_path, "-o", "/proc/none/card.json") == 2
    assert "--output must be a folder that can be written to, got /proc/none" in capsys.readouterr().err
