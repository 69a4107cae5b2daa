import json

import pytest

from command_line import run

pytest.importorskip("pandas")


@pytest.fixture
def index(tmp_path, capsys):
    """Twenty originals with a fake each, by names and labels alone."""
    folder = tmp_path / "set"
    folder.mkdir()
    table = {}
    for number in range(20):
        real, fake = f"real{number}.mp4", f"fake{number}.mp4"
        table[real] = {"label": "REAL", "split": "train", "original": None}
        table[fake] = {"label": "FAKE", "split": "train", "original": real}
        for name in (real, fake):
            (folder / name).write_bytes(b"\0" * 600)
    (folder / "metadata.json").write_text(json.dumps(table))
    file = tmp_path / "set.csv"
    assert run("data", "index", folder, "-o", file, "--no-probe") == 0
    assert "40 videos" in (told := capsys.readouterr().out) and told.splitlines()[0].endswith("; 24 kB")
    return file


@pytest.mark.parametrize("as_json", [False, True])
def test_shares_that_came_out_otherwise_are_told_with_why_and_a_way_out(index, tmp_path, capsys, as_json):
    assert run("data", "split", index, "-o", tmp_path / "out.csv", *["--json"][: int(as_json)]) == 0
    told = capsys.readouterr()
    assert "asked were 80/10/10 %" in told.err and "--stratify" in told.err and "20 groups" in told.err
    if as_json:
        assert json.loads(told.out)["asked"] == {"train": 0.8, "val": 0.1, "test": 0.1}
    else:
        assert next(line for line in told.out.splitlines() if line.startswith("train")).endswith(" 80.0%")


def test_shares_that_came_out_as_asked_need_no_word(index, tmp_path, capsys):
    assert run("data", "split", index, "-o", tmp_path / "out.csv", "--stratify") == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("arguments", "way_out"), [([], "--stratify"), (["--stratify"], "more videos help")])
def test_one_group_that_cannot_be_parted_leaves_splits_empty_and_that_is_told(
    index, tmp_path, capsys, arguments, way_out
):
    assert run("data", "split", index, "-o", tmp_path / "out.csv", "--by", "part", *arguments) == 0
    told = capsys.readouterr().err
    assert sorted(map(int, told.split(" got ")[1].split(" %")[0].split("/"))) == [0, 0, 100]
    assert "1 group)" in told and way_out in told
