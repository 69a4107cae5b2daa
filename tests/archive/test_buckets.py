"""Archives in a store of objects, and records kept there: the same as in folders, whatever the store does."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import pytest

from archived import bringing, lasting, scanned, settings_for
from inline_crew import InlineCrew
from limited_judge import write_tries
from s3_server import s3_server
from unmask.archive import buckets
from unmask.archive.judging import Judged
from unmask.archive.opening import open_store
from unmask.archive.scanning import scan_files
from unmask.errors import DataError
from unmask.files import fingerprint

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


@pytest.fixture(scope="module")
def server(archive, tmp_path_factory):
    with s3_server(tmp_path_factory.mktemp("aws"), "films") as (files, faults):
        files.put(str(archive), "films/archive", recursive=True)
        yield files, faults


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(buckets, "BEAT_SECONDS", 0.1)
    monkeypatch.setattr(buckets, "LEASE_SECONDS", 1.0)


def brought(files, address, folder):
    """What lies at an address, in a folder."""
    files.invalidate_cache()
    files.get(address, str(folder), recursive=True)
    return folder


@pytest.fixture
def brought_answers(answers, archive):
    """What was made of the same files in a folder, once they were brought whole."""

    def do(task, tell):
        answer = answers(replace(task, file=replace(task.file, path=str(archive / task.file.name))), tell)
        assert fingerprint(task.file.path) == answer.record["sha256"]
        return Judged(answer.record | {"name": task.name}, answer.seconds)

    return bringing(do, stall_seconds=3.0)


def outcomes(folder):
    lines = [line for file in folder.glob("records-*.jsonl") for line in file.read_text().splitlines()]
    return {Path(one["name"]).name: (one["outcome"], one["reason"]) for one in map(json.loads, lines)}


def test_from_a_bucket_into_a_bucket_is_the_same(server, settings, brought_answers, out, tmp_path):
    files, faults = server
    crew = InlineCrew(brought_answers)
    assert scanned(["s3://films/archive"], "s3://films/run", settings, crew) == {}
    assert lasting(brought(files, "films/run", tmp_path / "run")) == lasting(out)
    faults.requests.clear()
    again = InlineCrew(brought_answers)
    scanned(["s3://films/archive"], "s3://films/run", settings, again)
    asked = [request for request in faults.requests if not request.endswith("lock")]
    assert again.done == [] and len(asked) < 20  # the same for any number of files


def test_a_run_that_was_killed_goes_on_there(server, settings, brought_answers, out, tmp_path, monkeypatch):
    """A lock that it left is taken over; records that it had not kept yet are made again."""
    files, _ = server

    class StopError(Exception):
        pass

    def stop(done):
        if done == 7:
            raise StopError

    with monkeypatch.context() as patch:
        patch.setattr(buckets._Lease, "close", lambda lease: lease._over.set())
        store = open_store(["s3://films/archive"], "s3://films/killed", settings)
        with pytest.raises(StopError), store:
            scan_files(store, InlineCrew(brought_answers), on_done=stop)
    assert scanned(["s3://films/archive"], "s3://films/killed", settings, InlineCrew(brought_answers)) == {}
    assert lasting(brought(files, "films/killed", tmp_path / "run")) == lasting(out)


def test_two_runs_on_one_place_refuse_each_other(server, settings):
    with open_store(["s3://films/archive"], "s3://films/two", settings):
        with (
            pytest.raises(DataError, match="another run is working"),
            open_store(["s3://films/archive"], "s3://films/two", settings),
        ):
            pass
        time.sleep(0.2)
    with open_store(["s3://films/archive"], "s3://films/two", settings):
        pass


def test_a_place_with_other_things_is_refused(server, settings):
    with pytest.raises(DataError, match="holds other files"):
        open_store(["s3://films/archive"], "s3://films", settings)


def test_what_a_bucket_does_to_an_object_costs_that_object(server, settings, brought_answers, out, tmp_path):
    """The store throttles one, breaks off another once or for good, never answers for one, and loses one."""
    files, faults = server
    for name in ("amy_1.mp4", "amy_2.mp4", "ben.mp4", "ben_late.mp4", "orphan_1.mp4", "nobody.mp4"):
        files.cp(f"films/archive/{name}", f"films/faulty/{name}")
    faults.cut |= {"faulty/ben.mp4": 1, "faulty/ben_late.mp4": 1000}
    faults.throttled["faulty/amy_1.mp4"] = 1000
    faults.silent["faulty/amy_2.mp4"] = 1000
    with open_store(["s3://films/faulty"], str(tmp_path / "out"), settings) as store:
        files.rm("films/faulty/orphan_1.mp4")
        pending = scan_files(store, InlineCrew(brought_answers, workers=2))
        reasons = {store.plan.files[n].name: str(why) for n, why in pending.items()}
    words = {
        "amy_1.mp4": "request rate",
        "amy_2.mp4": "sent nothing for 3 seconds",
        "ben_late.mp4": "Not enough data",
    }
    assert reasons.keys() == words.keys()
    for name, reason in reasons.items():
        assert reason.startswith("it cannot be had just now (") and words[name] in reason
    faults.over.set()
    for fault in (faults.cut, faults.throttled, faults.silent):
        fault.clear()
    with open_store(["s3://films/faulty"], str(tmp_path / "out"), settings) as store:
        assert store.retry_failed() == 1  # the one that is gone; those that wait come anyway
        assert scan_files(store, InlineCrew(brought_answers)) == {}
    found, before = outcomes(tmp_path / "out"), outcomes(out)
    assert found.pop("orphan_1.mp4") == ("unreadable", "no such file")
    assert len(found) == 5 and found.items() <= before.items()


def test_an_object_that_is_too_large_to_copy_says_so(server, archive, judge, tmp_path, monkeypatch):
    files, _ = server
    (tmp_path / "made").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "made"))
    files.put(str(archive / "ben.mp4"), "films/large/ben.mp4")
    small = bringing(judge, copy_limit_bytes=1000)
    scanned(["s3://films/large"], tmp_path / "out", settings_for(archive.parent), InlineCrew(small))
    size = (archive / "ben.mp4").stat().st_size
    assert not list((tmp_path / "made").iterdir())
    reason = outcomes(tmp_path / "out")["ben.mp4"][1]
    assert reason == f"it has {size} bytes, and at most 1000 are copied to be read"


def test_a_store_that_is_not_there_is_a_line(server, settings, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()
    with pytest.raises(DataError, match="cannot be"):
        open_store(["s3://films/archive"], "s3://films/x", settings)
    s3fs.S3FileSystem.clear_instance_cache()


def test_a_cluster_that_loses_a_node_leaves_the_same_in_a_bucket(server, archive, out, tmp_path):
    """And on what is left of it limits hold as they do here."""
    pytest.importorskip("ray")
    files, _ = server
    files.put(str(archive), "films/cluster/archive", recursive=True)
    model = archive.parent / "model" / "tiny.json"
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"127.0.0.1:{listening.getsockname()[1]}"
        expected = write_tries(tmp_path / "tries", tmp_path / "secret", address)
    command = [sys.executable, str(Path(__file__).parents[1] / "ray_scan.py")]
    given = ["s3://films/by_ray", model, out, "s3://films/cluster/archive", tmp_path / "tries"]
    ran = subprocess.run(
        [*command, *map(str, given)],
        capture_output=True,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        timeout=600,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    told = next(line for line in ran.stdout.splitlines() if line.startswith('{"pending"'))  # among Ray's own
    assert json.loads(told) == {"pending": 0, "nodes": [2, 1], "workers": 2, "hostile": expected}
    assert lasting(brought(files, "films/by_ray", tmp_path / "run")) == lasting(out)
