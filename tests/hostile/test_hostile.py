"""Damaged and hostile files of every kind get an answer, or an error that says in a line what is wrong."""

from __future__ import annotations

import json
import sqlite3

import pytest

from hostile.corpus import Kind, make_corpus
from hostile.mutate import mutate
from hostile.readers import try_one
from hostile.runs import try_many
from index_frames import frame_of
from unmask.lab.extract.manifest import COLUMNS

MUTATIONS = 2000


def _no_text() -> bytes:
    """A list of scans in which the name of a table is no UTF-8, which SQLite tells in its error."""
    base = sqlite3.connect(":memory:")
    base.execute("CREATE TABLE scans (id)")
    return base.serialize().replace(b"CREATE TABLE scans", b"CREATE \xffABLE scans")


def _infinite() -> bytes:
    from io import StringIO

    table = StringIO()
    frame = frame_of(1).astype({"width": object})
    frame["width"] = "inf"
    frame.to_csv(table)
    return table.getvalue().encode()


NO_TEXT = _no_text()
FAR = b"\0\0\0\x10ftypisom" + bytes(4) + b"\0\0\0\x01moov" + b"\xff" * 8 + bytes(40)
OBJECT = json.dumps(dict.fromkeys(COLUMNS, "") | {"people": {}}).encode()
HALF = json.dumps(
    {name: "" if kind == "str" else 0 for name, kind in COLUMNS.items()} | {"reason": "\ud800"}
).encode()
CASES = {
    "an MP4 with a box that ends behind all files": (Kind("x264.mp4", FAR), "cut short"),
    "a table with an infinite count": (Kind("videos.csv", _infinite()), "cannot be read as an index"),
    "an index line that is no text": (Kind("index.jsonl", b'{"key": "\xff"}\n'), "line 1 is no sample"),
    "a manifest line that is no text": (Kind("manifest.jsonl", b'{"name": "\xff"}\n'), "line 1 is no record"),
    "an index line that is nested deeply": (Kind("index.jsonl", b"[" * 100_000), "line 1 is no sample"),
    "a manifest line that is nested deeply": (Kind("manifest.jsonl", b"[" * 100_000), "line 1 is no record"),
    "a manifest with an object as a count": (Kind("manifest.jsonl", OBJECT), "people must be a count, got"),
    "a manifest with half a character": (Kind("manifest.jsonl", HALF), "reason must be a text, got"),
    "settings that are nested deeply": (Kind("detector.toml", b"a = " + b"[" * 5000), "is no TOML file"),
    "a list of scans whose schema is no text": (Kind("scans.sqlite3", NO_TEXT), "its own list of scans"),
}
"""What was found by damage like this, and is mended: the file, and words of the error."""


@pytest.fixture(scope="module")
def kinds(tmp_path_factory):
    return make_corpus(tmp_path_factory.mktemp("corpus"))


def test_every_kind_of_file_is_read_when_it_is_sound(kinds, tmp_path, monkeypatch):
    from hostile import readers, runs

    monkeypatch.setattr(readers, "mutate", lambda data, seed, text: data)
    by_name = {kind.name: kind for kind in kinds}
    answers = {}
    for kind in kinds:
        folder = tmp_path / kind.name
        folder.mkdir()
        runs._lay_beside(by_name, kind, folder)
        answers[kind.name] = try_one(kind, 0, folder)
    refused = {name for name, answer in answers.items() if answer != "read"}
    assert refused == {"sha256.txt"}  # whose files are not there


def test_damage_is_the_same_for_the_same_seed(kinds):
    for kind in kinds:
        once = [mutate(kind.data, seed, text=kind.text) for seed in range(20)]
        assert once == [mutate(kind.data, seed, text=kind.text) for seed in range(20)]
        assert len(set(once)) > 15


def test_a_damaged_file_of_any_kind_gets_an_answer(kinds):
    found = try_many(kinds, MUTATIONS)
    assert found.total == MUTATIONS and len(found.answers) == len(kinds)
    assert not found.faults, found.faults[0][-1]
    assert not found.ends


@pytest.mark.parametrize(("kind", "words"), CASES.values(), ids=CASES)
def test_what_was_found_is_mended(kind, words, tmp_path, monkeypatch):
    from hostile import readers
    from unmask.errors import UnmaskError

    (tmp_path / kind.name).write_bytes(kind.data)
    with pytest.raises(UnmaskError, match=words):
        readers._READERS.get(kind.name, readers._media)(tmp_path / kind.name)
