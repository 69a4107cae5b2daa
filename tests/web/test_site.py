import asyncio
import threading
import time
from pathlib import Path

import pytest

from asgi import ask
from tiny_model import write_tiny_model
from unmask.config import ScanSettings
from unmask.reasons import because
from unmask.web.app import make_app
from unmask.web.queue import Job
from unmask.web.refusals import RefusedError
from unmask.web.settings import ServeSettings, WorkSettings
from unmask.web.site import Site
from unmask.web.store import Row
from unmask.web.worker import Glance, Stage
from unmask.work.pool import Failure


@pytest.fixture
def site(tmp_path):
    """A site whose workers were not started."""
    scan = ScanSettings(model=str(write_tiny_model(tmp_path / "model")))
    one = Site(ServeSettings(tmp_path / "folder", scan=scan, work=WorkSettings(queue=2)))
    yield one
    one.store.close()


def put(site, name="clip.mp4"):
    async def come_in():
        async with site.new_scan(name) as row:
            site.store.source_of(row).write_bytes(b"x")
            return site.enqueue(row, size=1, sha256="ab" * 32)

    return asyncio.run(come_in())


def test_what_fails_to_come_in_is_forgotten(site):
    async def break_off():
        async with site.new_scan("a") as row:
            assert site.row(row.id).state == "uploading"
            rows.append(row)
            raise KeyError

    rows = []
    with pytest.raises(KeyError):
        asyncio.run(break_off())
    with pytest.raises(RefusedError) as error:
        site.row(rows[0].id)
    assert error.value.status == 404 and not site.store.folder_of(rows[0].id).exists()


def test_what_is_given_up_while_it_is_stored_is_forgotten(site, monkeypatch):
    add = site.store.add

    def add_slowly(row):
        time.sleep(0.3)
        add(row)

    async def give_up():
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1), site.new_scan("a"):
                pytest.fail("it is not stored in time")

    monkeypatch.setattr(site.store, "add", add_slowly)
    asyncio.run(give_up())
    assert not site.store.find() and not len(site.queue)


def test_a_full_queue_sends_away_before_anything_comes_in(site):
    put(site)
    put(site)
    with pytest.raises(RefusedError) as error:
        put(site)
    assert (error.value.status, error.value.headers) == (503, {"Retry-After": "10"})
    assert len(site.store.find()) == 2


def test_a_scan_that_we_fail_on_is_told_to_have_failed(site):
    key = put(site).id
    job = site.queue.take()
    site.began(job)
    site.broke(job, "unmask failed on it (ValueError: logits must be finite, got [nan])")
    scan = site.view(site.row(key))
    assert (scan.state, scan.outcome, scan.p_fake) == ("failed", "error", None)
    assert scan.reason.startswith("unmask failed on it (ValueError")


def test_networks_that_cannot_be_loaded_are_no_loading(site, monkeypatch):
    monkeypatch.setattr("unmask.web.slot._REST_SECONDS", 0.01)
    assert site.condition == "loading"
    for weights in Path(site.settings.scan.model).parent.glob("*.onnx"):
        weights.write_bytes(b"no network")
    site.open()
    until = time.monotonic() + 120
    while site.condition == "loading" and time.monotonic() < until:
        time.sleep(0.05)
    status, body = asyncio.run(ask(make_app(site.settings, site), "/healthz"))
    site.close()
    assert (status, body) == (503, b'{"status":"failed"}')


def test_states_come_from_the_worker_and_a_crash_is_no_verdict(site):
    key = put(site).id
    job = site.queue.take()
    assert isinstance(job, Job) and job.key == key
    site.began(job)
    states = []
    for part in (Stage("decode"), Glance(1, 0.5, 0.4), Stage("detect"), Stage("score"), Stage("decode")):
        site.heard(job, part)
        states.append(site.view(site.row(key)).state)
    assert states == ["decoding", "decoding", "faces", "scoring", "scoring"]
    assert site.view(site.row(key)).partial.faces == 1
    site.ended(job, Failure(because("given_up", how=because("killed", signal="SIGSEGV")), "cd" * 32))
    scan = site.view(site.row(key))
    assert (scan.state, scan.outcome, scan.p_fake, scan.partial) == ("failed", "unreadable", None, None)
    assert "SIGSEGV" in scan.reason and scan.sha256 == "cd" * 32


def test_a_fault_of_our_own_is_told_and_counted_as_such(site):
    for failure in (
        Failure(because("given_up", how=because("too_long", seconds=9))),
        Failure(because("failed", text="unmask failed on it"), ours=True),
    ):
        put(site)
        job = site.queue.take()
        site.began(job)
        site.ended(job, failure)
        site.queue.end(job)
    scan = site.view(site.row(job.key))
    assert (scan.state, scan.outcome, scan.p_fake) == ("failed", "error", None)
    figures = site.metrics.text().decode()
    assert 'unmask_scans_total{outcome="failed"} 1.0' in figures
    assert 'unmask_scans_total{outcome="error"} 1.0' in figures
    assert [row.id for row in site.store.find(outcome="error")] == [job.key]


def test_only_what_is_too_old_is_swept_away(site):
    day = 24 * 3600
    for number, age in enumerate((day + 60, day - 60)):
        site.store.add(Row(f"{number:032x}", "a", None, 1, None, time.time() - age, "done", None, None, ""))
    site.sweep()
    assert [row.id for row in site.store.find()] == [f"{1:032x}"]
    assert not site.store.folder_of(f"{0:032x}").exists()


def test_a_full_disk_does_not_end_the_retention(site, monkeypatch, caplog):
    monkeypatch.setattr("unmask.web.site.SWEEP_EVERY_SECONDS", 0.01)
    swept = threading.Event()
    asked = []

    def older_than(seconds):
        asked.append(seconds)
        if len(asked) == 1:
            raise OSError("the list of scans: database or disk is full")
        swept.set()
        return []

    monkeypatch.setattr(site.store, "older_than", older_than)
    site._sweeper.start()
    assert swept.wait(30)
    site._closing.set()
    site._sweeper.join(30)
    assert "disk is full" in caplog.text
