"""Copies of what lies in a zip or a store: as large as was said, within limits, and only where there is room.

Listing and opening: test_listing.py, tests/lab/datasets/test_video_index.py.
"""

import io
import shutil
import tempfile
import zipfile

import pytest

from unmask.archive import sources
from unmask.archive.judging import UnreachableError, reaching
from unmask.archive.sources import Opener, SourceError
from unmask.errors import DataError

WORDS = b"many words " * 300


@pytest.fixture(autouse=True)
def made(tmp_path, monkeypatch):
    """Where copies are made; none may be left."""
    (tmp_path / "made").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "made"))
    yield
    assert not list((tmp_path / "made").iterdir())


@pytest.fixture(params=[zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def member(request, tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", request.param) as zipped:
        zipped.writestr("a.mp4", WORDS)
    return f"zip://a.mp4::{tmp_path / 'a.zip'}"


def test_a_member_is_copied_whole_and_told_of_on_the_way(member):
    told = []
    with Opener() as opener, opener.local(member, on_bytes=told.append) as copy:
        assert copy.read_bytes() == WORDS and told == [len(WORDS)]


def test_one_that_is_too_large_is_refused_before_it_is_unpacked(member):
    with (
        Opener() as opener,
        pytest.raises(SourceError) as found,
        opener.local(member, limit_bytes=1000),
    ):
        pass
    assert found.value.problem == f"it has {len(WORDS)} bytes, and at most 1000 are copied to be read"


def test_where_there_is_no_room_it_cannot_be_had_just_now(member, monkeypatch):
    monkeypatch.setattr(sources.shutil, "disk_usage", lambda folder: shutil._ntuple_diskusage(9, 9, 5))
    with (
        Opener() as opener,
        pytest.raises(UnreachableError, match=rf"its copy of {len(WORDS)} bytes has no room in .*, 5 free"),
        reaching(),
        opener.local(member),
    ):
        pass


def test_a_store_that_sends_more_than_it_said_is_cut_off(monkeypatch):
    class Endless(io.BytesIO):
        def seek(self, offset, whence=0):
            return 10 if whence == 2 else super().seek(offset, whence)

    monkeypatch.setattr(sources, "open_plain", lambda path: Endless(WORDS))
    with (
        Opener() as opener,
        pytest.raises(UnreachableError, match="11 of 10 bytes came"),
        reaching(),
        opener.local("s3://films/a.mp4"),
    ):
        pass


def test_a_packing_that_nobody_knows_is_the_files_failure(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("a.mp4", WORDS)
    data = bytearray((tmp_path / "a.zip").read_bytes())
    for start in (data.index(b"PK\x03\x04") + 8, data.index(b"PK\x01\x02") + 10):
        data[start] = 97
    (tmp_path / "a.zip").write_bytes(data)
    with (
        Opener() as opener,
        pytest.raises(DataError, match="compression method is not supported"),
        reaching(),
        opener.local(f"zip://a.mp4::{tmp_path / 'a.zip'}"),
    ):
        pass
