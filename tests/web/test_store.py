import time
from dataclasses import replace

import pytest

from unmask.errors import DataError
from unmask.judge.stored import read_verdict
from unmask.judge.verdict import unreadable
from unmask.reasons import because
from unmask.verdicts import ModelName
from unmask.web.store import Row, Store

ROW = Row("0" * 32, "clip.mp4", None, 10, "ab" * 32, 1000.0, "queued", None, None, "")


@pytest.fixture
def store(tmp_path):
    one = Store(tmp_path / "folder")
    yield one
    one.close()


def test_what_was_added_is_found_and_gone_when_deleted(store):
    store.add(ROW)
    assert store.get(ROW.id) == ROW and store.verdict(ROW.id) is None
    (store.folder_of(ROW.id) / "source").write_bytes(b"x")
    assert store.source_of(ROW).read_bytes() == b"x"
    store.delete(ROW.id)
    assert store.get(ROW.id) is None and not store.folder_of(ROW.id).exists()
    store.change(ROW.id, state="done")  # of one that is gone
    assert store.get(ROW.id) is None


def test_a_verdict_comes_back_as_it_was(store):
    store.add(ROW)
    verdict = unreadable(
        "clip\udcff.mp4",
        because("unreadable", text="broken \udcff"),
        ModelName("tiny", "0" * 64),
        sha256="cd" * 32,
    )
    store.finish(ROW.id, verdict, state="done")
    assert read_verdict(store.verdict(ROW.id)) == verdict
    row = store.get(ROW.id)
    assert (row.state, row.outcome, row.p_fake, row.sha256) == ("done", "unreadable", None, "cd" * 32)


def test_search_takes_text_as_text(store):
    names = [
        "100% real.mp4",
        "100 real.mp4",
        "a_b.mp4",
        "aXb.mp4",
        "back\\slash.mp4",
        "'; DROP TABLE scans; --",
    ]
    for number, name in enumerate(names):
        store.add(replace(ROW, id=f"{number:032x}", name=name, created=float(number), sha256=f"{number}f"))
    found = {
        text: [row.name for row in store.find(search=text)] for text in ("100%", "a_b", "\\", "DROP", "3F")
    }
    assert found == {
        "100%": names[:1],
        "a_b": names[2:3],
        "\\": names[4:5],
        "DROP": names[5:],
        "3F": names[3:4],
    }
    assert [row.name for row in store.find(limit=2, offset=1)] == [names[4], names[3]]
    store.change(f"{1:032x}", outcome="fake")
    assert [row.name for row in store.find(outcome="fake")] == [names[1]]


def test_after_a_crash_finished_scans_stay_and_the_others_are_interrupted(tmp_path):
    store = Store(tmp_path)
    states = ["uploading", "queued", "running", "done", "failed", "interrupted"]
    for number, state in enumerate(states):
        store.add(replace(ROW, id=f"{number:032x}", state=state))
    (tmp_path / "scans" / "orphan").mkdir()
    store.close()
    again = Store(tmp_path)
    again.recover()
    found = {int(row.id, 16): row.state for row in again.find()}
    assert found == {1: "interrupted", 2: "interrupted", 3: "done", 4: "failed", 5: "interrupted"}
    assert not (tmp_path / "scans" / "orphan").exists() and not again.folder_of(f"{0:032x}").exists()
    again.close()


def test_only_what_is_old_and_finished_is_old(store):
    now = time.time()
    for number, (age, state) in enumerate([(100, "done"), (100, "running"), (1, "done")]):
        store.add(replace(ROW, id=f"{number:032x}", created=now - age, state=state))
    assert store.older_than(50) == [f"{0:032x}"]


def test_two_servers_cannot_use_one_folder(store):
    with pytest.raises(DataError, match="only one server"):
        Store(store.folder)


def test_a_disk_that_fails_is_an_os_error(store):
    store._base.close()
    with pytest.raises(OSError, match="list of scans"):
        store.add(ROW)
    with pytest.raises(OSError, match="list of scans"):
        store.find()


def test_a_list_that_is_none_is_refused(tmp_path):
    (tmp_path / "scans.sqlite3").write_bytes(b"no base at all, but long enough to be read as one" * 100)
    with pytest.raises(DataError, match="its own list"):
        Store(tmp_path)
    with pytest.raises(DataError, match="its own list"):  # and the lock was let go
        Store(tmp_path)
