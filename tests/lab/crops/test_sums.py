"""A changed byte anywhere in a folder of packed crops is refused, and the file is named."""

import shutil
import subprocess

import pytest

from training_data import pack_portraits, store_people
from unmask.errors import DataError
from unmask.lab.crops.shards import INDEX_NAME, CropReader, read_index
from unmask.lab.crops.sums import SUMS_NAME, check_sums
from unmask.lab.extract.manifest import MANIFEST_NAME, read_manifest
from unmask.lab.extract.store import HEADER_NAME


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    return pack_portraits(tmp_path_factory.mktemp("packed"))


@pytest.fixture
def crops(packed, tmp_path):
    return shutil.copytree(packed, tmp_path / "crops")


def change(file, at):
    data = bytearray(file.read_bytes())
    data[at] ^= 1
    file.write_bytes(data)


def test_every_file_of_an_extraction_is_listed_as_sha256sum_does(packed):
    names = {file.name for file in packed.iterdir() if file.is_file()}
    listed = {line.split("  ")[1] for line in (packed / SUMS_NAME).read_text().splitlines()}
    assert listed == names - {SUMS_NAME} and {INDEX_NAME, MANIFEST_NAME, HEADER_NAME} < listed
    check_sums(packed)
    if tool := shutil.which("sha256sum"):
        subprocess.run([tool, "--check", "--strict", SUMS_NAME], cwd=packed, check=True, capture_output=True)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 0.999])
@pytest.mark.parametrize("name", [INDEX_NAME, MANIFEST_NAME, HEADER_NAME, "crops-00000.tar"])
def test_a_changed_byte_is_refused_by_name(crops, name, share):
    file = crops / name
    change(file, int(share * file.stat().st_size))
    with pytest.raises(DataError, match=rf"{name}: SHA-256 must be [0-9a-f]{{64}} as in sha256\.txt"):
        check_sums(crops)
    for reader, read in ((INDEX_NAME, read_index), (MANIFEST_NAME, read_manifest)):
        if name == reader:
            with pytest.raises(DataError, match=name):
                read(crops)


def test_a_changed_byte_anywhere_in_the_list_is_refused(crops):
    size = (crops / SUMS_NAME).stat().st_size
    for at in range(0, size, 7):
        change(crops / SUMS_NAME, at)
        with pytest.raises(DataError, match=r"sha256\.txt"):
            check_sums(crops)
        change(crops / SUMS_NAME, at)
    check_sums(crops)


def test_a_list_that_was_cut_short_anywhere_is_refused(crops):
    data = (crops / SUMS_NAME).read_bytes()
    for at in range(len(data)):
        (crops / SUMS_NAME).write_bytes(data[:at])
        with pytest.raises(DataError, match=r"sha256\.txt"):
            check_sums(crops)


def test_a_shard_that_is_not_listed_or_not_there_is_refused(crops):
    (crops / "crops-00001.tar").touch()
    with pytest.raises(DataError, match=r"crops-00001\.tar is only in one"):
        check_sums(crops)
    (crops / "crops-00001.tar").unlink()
    (crops / "crops-00000.tar").unlink()
    with pytest.raises(DataError, match=r"crops-00000\.tar is only in one"):
        check_sums(crops)


def test_a_picture_that_was_changed_and_still_is_one_is_refused(crops):
    sample = read_index(crops)[0]
    start, length = map(int, sample.spans[0])
    reader = CropReader(crops)
    whole = reader.read(sample, 0)[0]
    for at in (start + 20, start + length // 2, start + length - 1):
        change(crops / sample.shard, at)
        with pytest.raises(DataError, match=r"crops-00000\.tar: crop 0 of .* damaged"):
            reader.read(sample, 0)
        change(crops / sample.shard, at)
    assert (reader.read(sample, 0)[0] == whole).all()


def test_a_stream_refuses_a_changed_picture_too(crops):
    from unmask.lab.crops.stream import StreamedPeople

    assert len(list(StreamedPeople(crops))) == 2
    sample = read_index(crops)[0]
    change(crops / sample.shard, int(sample.spans[0].sum()) - 1)
    with pytest.raises(DataError, match=r"crops-00000\.tar: crop 0 of .* is damaged"):
        list(StreamedPeople(crops))


def test_folders_without_a_list_are_taken(tmp_path):
    folder = store_people(tmp_path, [("a", "REAL")], size_px=32)
    check_sums(folder)
    assert len(read_index(folder)) == 1
