import json

import pytest

from unmask.errors import DataError
from unmask.lab.pages.deck.sources import MOST_RUNS, find_runs, tell_apart


def test_everything_is_known_by_what_it_holds(project):
    found = tell_apart(project.all[::-1])
    assert found.index == project.index and found.extraction == project.crops
    assert found.evaluation == project.report
    assert (found.submission, found.timing) == (project.submission, project.timing)
    assert [run.name for run in found.runs] == ["ranked", "unranked"]


def test_a_run_is_taken_by_itself_too(project):
    assert find_runs(project.runs / "ranked") == [project.runs / "ranked"]


def test_an_index_may_be_a_csv(tmp_path):
    table = tmp_path / "index.csv"
    table.write_text("name,path,label,status\n")
    assert tell_apart([table]).index == table


@pytest.mark.parametrize("name", ["nowhere", "empty", "notes.txt", "table.csv"])
def test_what_is_none_of_them_is_refused(tmp_path, name):
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "table.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match=rf"{name}.*(no such file|must be an index)"):
        tell_apart([tmp_path / name])


def test_two_of_a_kind_are_refused(tmp_path):
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("filename,label\na.mp4,0.5\n")
    with pytest.raises(DataError, match=r"one submission, got .*a\.csv and .*b\.csv"):
        tell_apart([tmp_path / "a.csv", tmp_path / "b.csv"])


def test_too_many_runs_are_refused(tmp_path):
    for number in range(MOST_RUNS + 1):
        (tmp_path / f"{number}").mkdir()
        (tmp_path / f"{number}" / "log.jsonl").write_text(json.dumps({"step": 1, "loss": 1.0}) + "\n")
    with pytest.raises(DataError, match=f"{MOST_RUNS} runs at most, got {MOST_RUNS + 1}"):
        tell_apart([tmp_path])
