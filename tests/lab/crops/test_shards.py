import json
import subprocess
import sys
import tarfile

import numpy as np
import pytest

from training_data import pack_portraits, store_people
from unmask.errors import DataError
from unmask.lab.crops.shards import INDEX_NAME, CropReader, read_index


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


def test_a_truncated_shard_is_named(crops, tmp_path):
    for file in crops.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    samples = read_index(tmp_path)
    last = max(samples, key=lambda s: s.spans[-1][0])
    with (tmp_path / last.shard).open("r+b") as file:
        file.truncate(last.spans[-1][0] + 100)
    with pytest.raises(DataError, match="cut short"):
        CropReader(tmp_path).read(last, len(last) - 1)


MANY = """
import os, pickle, resource, sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unmask.lab.crops.shards import CropReader, read_index

folder = Path(sys.argv[1])
samples = read_index(folder)
resource.setrlimit(resource.RLIMIT_NOFILE, (192, 192))
reader = CropReader(folder)

def all_of_them(one):
    return [int(one.read(sample, 0)[0].mean()) for sample in samples]

first = all_of_them(reader)
with ThreadPoolExecutor(4) as threads:
    assert all(again == first for again in threads.map(all_of_them, [reader] * 8))
assert all_of_them(pickle.loads(pickle.dumps(reader))) == first
child = os.fork()
if not child:
    os._exit(all_of_them(reader) != first)
assert os.waitpid(child, 0)[1] == 0
assert all_of_them(reader) == first
print(first)
"""


def test_more_shards_are_read_than_a_process_may_have_open(tmp_path):
    for number in range(240):
        store_people(tmp_path, [(f"p{number}", "REAL")] * (number % 3 + 1), source=f"s{number}", size_px=32)
    means = [int(CropReader(tmp_path).read(sample, 0)[0].mean()) for sample in read_index(tmp_path)]
    found = subprocess.run(
        [sys.executable, "-W", "error", "-c", MANY, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert found.returncode == 0, found.stderr
    assert json.loads(found.stdout) == means and len(set(means)) > 1


@pytest.mark.parametrize("line", ["{", "{}", "[]", '{"spans": 3}', json.dumps({"spans": [], "points": []})])
def test_a_broken_index_line_is_named(tmp_path, line):
    (tmp_path / INDEX_NAME).write_text(line + "\n")
    with pytest.raises(DataError, match="line 1 is no sample"):
        read_index(tmp_path)


def test_a_missing_index_says_how_to_make_one(tmp_path):
    with pytest.raises(DataError, match="unmask extract"):
        read_index(tmp_path)
