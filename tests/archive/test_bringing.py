"""Workers of an archive within limits: where the files lie here, and where they must be brought."""

from __future__ import annotations

import socket
import sys
from functools import partial

import fsspec
import pytest

from archived import scanned, settings_for
from inline_crew import InlineCrew
from limited_judge import LIMITS, SANDBOX, load_ending, load_trying_judge, outcomes, write_tries
from unmask.archive import run
from unmask.archive.bringing import load_bringer
from unmask.archive.engines import CrewSettings, gather_crew
from unmask.archive.opening import judging_crew
from unmask.archive.sources import SourceFile
from unmask.config import LimitSettings
from unmask.work.processes import Processes

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux has these limits"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
PATIENT, IMPATIENT = 100.0, 2.0


@pytest.fixture(autouse=True)
def one_try(monkeypatch):
    """That a file is tried three times is tested elsewhere, and workers take a while to start."""
    monkeypatch.setattr(run, "MAX_TRIES", 1)


@pytest.fixture
def server():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"127.0.0.1:{listening.getsockname()[1]}"


def place_for(folder, tries):
    folder.mkdir()
    for name, words in tries.items():
        (folder / name).write_text(words)
    return folder


def store_for(folder):
    """The same files in a store of objects."""
    files = fsspec.filesystem("memory")
    files.put(str(folder), f"/{folder.name}", recursive=True)
    return f"memory://{folder.name}"


@pytest.mark.parametrize("where", ["here", "in a store"])
def test_each_limit_costs_the_file_that_meets_it_and_the_rest_goes_on(archive, server, tmp_path, where):
    secret, source = tmp_path / "secret", tmp_path / "tries"
    expected = write_tries(source, secret, server)
    settings = settings_for(archive.parent, files_per_shard=20)
    given = CrewSettings(workers=1, limit_seconds=PATIENT, limits=LIMITS)
    if where == "here":
        scanned([source], tmp_path / "out", settings, gather_crew(load_trying_judge, given))
    else:
        bringer = load_bringer(load_trying_judge, PATIENT, LIMITS, 1000)
        try:
            scanned([store_for(source)], tmp_path / "out", settings, InlineCrew(bringer))
        finally:
            bringer.judge.close()
    assert outcomes(tmp_path / "out") == expected
    assert SANDBOX != "require" or secret.read_text() == "as it was"


@pytest.mark.parametrize("where", ["here", "in a store"])
def test_a_file_that_takes_too_long_costs_itself(archive, tmp_path, where):
    source = place_for(tmp_path / "slow", {"sleeps.mp4": "sleep 600", "sound.mp4": "burn 0.001"})
    given = CrewSettings(workers=1, limit_seconds=IMPATIENT, limits=LIMITS)
    if where == "here":
        scanned(
            [source], tmp_path / "out", settings_for(archive.parent), gather_crew(load_trying_judge, given)
        )
    else:
        bringer = load_bringer(load_trying_judge, IMPATIENT, LIMITS, 1000)
        try:
            scanned([store_for(source)], tmp_path / "out", settings_for(archive.parent), InlineCrew(bringer))
        finally:
            bringer.judge.close()
    assert outcomes(tmp_path / "out") == {
        "sleeps.mp4": ["unreadable", "given up: its worker took longer than 2 seconds"],
        "sound.mp4": ["no_face", "burnt"],
    }


def test_the_end_of_a_process_that_brings_says_nothing_of_the_file(archive, tmp_path):
    """With a process in between, as on a cluster: its files stay pending, and the next run does them."""
    source = store_for(place_for(tmp_path / "brought", {"sound.mp4": "burn 0.01"}))
    settings = settings_for(archive.parent)
    ends = CrewSettings(workers=1, delegates=True)
    pending = scanned([source], tmp_path / "out", settings, gather_crew(load_ending, ends))
    why = "the process that brings it ended unexpectedly with exit code 3, which says nothing of the file"
    assert pending == {"brought/sound.mp4": why}
    bringer = load_bringer(load_trying_judge, PATIENT, LIMITS, 1000)
    assert scanned([source], tmp_path / "out", settings, InlineCrew(bringer)) == {}
    bringer.judge.close()
    assert outcomes(tmp_path / "out") == {"sound.mp4": ["no_face", "burnt"]}


def test_processes_that_bring_have_others_judge(archive, tmp_path):
    """A worker, its own worker, and the file in between: here the files lie in a folder, as for Ray."""
    source = place_for(tmp_path / "tries", {"sound.mp4": "burn 0.01", "hoards.mp4": "hoard 1024"})
    load = partial(load_bringer, load_trying_judge, PATIENT, LIMITS, 1000)
    given = CrewSettings(workers=1, limit_seconds=PATIENT, delegates=True)
    assert scanned([source], tmp_path / "out", settings_for(archive.parent), gather_crew(load, given)) == {}
    assert {name: one[0] for name, one in outcomes(tmp_path / "out").items()} == {
        "sound.mp4": "no_face",
        "hoards.mp4": "error",
    }


@pytest.mark.parametrize(
    ("path", "brings"), [("/a.mp4", False), ("zip://a.mp4::/b.zip", False), ("s3://b/a.mp4", True)]
)
def test_who_judges_has_the_limits(archive, path, brings):
    settings, given = settings_for(archive.parent), CrewSettings(workers=2, limits=LimitSettings(600, 7.0))
    crew = judging_crew(settings, given, files=[SourceFile(path, "a.mp4", 5)])
    assert isinstance(crew, Processes) and crew.delegates == brings
    if brings:
        _, seconds, limits, _ = crew.load.args
        assert seconds == given.limit_seconds < crew.limit_seconds and crew.limits.sandbox == "off"
    else:
        limits = crew.limits
    assert (limits.memory_mb, limits.cpu_seconds, limits.sandbox) == (600, 7.0, "auto")
