"""``unmask present`` given what it cannot use."""

import pytest

from command_line import run


@pytest.fixture
def index(tmp_path):
    """Of two videos, of which one is missing and one lies elsewhere."""
    from unmask.lab.datasets.video_index import index as list_videos
    from unmask.lab.datasets.video_index import write_index_file

    folder = tmp_path / "videos"
    for kind in ("real", "fake"):
        (folder / kind).mkdir(parents=True)
        (folder / kind / "<script>a.mp4").write_bytes(b"no video")
    frame = list_videos(folder, probe=False)
    frame.loc["fake/<script>a.mp4", "path"] = "https://example.invalid/a.mp4"
    write_index_file(frame, tmp_path / "index.csv")
    return tmp_path / "index.csv"


def refused(capsys, *arguments):
    """The one sentence of an error."""
    assert run("present", *arguments) == 2
    told = capsys.readouterr().err
    assert told.startswith("error: ") and told.count("\n") == 1
    return told


def test_videos_that_cannot_be_shown_are_passed_over_with_a_word(index, tmp_path, capsys):
    deck = tmp_path / "slides.html"
    assert run("present", index, "-o", deck) == 0
    told = capsys.readouterr()
    assert "not shown: real/<script>a.mp4: " in told.err and "2 slides" not in told.out
    page = deck.read_text()
    assert "They cannot be played" in page and "<script>a.mp4" not in page
    assert page.count("<script>") == 1


def test_slides_without_data_are_left_out(index, tmp_path, capsys):
    deck = tmp_path / "slides.html"
    assert run("present", index, "-o", deck, "--no-videos") == 0
    assert "2 slides" in capsys.readouterr().out
    assert "AUC" not in deck.read_text().partition("</style>")[2].partition("<script>")[0]


def test_another_ending_is_refused(index, tmp_path, capsys):
    assert "must end in .html or .pdf" in refused(capsys, index, "-o", tmp_path / "slides.pptx")


def test_a_pdf_without_a_browser_is_refused_at_once(index, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    told = refused(capsys, index, "-o", tmp_path / "slides.pdf")
    assert "install Chromium" in told and not (tmp_path / "slides.pdf").exists()


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("index.parquet", b"PAR1 no table", "cannot be read as an index"),
        ("index.csv", b"name,path,status\na,b,ok\n", "lacks part, label"),
        ("submission.json", b"[]", "must be an object, got list"),
        ("submission.csv", b"filename,label\na.mp4,nan\n", "from 0 to 1"),
        ("run/log.jsonl", b'{"step": 1}\n', "loss must be a number"),
        ("report/metrics.json", b"{}", "scores.csv must be a file"),
        ("crops/manifest.jsonl", b'{"name": "a", "status": "x"}\n', "status must be one of"),
        ("crops/manifest.jsonl", b"{}\n", "name must be a text"),
    ],
)
def test_bad_files_are_one_sentence(tmp_path, capsys, name, content, told):
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(content)
    given = file if file.parent == tmp_path else file.parent
    output = tmp_path / "slides.html"
    output.write_text("old")
    assert told in refused(capsys, given, "-o", output)
    assert output.read_text() == "old"


def test_an_index_without_a_usable_video_has_nothing_to_show(index, tmp_path, capsys):
    index.write_text(index.read_text().replace(",ok,", ",missing,"))
    assert "something to show" in refused(capsys, index, "-o", tmp_path / "slides.html")
