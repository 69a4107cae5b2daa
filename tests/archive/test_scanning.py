"""Scans of archives: a record for each file, the same in the end whatever happens on the way."""

import json
import resource
import sys
import zipfile
from collections import Counter
from pathlib import Path

import pytest

from archived import NAMES, lasting, scanned, settings_for
from footage import contents
from inline_crew import KILLED, InlineCrew
from unmask.archive.judging import FileTask, UnreachableError
from unmask.archive.opening import open_store
from unmask.archive.places import Folder
from unmask.archive.scanning import scan_files
from unmask.archive.sources import SourceFile
from unmask.errors import DataError, MediaError
from unmask.reasons import because
from unmask.work.pool import Failure, Tell


def records(out):
    lines = [line for file in sorted(out.glob("records-*.jsonl")) for line in file.read_text().splitlines()]
    return {Path(record["name"]).name: record for record in map(json.loads, lines)}


def test_every_file_has_its_record(out):
    found = records(out)
    assert sorted(found) == sorted(NAMES)
    outcomes = {name: record["outcome"] for name, record in found.items()}
    assert outcomes["nobody.mp4"] == "no_face" and outcomes["broken.mp4"] == "unreadable"
    assert outcomes["amy.mp4"] in ("fake", "real", "unsure")
    assert found["empty.mp4"]["reason"] == "the file is empty" and found["empty.mp4"]["p_fake"] is None
    assert found["broken.mp4"]["sha256"] and found["broken.mp4"]["size_bytes"] == len(b"no video")
    summary = json.loads((out / "summary.json").read_text())
    assert {name: count for name, count in summary["outcomes"].items() if count} == Counter(outcomes.values())
    assert summary["files"] == 11 and summary["duplicates"] == 1 and sum(summary["failures"].values()) == 2
    ranked = [one["log_odds"] for one in summary["suspicious"]]
    assert ranked == sorted(ranked, reverse=True) and len(ranked) == 7
    timings = json.loads((out / "timings/summary.json").read_text())
    assert timings["judged"] == 9 and timings["slowest"][0]["seconds"] > 0


def test_the_same_file_is_judged_once_and_named(archive, settings, answers, out, tmp_path):
    judged = []

    def do(task, tell):
        if not task.hash_only:
            judged.append(task.name)
        return answers(task, tell)

    assert scanned([archive], tmp_path / "out", settings, InlineCrew(do, workers=3)) == {}
    assert sum("amy.mp4" in name or "amy_again.mp4" in name for name in judged) == 1
    found = records(tmp_path / "out")
    assert found["amy_again.mp4"]["duplicate_of"] == "archive/amy.mp4"
    assert found["amy.mp4"]["duplicate_of"] is None
    same = [found[name] | {"name": "", "duplicate_of": ""} for name in ("amy.mp4", "amy_again.mp4")]
    assert same[0] == same[1] and lasting(tmp_path / "out") == lasting(out)


@pytest.mark.parametrize("workers", [2, 5])
def test_the_number_of_workers_changes_no_byte(archive, settings, answers, out, tmp_path, workers):
    scanned([archive], tmp_path / "out", settings, InlineCrew(answers, workers=workers))
    assert lasting(tmp_path / "out") == lasting(out)


def zip_of(archive, folder):
    with zipfile.ZipFile(folder / "archive.zip", "w") as zipped:
        for file in archive.iterdir():
            zipped.write(file, file.name)
    return folder / "archive.zip"


def test_a_zip_gives_the_same_records(archive, settings, judge, out, tmp_path):
    with judge.opener:
        scanned([zip_of(archive, tmp_path)], tmp_path / "out", settings, InlineCrew(judge))
    assert lasting(tmp_path / "out") == lasting(out)


class Killed(BaseException):
    """Nothing can catch it and go on."""


@pytest.mark.parametrize(
    ("place", "zipped"), [*((place, False) for place in range(1, 29, 3)), (5, True), (14, True), (23, True)]
)
def test_a_run_killed_at_any_write_goes_on_to_the_same_end(
    archive, settings, judge, answers, out, tmp_path, monkeypatch, place, zipped
):
    """Dies at the place-th time that it would write, rename or remove a file, and does nothing more."""
    left, source = place, zip_of(archive, tmp_path) if zipped else archive
    answer = judge if zipped else answers
    append = Folder.append

    def mortal(function, last=lambda *args: None):
        def call(*args, **kwargs):
            nonlocal left
            left -= 1
            if left < 0:
                last(*args)
                raise Killed
            return function(*args, **kwargs)

        return call

    def write_half(folder, name, data):
        append(folder, name, data[: len(data) // 2])

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", mortal(Path.replace))
        patch.setattr(Path, "unlink", mortal(Path.unlink))
        patch.setattr(Folder, "append", mortal(append, write_half))
        first = InlineCrew(answer, workers=2)
        with judge.opener, pytest.raises(Killed):
            scanned([source], tmp_path / "out", settings, first)
    second = InlineCrew(answer, workers=2)
    with judge.opener:
        scanned([source], tmp_path / "out", settings, second)
    assert lasting(tmp_path / "out") == lasting(out)
    again = Counter(first.done) & Counter(second.done)
    # At most what was in flight, and hashes, which are not kept.
    assert sum(again.values()) <= 2 + sum("amy" in name for name in again)


def test_a_finished_scan_does_nothing_more(archive, settings, answers, out, tmp_path):
    scanned([archive], tmp_path / "out", settings, InlineCrew(answers))
    before = contents(tmp_path / "out")
    crew = InlineCrew(answers)
    scanned([archive], tmp_path / "out", settings, crew)
    assert contents(tmp_path / "out") == before and crew.done == []


def test_a_full_disk_stops_and_goes_on(archive, settings, answers, out, tmp_path):
    """A limit on the size of files stands in for the disk: no shard can be written, every part can."""
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    largest = max(file.stat().st_size for file in out.glob("records-*"))
    crew, rest = InlineCrew(answers), InlineCrew(answers)
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest - 100, limit[1]))
    try:
        with pytest.raises(DataError, match=r"File too large; allow larger .* goes on where it stopped"):
            scanned([archive], tmp_path / "out", settings, crew)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    scanned([archive], tmp_path / "out", settings, rest)
    assert lasting(tmp_path / "out") == lasting(out) and not set(crew.done) & set(rest.done)


def stop_when(condition):
    class StopError(Exception):
        pass

    def stop(done):
        if condition():
            raise StopError

    return StopError, stop


@pytest.mark.parametrize("harm", ["remove", "cut", "commit"])
def test_marked_done_means_done(archive, settings, answers, out, tmp_path, harm):
    place = tmp_path / "out"
    error, stop = stop_when(lambda: list(place.glob("*.jsonl")))
    with pytest.raises(error), open_store([str(archive)], str(place), settings) as store:
        scan_files(store, InlineCrew(answers), on_done=stop)
    (shard,) = place.glob("*.jsonl")
    (commit,) = (place / ".unfinished/shards").iterdir()
    match harm:
        case "remove":
            shard.unlink()
        case "cut":
            shard.write_bytes(shard.read_bytes()[:-9])
        case "commit":
            commit.write_bytes(b"\0" * 40)
    scanned([archive], place, settings, InlineCrew(answers))
    assert lasting(place) == lasting(out)


def test_a_part_cut_short_is_done_again(archive, settings, answers, out, tmp_path):
    place = tmp_path / "out"
    error, stop = stop_when(lambda: list(place.rglob("*.part")))
    with pytest.raises(error), open_store([str(archive)], str(place), settings) as store:
        scan_files(store, InlineCrew(answers), on_done=stop)
    (part,) = place.rglob("*.part")
    part.write_bytes(part.read_bytes()[:-20])
    scanned([archive], place, settings, InlineCrew(answers))
    assert lasting(place) == lasting(out)


def test_a_file_that_kills_three_workers_is_set_aside_and_tried_again_on_demand(
    archive, settings, answers, out, tmp_path
):
    crew = InlineCrew(answers, workers=2, fate=lambda task: KILLED if task.name.endswith("ben.mp4") else None)
    assert scanned([archive], tmp_path / "out", settings, crew) == {}
    poison = records(tmp_path / "out")["ben.mp4"]
    assert (poison["outcome"], poison["reason_code"]) == ("unreadable", "given_up")
    assert crew.done.count("archive/ben.mp4") == 3
    for again in (InlineCrew(answers), InlineCrew(answers)):
        with open_store([str(archive)], str(tmp_path / "out"), settings) as store:
            failed = store.retry_failed()
            scan_files(store, again)
        assert sorted(again.done) == ["archive/ben.mp4", "archive/broken.mp4"][2 - failed :]
    assert lasting(tmp_path / "out") == lasting(out)


def test_failures_of_the_machine_stay_pending(archive, settings, answers, out, tmp_path):
    no_memory = Failure(because("no_memory"), ours=True)
    crew = InlineCrew(answers, fate=lambda task: no_memory if task.name.endswith("amy_1.mp4") else None)
    pending = scanned([archive], tmp_path / "out", settings, crew)
    assert list(pending) == ["archive/amy_1.mp4"] and "not enough memory" in pending["archive/amy_1.mp4"]
    assert not (tmp_path / "out/manifest.json").exists()
    rest = InlineCrew(answers)
    assert scanned([archive], tmp_path / "out", settings, rest) == {} and rest.done == ["archive/amy_1.mp4"]
    assert lasting(tmp_path / "out") == lasting(out)


def test_of_files_that_are_the_same_all_stay_pending_with_the_one_that_is_judged(
    archive, settings, answers, out, tmp_path
):
    def fate(task):
        return None if task.hash_only or "amy" not in task.name else Failure(because("no_memory"), ours=True)

    pending = scanned([archive], tmp_path / "out", settings, InlineCrew(answers, fate=fate))
    assert sorted(pending) == [f"archive/{name}" for name in NAMES if name.startswith("amy")]
    scanned([archive], tmp_path / "out", settings, InlineCrew(answers))
    assert lasting(tmp_path / "out") == lasting(out)


def copy_two(archive, folder):
    """One clip with somebody in it and one without, which a test may spoil."""
    folder.mkdir()
    for name in ("ben.mp4", "nobody.mp4"):
        (folder / name).write_bytes((archive / name).read_bytes())


def test_a_file_that_went_away_is_unreadable(archive, settings, judge, tmp_path):
    copy_two(archive, tmp_path / "gone")
    with open_store([str(tmp_path / "gone")], str(tmp_path / "out"), settings) as store:
        (tmp_path / "gone/ben.mp4").unlink()
        assert scan_files(store, InlineCrew(judge)) == {}
    assert records(tmp_path / "out")["ben.mp4"]["reason"] == "no such file"


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_a_file_that_the_disk_fails_on_stays_pending(archive, settings, judge, tmp_path):
    copy_two(archive, tmp_path / "some")
    with open_store([str(tmp_path / "some")], str(tmp_path / "out"), settings) as store:
        (tmp_path / "some/ben.mp4").unlink()
        (tmp_path / "some/ben.mp4").symlink_to("/proc/self/mem")  # whose beginning cannot be read
        ((number, why),) = scan_files(store, InlineCrew(judge)).items()
        assert store.plan.files[number].inner == "some/ben.mp4" and "Input/output error" in str(why)
    assert not (tmp_path / "out/manifest.json").exists()


def test_what_the_disk_fails_on_in_the_middle_stays_pending(judge, archive, monkeypatch):
    def fail(*given, **named):
        raise MediaError(because("machine_failed", error="Input/output error"))

    monkeypatch.setattr(type(judge.scanner), "watch", fail)
    file = SourceFile(str(archive / "ben.mp4"), "ben.mp4", (archive / "ben.mp4").stat().st_size)
    with pytest.raises(UnreachableError, match="says nothing of the file"):
        judge(FileTask(0, file), Tell(lambda part: None))


def test_when_everything_fails_nothing_is_recorded(tmp_path, archive, settings):
    (tmp_path / "list.txt").write_text("\n".join(str(archive / "ben.mp4") for _ in range(30)))
    crew = InlineCrew(None, workers=2, fate=lambda task: Failure(because("unreadable", text="no such file")))
    with pytest.raises(DataError, match=r"60 attempts failed one after the other.*no such file"):
        scanned([tmp_path / "list.txt"], tmp_path / "out", settings, crew)
    assert not list((tmp_path / "out").rglob("*.part"))


def test_two_runs_on_one_output_refuse_each_other(archive, settings, tmp_path):
    with open_store([str(archive)], str(tmp_path / "out"), settings):
        second = open_store([str(archive)], str(tmp_path / "out"), settings)
        with pytest.raises(DataError, match="another run is working"), second:
            pass


@pytest.mark.parametrize("what", ["sources", "settings", "foreign"])
def test_another_scan_is_refused(archive, settings, answers, tmp_path, what):
    if what == "foreign":
        (tmp_path / "out").mkdir()
        (tmp_path / "out/notes.txt").touch()
    else:
        scanned([archive], tmp_path / "out", settings, InlineCrew(answers))
    source = archive / "amy.mp4" if what == "sources" else archive
    other = settings_for(archive.parent, files_per_shard=5) if what == "settings" else settings
    with pytest.raises(DataError, match="choose another folder"):
        open_store([str(source)], str(tmp_path / "out"), other)


def test_an_archive_that_grew_goes_on_with_the_list_that_was_made(archive, settings, answers, tmp_path):
    (tmp_path / "new").mkdir()
    (tmp_path / "new/ben.mp4").write_bytes((archive / "ben.mp4").read_bytes())
    with open_store([str(tmp_path / "new")], str(tmp_path / "out"), settings):
        pass
    (tmp_path / "new/late.mp4").touch()
    with open_store([str(tmp_path / "new")], str(tmp_path / "out"), settings) as store:
        assert len(store.plan) == 1
