"""``unmask scan PATH -o OUT`` as it is typed. The rest: tests/archive."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from typer.testing import CliRunner

from archived import judge_for, lasting, remembered, settings_for, write_archive
from inline_crew import InlineCrew
from unmask.archive.engines import ENGINES
from unmask.cli import app


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    return write_archive(tmp_path_factory.mktemp("archive"))


@pytest.fixture(scope="module")
def judge(archive):
    return remembered(judge_for(settings_for(archive.parent)))


@pytest.fixture
def inline(monkeypatch, judge):
    """Workers in this process, which are quicker to start."""
    monkeypatch.setitem(ENGINES, "local", lambda load, settings: InlineCrew(judge))


def options(archive):
    return ["--model", str(archive.parent / "model/tiny.json")]


def scan(archive, *arguments):
    parts = ["--shard-files", "4"] if "-o" in arguments else []
    return CliRunner().invoke(app, ["scan", str(archive), *options(archive), *parts, *map(str, arguments)])


def test_records_a_summary_and_reports_of_the_most_suspicious(archive, inline, tmp_path):
    told = scan(archive, "-o", tmp_path / "out", "--report-top", 1)
    assert told.exit_code == 0, told.output
    first, *most = told.stdout.splitlines()
    assert first.startswith("11 files: ") and "1 are the same as another" in first and len(most) == 5
    pages = sorted(page.name for page in (tmp_path / "out/reports").iterdir())
    assert pages == ["001-orphan-2-mp4.html", "index.html"]
    again = scan(archive, "-o", tmp_path / "out", "--json")
    assert json.loads(again.stdout)["complete"] is True and json.loads(again.stdout)["files"] == 11
    failed = scan(archive, "-o", tmp_path / "out", "--retry-failed", "--report-top", 0)
    assert failed.exit_code == 0 and "1 files that failed are tried again" in failed.stderr


def test_a_share_says_that_others_are_not_done(archive, inline, tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_BATCH_JOB_ARRAY_INDEX", "1")
    told = scan(archive, "-o", tmp_path / "out", "--shard", "auto/3", "--report-top", 0)
    assert told.exit_code == 0 and "4 of 4 files are done" in told.stdout and "this share" in told.stdout
    for share in ("1/3", "3/3"):
        assert scan(archive, "-o", tmp_path / "out", "--shard", share, "--report-top", 0).exit_code == 0
    assert (tmp_path / "out/manifest.json").is_file()


def test_what_it_will_cost(archive, inline, tmp_path):
    told = scan(archive, "--plan", "--price", "3600")
    assert told.exit_code == 0, told.output
    heads = [line.split("  ")[0] for line in told.stdout.splitlines()]
    assert heads == ["files", "hours", "CPU hours", "on workers", "cost", "from"]
    as_json = json.loads(scan(archive, "--plan", "--json").stdout)
    assert as_json["files"] == 11 and as_json["sampled"] == 10 and as_json["cost"] is None


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--watch"], "where the records go"),
        (["--shard", "1/3"], "--shard is for whole archives"),
        (["-o", "x", "--csv", "y.csv"], "--csv does not go with"),
        (["-o", "x", "--shard", "9/3"], "--shard must be 1/3 to 3/3"),
        (["-o", "x", "--shard", "1/3", "--retry-failed"], "goes with neither"),
        (["-o", "x", "--report-top", "101"], "--report-top must be 0 to 100"),
        (["-o", "x", "--engine", "spark"], "engine must be one of local, ray"),
        (["-o", "x", "--memory-mb", "5"], "memory_mb must be 0 or at least 512"),
    ],
)
def test_wrong_usage_is_a_line(archive, inline, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    told = scan(archive, *arguments)
    assert told.exit_code == 2 and words in told.stderr and not list(tmp_path.iterdir())


def test_kill_9_leaves_the_same_in_the_end_and_ctrl_c_ends_a_watch(archive, inline, tmp_path):
    """With real workers; the driver is killed in the middle."""
    assert scan(archive, "-o", tmp_path / "whole", "--report-top", 0).exit_code == 0
    command = [
        sys.executable,
        "-m",
        "unmask",
        "scan",
        str(archive),
        *options(archive),
        "--jobs",
        "1",
        "--shard-files",
        "4",
    ]
    run = [*command, "-o", str(tmp_path / "out"), "--report-top", "0"]
    with subprocess.Popen(run) as driver:
        end = time.monotonic() + 120
        while not list((tmp_path / "out").rglob("*.part")) and time.monotonic() < end:
            time.sleep(0.01)
        driver.kill()
    assert driver.returncode == -signal.SIGKILL and not (tmp_path / "out/manifest.json").exists()
    assert subprocess.run(run, timeout=120, check=True).returncode == 0
    assert lasting(tmp_path / "out") == lasting(tmp_path / "whole")
    with subprocess.Popen(
        [*command, "-o", str(tmp_path / "inbox"), "--watch"], stderr=subprocess.PIPE
    ) as watch:
        while not (tmp_path / "inbox/.lock").exists() and time.monotonic() < end:
            time.sleep(0.05)
        os.kill(watch.pid, signal.SIGINT)
        try:
            assert watch.wait(60) == 130 and b"stopped" in watch.stderr.read()
        finally:
            watch.kill()  # or leaving the block would wait for one that does not end
