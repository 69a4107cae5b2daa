"""Commands that are killed, or whose disk is full, end with the same command as if nothing had been.

``benchmarks/kills.py`` tries every change that each command makes to files; here are a few of some.
"""

from __future__ import annotations

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from hostile.commands import Command, made_commands
from hostile.harms import Tried, places
from hostile.mortal import Ended, Harm

NAMES = ("train", "calibrate", "model get")


@pytest.fixture(scope="module")
def commands(tmp_path_factory):
    with made_commands(tmp_path_factory.mktemp("data"), NAMES) as made:
        yield {command.name: command for command in made}


@pytest.mark.parametrize("name", NAMES)
def test_what_is_left_of_a_killed_run_is_gone_on_with(commands, tmp_path, name):
    """Killed in the middle, then told that the disk is full, then done twice at once, all in one folder."""
    tried = Tried(commands[name], tmp_path)
    tried.prepare()
    out = tried.make_folder()
    spots = list(places(tried.changes, "kill"))
    for harm in (Harm(spots[2 * len(spots) // 3]), Harm(1, "full")):
        ended = tried.run(out, harm)
        assert not tried.wrong_end(ended, harm) and ended.code
        assert not tried.half_written(out)
    runs = [tried.start(out) for _ in range(2)]
    ended = [run.end() for run in runs]
    assert not any(tried.wrong_end(one, Harm(kind="full")) for one in ended)
    assert not tried.wrong_in_the_end(out, *ended)


def test_what_judges_the_runs_sees_what_is_wrong(tmp_path):
    tried = Tried(Command("none", lambda out: [], on_the_way=("log",)), tmp_path, {"a": b"all", "log": b"1"})
    out = tried.make_folder()
    good, bad = Ended(0, "", ()), Ended(1, "Traceback", ())
    (out / "a").write_text("al")
    assert tried.half_written(out) == "half written: a"
    assert tried.wrong_in_the_end(out, good) == "otherwise after the next run: a, log"
    (out / "a").write_text("all")
    (out / "log").write_text("1")
    assert not tried.half_written(out) and not tried.wrong_in_the_end(out, bad, good)
    (out / ".draft").touch()
    assert tried.wrong_in_the_end(out, good) == "otherwise after the next run: .draft"
    full = Harm(1, "full")
    assert "Traceback" in tried.wrong_in_the_end(out, bad) and "Traceback" in tried.wrong_end(bad, full)
    assert "to be killed" in tried.wrong_end(good, Harm(1))
    assert "sentence" in tried.wrong_end(Ended(2, "", ()), full)
