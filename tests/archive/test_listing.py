"""Files of sources: what is taken, what it is called, and what is known to be wrong with it."""

import zipfile

import pandas as pd
import pytest

from data_sets import write_names
from unmask.archive.listing import UNKNOWN_SIZE, list_files
from unmask.archive.plan import make_plan, plan_bytes, plan_of
from unmask.archive.sources import SourceFile
from unmask.errors import DataError


def told(files):
    return {file.inner: (file.size_bytes, file.problem) for file in files}


@pytest.fixture
def folder(tmp_path):
    write_names(tmp_path / "films", ["a.mp4", "b/c.MOV", "b/d.txt", "e.jpg", ".hidden.mp4"])
    (tmp_path / "films/a.mp4").write_bytes(b"12345")
    return tmp_path / "films"


def test_of_a_folder_videos_and_images_are_taken(folder):
    assert told(list_files([str(folder)])) == {
        "films/a.mp4": (5, ""),
        "films/b/c.MOV": (0, ""),
        "films/e.jpg": (0, ""),
    }


def test_a_file_that_is_named_may_be_called_anything(folder):
    (folder / "a.mp4").rename(folder / "a.part")
    assert told(list_files([str(folder / "a.part")])) == {"a.part": (5, "")}


def test_a_broken_zip_costs_itself_alone(folder):
    (folder / "broken.zip").write_bytes(b"PK no zip")
    with zipfile.ZipFile(folder / "good.zip", "w") as zipped:
        zipped.writestr("x.mp4", b"123")
    found = told(list_files([str(folder)]))
    assert found["films/good/x.mp4"] == (3, "") and "no zip file" in found["films/broken.zip"][1]


def test_a_list_may_name_what_is_not_there(folder, tmp_path):
    lines = [str(folder / "a.mp4"), "# a remark", "", str(folder / "gone.mp4")]
    (tmp_path / "list.txt").write_text("\n".join(lines))
    assert told(list_files([str(tmp_path / "list.txt")])) == {
        str(folder / "a.mp4"): (5, ""),
        str(folder / "gone.mp4"): (0, "no such file"),
    }


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_an_index_brings_names_sizes_and_problems(folder, tmp_path, ending):
    rows = {
        "name": ["one", "two", "three"],
        "path": [str(folder / "a.mp4"), str(folder / "e.jpg"), str(folder / "x.mp4")],
        "size_bytes": [5, None, None],
        "status": ["ok", "ok", "duplicate: of a"],
    }
    frame = pd.DataFrame(rows).astype({"size_bytes": "Int64"})
    file = tmp_path / f"index.{ending}"
    frame.to_parquet(file) if ending == "parquet" else frame.to_csv(file, index=False)
    found = told(list_files([str(file)]))
    assert found == {"one": (5, ""), "two": (0, ""), "three": (0, "duplicate: of a")}


def test_names_are_made_different(folder, tmp_path):
    write_names(tmp_path / "other/films", ["a.mp4"])
    found = [file.inner for file in list_files([str(folder), str(tmp_path / "other/films")])]
    assert "films/a.mp4" in found and "films/a.mp4#2" in found and len(set(found)) == len(found)


def test_a_name_that_is_no_text_is_shown_and_opened_all_the_same(tmp_path):
    odd = tmp_path / "films" / b"\xff.mp4".decode("utf-8", "surrogateescape")
    odd.parent.mkdir()
    odd.write_bytes(b"123")
    plan = make_plan(list_files([str(odd.parent)]))
    assert plan.files[0].inner == "films/\ufffd.mp4"
    (again,) = plan_of(plan_bytes(plan), per_shard=1000, where="out").files
    assert again.path == str(odd)


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.parquet", b"PAR1", "cannot be read as a table"),
        ("a.csv", b"name\nx\n", "must have a column path"),
        ("absent.txt", None, "No such file"),
        ("absent", None, "no such file or folder"),
    ],
)
def test_what_is_no_source_is_refused(tmp_path, name, data, words):
    if data is not None:
        (tmp_path / name).write_bytes(data)
    with pytest.raises(DataError, match=words):
        list_files([str(tmp_path / name)])


class TestPlan:
    FILES = tuple(
        SourceFile(f"/{name}", name, size) for name, size in (("a", 3), ("b", 9), ("c", 3), ("d", 0))
    )

    def test_the_largest_come_first_and_those_of_one_size_share_a_shard(self):
        plan = make_plan(self.FILES, per_shard=2)
        assert [file.inner for file in plan.files] == ["b", "a", "c", "d"]
        assert plan.shards == (0, 1, 1, 2) and plan.families == (0, 1, 1, 3)
        assert plan.files[3].problem == "the file is empty"

    def test_sizes_that_are_not_known_make_no_family(self):
        plan = make_plan([SourceFile(f"/{n}", n, UNKNOWN_SIZE) for n in "abc"], per_shard=2)
        assert plan.families == (0, 1, 2) and plan.shards == (0, 0, 1)

    def test_it_does_not_depend_on_the_order_and_is_read_back(self):
        plan, other = make_plan(self.FILES), make_plan(self.FILES[::-1])
        assert plan == other and plan.digest == other.digest
        assert plan_of(plan_bytes(plan), per_shard=1000, where="out") == plan

    def test_nothing_and_two_of_one_name_are_refused(self):
        with pytest.raises(DataError, match="at least one"):
            make_plan([])
        with pytest.raises(DataError, match="different names"):
            make_plan([SourceFile("/1", "a", 1), SourceFile("/2", "a", 2)])
