"""Engines: real processes that are really killed, and a cluster that loses a node."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from footage import LABELS, contents, write_footage
from unmask.data import index, write_index_file

OPTIONS = ["--frames", "6", "--shard-videos", "4"]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="module")
def index_file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("footage")
    write_index_file(index(write_footage(folder / "part_0"), probe=False), folder / "index.parquet")
    return folder / "index.parquet"


def command(index_file, output, *more):
    return [sys.executable, "-m", "unmask", "extract", str(index_file), "-o", str(output), *OPTIONS, *more]


@pytest.fixture(scope="module")
def crops(index_file, tmp_path_factory):
    """What one undisturbed worker leaves."""
    output = tmp_path_factory.mktemp("undisturbed") / "crops"
    done = subprocess.run(
        command(index_file, output, "--workers", "1"),
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        timeout=300,
        check=True,
    )
    assert done.stdout == f"10 videos: 7 done, 1 no_face, 2 unreadable; 7 people, 42 crops in {output}\n"
    return output


def children(pid):
    """Child processes that have loaded: not the tracker that multiprocessing keeps."""
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in listed if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]


def wait_for(condition, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.02)


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="needs /proc to find the workers")
def test_kill_9_of_workers_and_driver_leaves_the_same_in_the_end(index_file, crops, tmp_path):
    output = tmp_path / "crops"
    parts = output / ".unfinished/parts"

    def done():
        sealed = 4 * len(list(output.glob("crops-*.tar")))
        return sealed + len(list(parts.glob("*.part")) if parts.is_dir() else [])

    with subprocess.Popen(command(index_file, output, "--workers", "2"), env=ENVIRONMENT) as driver:
        wait_for(lambda: done() >= 1)
        for worker in children(driver.pid):
            os.kill(worker, signal.SIGKILL)
        wait_for(lambda: done() >= 3)
        driver.kill()
    assert driver.returncode == -signal.SIGKILL
    assert not (output / "manifest.jsonl").exists()
    again = command(index_file, output, "--workers", "2", "--json")
    finished = subprocess.run(again, capture_output=True, text=True, env=ENVIRONMENT, timeout=300, check=True)
    assert json.loads(finished.stdout)["status"] == {"done": 7, "no_face": 1, "unreadable": 2}
    assert contents(output) == contents(crops)


def test_a_cluster_that_loses_a_node_leaves_the_same_in_the_end(index_file, crops, tmp_path):
    pytest.importorskip("ray")
    script = Path(__file__).parents[2] / "ray_cluster.py"
    ran = subprocess.run(
        [sys.executable, script, index_file, tmp_path / "crops"],
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        timeout=400,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    told = json.loads((tmp_path / "crops.json").read_text())
    assert told["workers"] == 2 and told["nodes"] == [2, 1]
    assert sorted(told["done"]) == sorted(set(LABELS) - {"lost.mp4"})
    assert contents(tmp_path / "crops") == contents(crops)


def test_bad_input_is_a_line_and_no_traceback(tmp_path):
    for arguments, words in [
        ([str(tmp_path / "no.parquet")], "no such file"),
        ([f"x={tmp_path}"], "found none"),
    ]:
        ran = subprocess.run(
            [sys.executable, "-m", "unmask", "extract", *arguments, "-o", str(tmp_path / "o")],
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 2 and words in ran.stderr and "Traceback" not in ran.stderr
