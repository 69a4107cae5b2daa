"""``unmask submit``: every row, in time, and all or nothing."""

import csv
import json
import signal
import subprocess
import sys
import time

import pytest

from command_line import run
from labelled_clips import write_labelled
from tiny_model import write_tiny_model
from unmask.config import BatchSettings, DecodeSettings, ScanSettings
from unmask.errors import DataError, SettingsError
from unmask.lab.submit.journal import Finding, Journal
from unmask.lab.submit.pace import FEWEST_FRAMES, Pace, parse_budget
from unmask.lab.submit.run import OUT_OF_TIME, SubmitSettings, check_submission, journal_path, make_submission
from unmask.lab.submit.wanted import Wanted, list_wanted


@pytest.fixture(scope="module")
def card(tmp_path_factory):
    return write_tiny_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("input") / "test_videos"
    return write_labelled(folder, originals=2)


def read(path):
    with path.open(newline="") as file:
        return {row["filename"]: float(row["label"]) for row in csv.DictReader(file)}


def test_every_video_gets_a_row_and_those_without_a_number_the_fallback(videos, card, tmp_path, capsys):
    output = tmp_path / "submission.csv"
    code = run("submit", videos, "-o", output, "--model", card, "--fallback", 0.3, "--clip", 0.1, "--json")
    assert code == 0
    labels = read(output)
    assert list(labels) == sorted(labels) == sorted(path.name for path in videos.glob("*.mp4"))
    assert labels["empty.mp4"] == labels["broken.mp4"] == 0.3
    assert max(labels["real0.mp4"], labels["real1.mp4"]) < 0.5 < min(labels["fake0.mp4"], labels["fake1.mp4"])
    assert all(0.1 <= label <= 0.9 for label in labels.values())
    found = json.loads(capsys.readouterr().out)
    assert (found["rows"], found["outcomes"]["no_face"], found["outcomes"]["unreadable"]) == (6, 1, 1)
    assert not journal_path(output).exists()


def test_a_narrow_clip_reaches_further_than_verdicts_do(videos, tmp_path):
    sure = write_tiny_model(tmp_path / "sure", calibration={"temperature": 0.1, "bias": 0.0})
    output = tmp_path / "submission.csv"
    assert run("submit", videos, "-o", output, "--model", sure, "--clip", 0.0001) == 0
    labels = read(output)
    assert min(labels.values()) == 0.0001 and max(labels.values()) == 0.9999


def test_rows_are_exactly_those_of_the_sample_in_its_order(videos, card, tmp_path):
    names = ["real1.mp4", "gone.mp4", "fake0.mp4"]
    sample = tmp_path / "sample_submission.csv"
    sample.write_text("filename,label\n" + "".join(f"{name},0.5\n" for name in names))
    output = tmp_path / "out.csv"
    arguments = ("submit", videos, "-o", output, "--model", card, "--sample", sample, "--frames", 4)
    assert run(*arguments) == 2  # gone.mp4 is absent
    assert not output.exists()
    assert run(*arguments, "--allow-absent") == 0
    labels = read(output)
    assert list(labels) == names and labels["gone.mp4"] == 0.5


def test_a_killed_run_leaves_nothing_and_goes_on_where_it_stood(videos, card, tmp_path):
    output = tmp_path / "submission.csv"
    command = [sys.executable, "-m", "unmask", "submit", str(videos), "-o", str(output), "--model", str(card)]
    process = subprocess.Popen([*command, "--jobs", "1"], stdout=subprocess.DEVNULL)
    journal, deadline = journal_path(output), time.monotonic() + 120
    while not journal.exists() or journal.read_text().count("\n") < 3:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not output.exists()
    known = journal.read_text().count("\n") - 1
    with journal.open("a") as file:
        file.write('{"name": "cut sho')  # as a kill in the middle of a line would leave it
    found = subprocess.run([*command, "--json"], capture_output=True, text=True, check=True)
    assert json.loads(found.stdout)["reused"] == known >= 2
    assert len(read(output)) == 6
    again = tmp_path / "again.csv"
    assert run("submit", videos, "-o", again, "--model", card) == 0
    assert again.read_bytes() == output.read_bytes()


def test_time_that_is_up_still_gives_every_row_and_a_later_run_completes_it(videos, card, tmp_path):
    output = tmp_path / "submission.csv"
    wanted, scan = list_wanted(videos, None), ScanSettings(model=str(card))
    start = time.monotonic()
    found = make_submission(wanted, output, scan, SubmitSettings(budget_seconds=0.01))
    assert time.monotonic() - start < 30
    assert found.outcomes == {OUT_OF_TIME: 6} and set(read(output).values()) == {0.5}
    assert make_submission(wanted, output, scan).outcomes.get(OUT_OF_TIME) is None
    assert set(read(output).values()) != {0.5}


def simulate(*, videos, jobs, frames, budget, fixed, per_frame):
    """Let the pace choose frames for videos of known cost; gives when it ended, and what it chose."""
    now = [0.0] * jobs
    clock = {"time": 0.0}
    pace = Pace(videos, jobs, frames, budget, clock=lambda: clock["time"])
    chosen = []
    for number in range(videos):
        worker = now.index(min(now))
        clock["time"] = now[worker]
        if clock["time"] >= budget:
            break
        chosen.append(pace.begin())
        cost = fixed(number), per_frame(number) * chosen[-1]
        now[worker] += sum(cost)
        pace.record(frames=chosen[-1], fixed_seconds=cost[0], frame_seconds=cost[1])
    return max(now), chosen


def test_with_time_enough_every_video_gets_all_frames():
    end, chosen = simulate(
        videos=500, jobs=2, frames=30, budget=5000, fixed=lambda n: 1.0, per_frame=lambda n: 0.1
    )
    assert set(chosen) == {30} and end < 5000


@pytest.mark.parametrize("jobs", [1, 2, 4])
@pytest.mark.parametrize("slow_from", [0, 300])
def test_a_late_run_lowers_the_frames_and_ends_in_time(jobs, slow_from):
    def per_frame(number):
        return 0.2 if number >= slow_from else 0.05

    end, chosen = simulate(
        videos=500,
        jobs=jobs,
        frames=30,
        budget=2000 / jobs,
        fixed=lambda n: 1.0 + 0.5 * (n % 3),
        per_frame=per_frame,
    )
    assert len(chosen) == 500 and end <= 2000 / jobs
    assert end > 0.8 * 2000 / jobs  # and the time is used
    assert min(chosen) >= FEWEST_FRAMES and chosen[-1] < 30


def test_a_hopeless_budget_goes_down_to_the_fewest_frames():
    _, chosen = simulate(videos=100, jobs=1, frames=30, budget=20, fixed=lambda n: 1, per_frame=lambda n: 0.1)
    assert chosen[0] == 30 and set(chosen[1:]) == {FEWEST_FRAMES}


def test_late_videos_are_given_fewer_frames_for_real(videos, card, tmp_path, monkeypatch):
    monkeypatch.setattr("unmask.lab.submit.run.Pace.affordable", lambda pace: 30 if pace.videos > 3 else 5)
    wanted = list_wanted(videos, None)
    scan = ScanSettings(model=str(card), decode=DecodeSettings(frames=30))
    found = make_submission(wanted, tmp_path / "s.csv", scan, batch=BatchSettings(jobs=1))
    assert found.frames == {5: 3, 30: 3}


@pytest.mark.parametrize(("text", "seconds"), [("9h", 32400), ("90m", 5400), ("1h0.5m", 3630), ("7s", 7)])
def test_budgets_are_times(text, seconds):
    assert parse_budget(text) == seconds


@pytest.mark.parametrize("text", ["", "9", "h", "9 h", "-1h", "1d", "0s", "1h!"])
def test_other_budgets_are_refused(text):
    with pytest.raises(SettingsError, match="a budget must be"):
        parse_budget(text)


def answer(name, size=4):
    return Finding(name, size, "real", 0.2, "fine", 30, 1.0)


def test_a_journal_forgets_files_that_changed_and_refuses_another_model(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"1234")
    wanted = [Wanted("a.mp4", str(tmp_path / "a.mp4"))]
    with Journal(tmp_path / "j", {"model": "m"}) as journal:
        assert journal.read(wanted) == {}
        for name in ("a.mp4", "other.mp4"):
            journal.add(answer(name))
        assert journal.read(wanted) == {"a.mp4": answer("a.mp4")}
        (tmp_path / "a.mp4").write_bytes(b"12345")
        assert journal.read(wanted) == {}
        with pytest.raises(DataError, match="another run is working in it"):
            Journal(tmp_path / "j", {"model": "m"})
    refused = pytest.raises(DataError, match=r"must be of the same model.*--restart")
    with refused, Journal(tmp_path / "j", {"model": "other"}) as journal:
        journal.read(wanted)
    (tmp_path / "j").write_text("rubbish\n")
    refused = pytest.raises(DataError, match=r"is no journal of a submission.*--restart")
    with refused, Journal(tmp_path / "j", {"model": "m"}) as journal:
        journal.read(wanted)


@pytest.mark.parametrize("cut", [1, 30, 400])
def test_a_journal_that_was_cut_short_anywhere_goes_on(tmp_path, cut):
    (tmp_path / "a.mp4").write_bytes(b"1234")
    wanted, file = [Wanted("a.mp4", str(tmp_path / "a.mp4"))], tmp_path / "j"
    with Journal(file, {"model": "m"}) as journal:
        journal.add(answer("a.mp4", size=9))
        journal.add(answer("a.mp4"))
    file.write_bytes(file.read_bytes()[:-cut])
    with Journal(file, {"model": "m"}) as journal:
        assert journal.read(wanted) == {}
        journal.add(answer("a.mp4"))
        assert journal.read(wanted) == {"a.mp4": answer("a.mp4")}
        journal.forget()
    assert not file.exists()


WRONG = {
    "header": ("file,label\na.mp4,0.5\nb.mp4,0.5\n", "the header must be filename,label"),
    "missing row": ("filename,label\na.mp4,0.5\n", "each file must have one row.*b.mp4"),
    "row too much": ("filename,label\na.mp4,0.5\nb.mp4,0.5\nc.mp4,0.5\n", "one row.*c.mp4"),
    "twice": ("filename,label\na.mp4,0.5\nb.mp4,0.5\nb.mp4,0.5\n", "one row.*b.mp4"),
    "one": ("filename,label\na.mp4,0.5\nb.mp4,1\n", "above 0 and below 1, got 'b.mp4,1'"),
    "nan": ("filename,label\na.mp4,0.5\nb.mp4,nan\n", "above 0 and below 1"),
    "text": ("filename,label\na.mp4,0.5\nb.mp4,FAKE\n", "above 0 and below 1"),
    "nothing": ("", "the header must be"),
}


@pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG)
def test_what_is_no_submission_is_told(tmp_path, text, message):
    path = tmp_path / "s.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        check_submission(path, ["a.mp4", "b.mp4"])


def test_what_was_written_is_checked_before_it_takes_its_place(tmp_path, monkeypatch):
    output = tmp_path / "s.csv"
    output.write_text("old")

    def refuse(path, names):
        raise DataError("no")

    monkeypatch.setattr("unmask.lab.submit.run.check_submission", refuse)
    from unmask.lab.submit.run import write_submission

    with pytest.raises(DataError):
        write_submission(output, {"a.mp4": 0.5})
    assert output.read_text() == "old" and sorted(p.name for p in tmp_path.iterdir()) == ["s.csv"]


SAMPLES = {
    "twice": ("filename,label\nreal0.mp4,0\nreal0.mp4,0\n", "'real0.mp4' is named twice"),
    "absent": ("filename,label\nreal0.mp4,0\nx.mp4,0\n", "1 of 2 are absent (x.mp4)"),
    "folder": ("filename,label\n../real0.mp4,0\n", "without its folder"),
    "header": ("name,label\nreal0.mp4,0\n", "must begin with the column filename, got 'name,label'"),
    "no rows": ("filename,label\n", "must name files, names none"),
    "nothing": ("", "got 'an empty file'"),
}


@pytest.mark.parametrize(("text", "message"), SAMPLES.values(), ids=SAMPLES)
def test_a_sample_that_does_not_fit_ends_before_any_work(videos, tmp_path, capsys, text, message):
    sample = tmp_path / "sample.csv"
    sample.write_text(text)
    assert run("submit", videos, "--sample", sample, "-o", tmp_path / "o.csv") == 2
    assert message in capsys.readouterr().err
    assert sorted(p.name for p in tmp_path.iterdir()) == ["sample.csv"]


def test_other_bad_input_ends_with_rule_and_value(videos, tmp_path, capsys):
    (tmp_path / "none").mkdir()
    (tmp_path / "two" / "a").mkdir(parents=True)
    for folder in ("two", "two/a"):
        (tmp_path / folder / "x.mp4").touch()
    output = tmp_path / "o.csv"
    for arguments, message in (
        ((), "TEST_DIR, the folder with the videos, must be given"),
        ((tmp_path / "absent",), "the videos must lie in a folder, got"),
        ((tmp_path / "none",), "must hold videos, found none"),
        ((tmp_path / "two",), "file names must be unique, got"),
        ((videos, "--budget", "9"), "a budget must be a time such as 9h, 1h30m or 45s, got '9'"),
        ((videos, "--fallback", "0"), "fallback must be above 0 and below 1, got 0.0"),
        ((videos, "--clip", "0.5"), "clip must be 1e-06 to below 0.5, got 0.5"),
        ((videos, "--model", tmp_path / "no.json"), "no readable model card"),
        ((videos, "-o", tmp_path / "absent" / "o.csv"), "--output needs a folder that can be written to"),
        ((videos, "-o", videos / "real0.mp4"), "--output must name a table, not a video"),
    ):
        given = arguments if "-o" in arguments else (*arguments, "-o", output)
        assert run("submit", *given) == 2
        found = capsys.readouterr().err
        assert message in found and "Traceback" not in found
    assert not output.exists() and not journal_path(output).exists()
