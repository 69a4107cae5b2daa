"""Which part of the work a task of an array job does."""

import pytest

from archived import lasting, scanned
from inline_crew import InlineCrew
from unmask.archive.opening import open_store
from unmask.archive.records import RecordStore
from unmask.archive.scanning import scan_files
from unmask.archive.shares import Share, read_share
from unmask.errors import DataError, SettingsError

SLURM = {"SLURM_ARRAY_TASK_ID": "7", "SLURM_ARRAY_TASK_COUNT": "4", "SLURM_ARRAY_TASK_MIN": "1"}


@pytest.mark.parametrize(
    ("text", "environment", "share"),
    [
        ("1/1", {}, Share()),
        ("64/64", {}, Share(63, 64)),
        ("auto", SLURM | {"SLURM_ARRAY_TASK_STEP": "2"}, Share(3, 4)),
        ("auto", {"AWS_BATCH_JOB_ARRAY_INDEX": "0", "AWS_BATCH_JOB_ARRAY_SIZE": "2"}, Share(0, 2)),
        ("auto/3", {"JOB_COMPLETION_INDEX": "2"}, Share(2, 3)),
        ("auto", {"BATCH_TASK_INDEX": "1", "BATCH_TASK_COUNT": "5"}, Share(1, 5)),
    ],
)
def test_a_share_is_given_or_taken_from_the_scheduler(text, environment, share):
    assert read_share(text, environment) == share


@pytest.mark.parametrize(
    ("text", "environment", "words"),
    [
        ("0/4", {}, "must be 1/4 to 4/4"),
        ("5/4", {}, "must be 1/4 to 4/4"),
        ("half", {}, "such as 3/64"),
        ("auto", {}, "none of SLURM_ARRAY_TASK_ID"),
        ("auto", {"JOB_COMPLETION_INDEX": "2"}, "must say how many"),
        ("auto/2", {"JOB_COMPLETION_INDEX": "x"}, "must be a number"),
        ("auto", SLURM, "must be 1/4 to 4/4"),
    ],
)
def test_what_is_no_share_is_refused(text, environment, words):
    with pytest.raises(SettingsError, match=words):
        read_share(text, environment)


def test_shares_in_any_order_leave_what_one_run_leaves(archive, settings, answers, out, tmp_path):
    crew = InlineCrew(answers)
    for index in (2, 0, 1):
        assert not (tmp_path / "out/manifest.json").exists()
        scanned([archive], tmp_path / "out", settings, crew, share=Share(index, 3))
    assert lasting(tmp_path / "out") == lasting(out)
    assert len(crew.done) == 9 + 2  # the two files of one size are hashed besides


def test_shares_work_side_by_side_and_keep_other_ways_of_sharing_out(archive, settings, answers, tmp_path):
    def store(*share):
        return open_store([str(archive)], str(tmp_path / "out"), settings, share=Share(*share))

    with store(0, 3), store(1, 3) as other:
        for share in ((0, 3), (1, 2), (0, 1)):
            with pytest.raises(DataError, match="another run is working"), store(*share):
                pass
        scan_files(other, InlineCrew(answers))
    with store(0, 2):
        pass


def test_two_that_end_together_both_end_well(archive, settings, answers, out, tmp_path, monkeypatch):
    """The second one finds the summary written, and all that it is made from removed."""
    scanned([archive], tmp_path / "out", settings, InlineCrew(answers), share=Share(0, 2))
    conclude = RecordStore._conclude

    def let_the_other_go_first(store):
        monkeypatch.setattr(RecordStore, "_conclude", conclude)
        scanned([archive], tmp_path / "out", settings, InlineCrew(answers), share=Share(0, 2))
        conclude(store)

    monkeypatch.setattr(RecordStore, "_conclude", let_the_other_go_first)
    scanned([archive], tmp_path / "out", settings, InlineCrew(answers), share=Share(1, 2))
    assert lasting(tmp_path / "out") == lasting(out)
