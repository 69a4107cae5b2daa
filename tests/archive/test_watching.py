"""Files that arrive are judged once they are whole, each once."""

import json
import os
import shutil
import time
from itertools import islice

import pytest

from inline_crew import InlineCrew
from unmask.archive.opening import open_store
from unmask.archive.scanning import scan_files
from unmask.archive.watching import Inbox, watch_place
from unmask.errors import DataError


@pytest.fixture
def inbox(tmp_path):
    (tmp_path / "inbox").mkdir()
    return tmp_path / "inbox"


def watching(inbox, output, settings, crew, batches):
    """Names and records of so many batches."""
    sources = [str(inbox)]
    found = watch_place(
        Inbox(str(inbox), settle_seconds=0.05),
        output,
        open_batch=lambda place, files: open_store(sources, place, settings, files=files),
        scan=lambda store, earlier: scan_files(store, crew, earlier=earlier.record),
        files_per_batch=settings.files_per_shard,
        poll_seconds=0.1,
    )
    told = [{record["name"]: record for record in batch} for batch in islice(found, batches)]
    found.close()
    return told


def test_files_are_judged_once_and_the_next_run_goes_on(archive, settings, judge, inbox, tmp_path):
    crew = InlineCrew(judge)
    shutil.copy(archive / "amy.mp4", inbox)
    (first,) = watching(inbox, tmp_path / "out", settings, crew, 1)
    assert list(first) == ["inbox/amy.mp4"]
    shutil.copy(archive / "amy_again.mp4", inbox)
    shutil.copy(archive / "nobody.mp4", inbox)
    crew.done.clear()
    (second,) = watching(inbox, tmp_path / "out", settings, crew, 1)
    assert sorted(second) == ["inbox/amy_again.mp4", "inbox/nobody.mp4"]
    assert second["inbox/amy_again.mp4"]["duplicate_of"] == "inbox/amy.mp4"
    assert second["inbox/amy_again.mp4"]["p_fake"] == first["inbox/amy.mp4"]["p_fake"]
    assert sorted(crew.done) == [
        "inbox/amy_again.mp4",
        "inbox/nobody.mp4",
        "inbox/nobody.mp4",
    ]  # hashed first
    manifests = sorted((tmp_path / "out").glob("*/manifest.json"))
    assert [file.parent.name for file in manifests] == ["00001", "00002"]


def test_a_batch_that_was_interrupted_goes_on(archive, settings, judge, inbox, tmp_path):
    for name in ("ben.mp4", "nobody.mp4"):
        shutil.copy(archive / name, inbox)

    def interrupt(task):
        if task.name.endswith("nobody.mp4") and not task.hash_only:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        watching(inbox, tmp_path / "out", settings, InlineCrew(judge, fate=interrupt), 1)
    shutil.copy(archive / "orphan_1.mp4", inbox)
    first, second = watching(inbox, tmp_path / "out", settings, InlineCrew(judge), 2)
    assert sorted(first) == ["inbox/ben.mp4", "inbox/nobody.mp4"] and list(second) == ["inbox/orphan_1.mp4"]


def test_a_file_is_left_alone_while_it_grows(inbox):
    watched = Inbox(str(inbox), settle_seconds=0.0)
    growing = inbox / "a.mp4"
    growing.write_bytes(b"1")
    assert watched.whole(most=9) == []
    growing.write_bytes(b"12")
    assert watched.whole(most=9) == []
    (inbox / "empty.mp4").touch()
    assert [file.name for file in watched.whole(most=9)] == ["a.mp4"]
    assert Inbox(str(inbox), settle_seconds=60.0).whole(most=9) == []


def test_two_that_watch_into_one_place_refuse_each_other(archive, settings, judge, inbox, tmp_path):
    shutil.copy(archive / "nobody.mp4", inbox)
    found = watch_place(
        Inbox(str(inbox), settle_seconds=0.05),
        tmp_path / "out",
        open_batch=lambda place, files: open_store([str(inbox)], place, settings, files=files),
        scan=lambda store, earlier: scan_files(store, InlineCrew(judge), earlier=earlier.record),
        files_per_batch=4,
        poll_seconds=0.1,
    )
    assert json.loads(json.dumps(next(found)))[0]["outcome"] == "no_face"
    with pytest.raises(DataError, match="another run is working"):
        watching(inbox, tmp_path / "out", settings, InlineCrew(judge), 1)
    found.close()


def test_what_the_clock_says_makes_no_file_whole(inbox, monkeypatch):
    """Files of the future, and ones that keep their date while they grow; the clock may be set back."""
    monkeypatch.setattr("time.time", lambda: 0.0)
    seen = Inbox(str(inbox), settle_seconds=0.05)
    later = 4e9  # in the year 2096
    (inbox / "a.mp4").write_bytes(b"some")
    os.utime(inbox / "a.mp4", (later, later))
    assert seen.whole(most=9) == []
    time.sleep(0.1)
    (inbox / "a.mp4").write_bytes(b"some and more")
    os.utime(inbox / "a.mp4", (later, later))
    assert seen.whole(most=9) == []
    time.sleep(0.1)
    assert [file.size_bytes for file in seen.whole(most=9)] == [13]
