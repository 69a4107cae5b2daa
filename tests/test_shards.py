import json
import tarfile

import numpy as np
import pytest

from training_data import pack_portraits, write_portraits
from unmask.data.pack import list_sources, pack_faces
from unmask.data.shards import INDEX_NAME, CropReader, read_index
from unmask.errors import DataError


@pytest.fixture(scope="module")
def crops(tmp_path_factory):
    return pack_portraits(tmp_path_factory.mktemp("packed"), labelled=True)


def test_packed_crops_come_back(crops):
    samples = read_index(crops)
    assert {s.label for s in samples} == {"REAL", "FAKE"} and len(samples) == 4
    for sample, number in [(s, n) for s in samples for n in range(len(s))]:
        image, points = CropReader(crops).read(sample, number)
        assert image.shape[0] == image.shape[1] and image.shape[2] == 3
        face = image.shape[0] / 2
        assert (np.abs(points - face) < face / 2).all()  # the box fills the middle half


def test_a_fake_belongs_to_its_original(crops):
    samples = {s.key: s for s in read_index(crops)}
    fake = samples["photos_collins_fake-p0"]
    assert samples[fake.original].label == "REAL" and samples[fake.original].identity == fake.identity


def test_the_tar_is_one_that_others_can_read(crops):
    with tarfile.open(crops / "crops-00000.tar") as tar:
        names = tar.getnames()
    assert names[:2] == ["photos_collins-p0.000.jpg", "photos_collins-p0.json"] and len(names) == 8


def test_packing_twice_into_one_folder_is_refused(crops, tmp_path):
    sources = list_sources(write_portraits(tmp_path / "photos"), collection="photos")
    with pytest.raises(DataError, match="already holds packed crops"):
        next(pack_faces(sources, crops))


def test_an_unreadable_file_is_told_and_the_rest_goes_on(tmp_path):
    photos = write_portraits(tmp_path / "photos")
    (photos / "broken.mp4").write_text("no video")
    results = {s.path.name: r for s, r in pack_faces(list_sources(photos, collection="c"), tmp_path / "out")}
    assert results["collins.png"] == results["hopper.png"] == 1
    assert isinstance(results["broken.mp4"], str)
    assert len(read_index(tmp_path / "out")) == 2


@pytest.mark.parametrize(
    ("metadata", "words"),
    [("{", "no JSON"), ("[]", "map file names"), ('{"collins.png": {"label": "MAYBE"}}', "REAL or FAKE")],
)
def test_broken_metadata_is_named(tmp_path, metadata, words):
    photos = write_portraits(tmp_path / "photos")
    (photos / "metadata.json").write_text(metadata)
    with pytest.raises(DataError, match=words):
        list_sources(photos, collection="c")


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(DataError, match="found none"):
        list_sources(tmp_path, collection="c")


def test_a_truncated_shard_is_named(crops, tmp_path):
    for file in crops.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    samples = read_index(tmp_path)
    last = max(samples, key=lambda s: s.spans[-1][0])
    with (tmp_path / last.shard).open("r+b") as file:
        file.truncate(last.spans[-1][0] + 100)
    with pytest.raises(DataError, match="cut short"):
        CropReader(tmp_path).read(last, len(last) - 1)


@pytest.mark.parametrize("line", ["{", "{}", "[]", '{"spans": 3}', json.dumps({"spans": [], "points": []})])
def test_a_broken_index_line_is_named(tmp_path, line):
    (tmp_path / INDEX_NAME).write_text(line + "\n")
    with pytest.raises(DataError, match="line 1 is no sample"):
        read_index(tmp_path)


def test_a_missing_index_says_how_to_make_one(tmp_path):
    with pytest.raises(DataError, match="unmask data pack"):
        read_index(tmp_path)
