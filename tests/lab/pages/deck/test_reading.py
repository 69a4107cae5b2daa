import os

import pytest

from unmask.errors import DataError
from unmask.lab.pages.deck import reading
from unmask.lab.pages.deck.reading import first_line, read_lines, read_object, read_table


@pytest.fixture
def file(tmp_path):
    return tmp_path / "file"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "no JSON"),
        ("[1]", "must be an object, got list"),
        ('{"a": NaN}', "finite"),
        ('{"a": 1, "a": 2}', "a is given twice"),
        ('{"a": ' + "9" * 5000 + "}", "no JSON"),
        ('{"a": ' + "[" * 100_000 + "}", "nested too deeply|no JSON"),
    ],
)
def test_bad_json_is_one_sentence(file, text, told):
    file.write_text(text)
    with pytest.raises(DataError, match=told) as caught:
        read_object(file)
    assert str(caught.value).startswith(str(file))


def test_what_is_no_text_or_no_file_is_refused(file, tmp_path):
    file.write_bytes(b"\xff\xfe{}")
    with pytest.raises(DataError, match="must be text in UTF-8"):
        read_object(file)
    with pytest.raises(DataError, match="there is none"):
        read_object(tmp_path / "nowhere")
    assert first_line(file) == ""


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_that_would_never_end_is_refused(file):
    os.mkfifo(file)
    with pytest.raises(DataError, match="must be a file"):
        read_lines(file)


def test_too_large_a_file_is_refused_before_it_is_read(file, monkeypatch):
    monkeypatch.setattr(reading, "MOST_BYTES", 10)
    file.write_text('{"a": "0123456789"}')
    with pytest.raises(DataError, match="may have 10 bytes, has 19"):
        read_object(file)


def test_a_last_line_that_was_cut_short_is_passed_over(file):
    file.write_text('{"step": 1}\n{"ste')
    assert read_lines(file) == [{"step": 1}]


def test_a_line_within_that_is_broken_is_named(file):
    file.write_text('{"step": 1}\n{"ste\n{"step": 3}\n')
    with pytest.raises(DataError, match="line 2 is no JSON"):
        read_lines(file)


def test_a_line_without_an_end_is_refused(file):
    file.write_text('{"a": "' + "x" * 70_000)
    with pytest.raises(DataError, match="a line may have 65,536 characters"):
        read_lines(file)


def test_a_table_gives_the_columns_that_are_asked_for(file):
    file.write_text("a,b,c\n1,2,3\n")
    assert read_table(file, ("c", "a")) == [{"c": "3", "a": "1"}]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a,c\n1,2\n", "lacks b"),
        ("", "lacks a, b"),
        ("a,b\n1\n", "line 2 must have a value for b"),
        ("a,b\n" + "x" * 200_000 + ",1\n", "no table"),
    ],
)
def test_a_bad_table_is_one_sentence(file, text, told):
    file.write_text(text)
    with pytest.raises(DataError, match=told):
        read_table(file, ("a", "b"))


def test_too_many_rows_are_refused(file, monkeypatch):
    monkeypatch.setattr(reading, "MOST_ROWS", 2)
    file.write_text("a\n1\n2\n3\n")
    with pytest.raises(DataError, match="may have 2 rows, and has more"):
        read_table(file, ("a",))
