"""Stored people as tensors: contents, order, balance, ranks, and what is damaged."""

import os
from collections import Counter
from contextlib import closing

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from unmask.config import CropSettings
from unmask.errors import DataError, SettingsError
from unmask.lab.crops.batches import StoredPeople, ViewSettings
from unmask.lab.crops.order import draw_order, weigh
from unmask.lab.crops.samples import Sample
from unmask.lab.crops.shards import INDEX_NAME, ShardWriter
from unmask.lab.crops.stream import StreamedPeople, StreamSettings

VIEW = ViewSettings(frames=4, crop=CropSettings(size_px=32, margin_fraction=0.0))
PEOPLE = 24  # four originals, each with five fakes


def shade(number, frame):
    return 20 + 8 * number + frame


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three shards; a crop's grey tells whose it is and which frame."""
    folder = tmp_path_factory.mktemp("shards")
    for shard in range(3):
        with closing(ShardWriter(folder, name=f"crops-{shard:05d}.tar")) as writer:
            for number in range(8 * shard, 8 * shard + 8):
                frames = 2 if number == 5 else 6
                original, place = divmod(number, 6)
                sample = Sample(
                    key=f"v{number}-p0",
                    label="FAKE" if place else "REAL",
                    identity=f"who{original}",
                    original=f"v{6 * original}-p0",
                    source="made",
                    shard="",
                    times_seconds=np.arange(frames) / 10,
                    points=np.full((frames, 5, 2), 32, np.float32),
                    spans=np.empty((0, 2), np.int64),
                    split="val" if number == 23 else "train",
                )
                grey = [np.full((64, 64, 3), shade(number, frame), np.uint8) for frame in range(frames)]
                writer.write(sample, grey)
    return folder


def check_person(person, number, frames):
    crops, label, times, key, original = person
    assert crops.shape == (4, 3, 32, 32) and crops.dtype == torch.uint8
    seen = crops.float().mean(dim=(1, 2, 3))
    wanted = torch.tensor([float(shade(number, frame)) for frame in frames])
    assert (seen - wanted).abs().max() < 1.5  # JPEG
    assert (key, label) == (f"v{number}-p0", int(number % 6 > 0))
    assert original == f"v{6 * (number // 6)}-p0"
    assert times.tolist() == pytest.approx([frame / 10 for frame in frames])


def test_an_item_is_evenly_spread_over_what_is_stored(folder):
    people = StoredPeople(folder, VIEW)
    assert len(people) == PEOPLE
    check_person(people[0], 0, [0, 2, 3, 5])
    check_person(people[5], 5, [0, 0, 1, 1])


def test_a_loader_stacks_them(folder):
    people = StoredPeople(folder, VIEW, keep=lambda sample: sample.split == "train")
    assert len(people) == PEOPLE - 1
    order = draw_order(people.samples, seed=0, epoch=0)
    batch = next(iter(DataLoader(people, batch_size=5, sampler=order.tolist())))
    assert batch.crops.shape == (5, 4, 3, 32, 32) and batch.times_seconds.shape == (5, 4)
    assert list(batch.key) == [people.samples[number].key for number in order[:5]]


@pytest.mark.parametrize("by", ["none", "class", "original"])
def test_an_epoch_is_a_function_of_seed_and_epoch(folder, by):
    samples = StoredPeople(folder, VIEW).samples
    first = draw_order(samples, by=by, seed=1, epoch=2)
    assert (draw_order(samples, by=by, seed=1, epoch=2) == first).all()
    assert (draw_order(samples, by=by, seed=1, epoch=3) != first).any()
    assert (draw_order(samples, by=by, seed=2, epoch=2) != first).any()


@pytest.mark.parametrize("world", [1, 2, 5])
def test_ranks_share_an_epoch_and_get_as_many(folder, world):
    samples = StoredPeople(folder, VIEW).samples
    parts = [draw_order(samples, seed=0, epoch=0, rank=rank, world=world) for rank in range(world)]
    assert {len(part) for part in parts} == {-(-PEOPLE // world)}
    assert set(np.concatenate(parts)) == set(range(PEOPLE))
    assert len(np.concatenate(parts)) - PEOPLE < world


def test_classes_are_drawn_alike(folder):
    samples = StoredPeople(folder, VIEW).samples
    drawn = Counter(samples[i].label for i in draw_order(samples, by="class", seed=0, epoch=0))
    assert drawn == {"REAL": 12, "FAKE": 12}


def test_originals_are_drawn_alike_however_many_fakes_they_have(folder):
    samples = [s for s in StoredPeople(folder, VIEW).samples if s.key not in ("v1-p0", "v2-p0", "v3-p0")]
    draws = [
        samples[i] for epoch in range(8) for i in draw_order(samples, by="original", seed=0, epoch=epoch)
    ]
    fakes = Counter(sample.original for sample in draws if sample.label == "FAKE")
    assert Counter(sample.label for sample in draws)["REAL"] == pytest.approx(len(draws) / 2, abs=8)
    assert max(fakes.values()) - min(fakes.values()) <= 8  # one an epoch
    assert len({sample.key for sample in draws}) == len(samples)


def test_unknown_balance_is_refused(folder):
    with pytest.raises(SettingsError, match="by must be one of none, class, original, got 'person'"):
        weigh(StoredPeople(folder, VIEW).samples, "person")


def test_a_stream_gives_everybody_once(folder):
    stream = StreamedPeople(folder, VIEW, StreamSettings(shuffle=5))
    people = list(stream)
    assert sorted(person.key for person in people) == sorted(sample.key for sample in stream.samples)
    by_key = {person.key: person for person in people}
    check_person(by_key["v7-p0"], 7, [0, 2, 3, 5])
    check_person(by_key["v5-p0"], 5, [0, 0, 1, 1])


def keys(folder, stream, *, epoch=0, workers=0):
    people = StreamedPeople(folder, VIEW, stream)
    people.set_epoch(epoch)
    loader = DataLoader(people, batch_size=None, num_workers=workers)
    return [person.key for person in loader]


def test_a_stream_is_a_function_of_seed_and_epoch(folder):
    one = StreamSettings(seed=3, shuffle=6)
    assert keys(folder, one, epoch=1) == keys(folder, one, epoch=1)
    assert keys(folder, one, epoch=1) != keys(folder, one, epoch=2)
    assert keys(folder, one, epoch=1) != keys(folder, StreamSettings(seed=4, shuffle=6), epoch=1)


def test_ranks_share_a_stream(folder):
    parts = [keys(folder, StreamSettings(rank=rank, world=5)) for rank in range(5)]
    assert {len(part) for part in parts} == {5}
    assert set().union(*parts) == {f"v{number}-p0" for number in range(PEOPLE)}


def test_workers_share_a_stream(folder):
    found = keys(folder, StreamSettings(), workers=2)
    assert sorted(found) == sorted(f"v{number}-p0" for number in range(PEOPLE))


def test_a_stream_passes_over_what_is_too_frequent_others_in_each_epoch(folder):
    balanced = [keys(folder, StreamSettings(by="class"), epoch=epoch) for epoch in range(12)]
    reals = {f"v{number}-p0" for number in range(0, PEOPLE, 6)}
    assert all(reals <= set(epoch) for epoch in balanced)
    fakes = [key for epoch in balanced for key in epoch if key not in reals]
    assert 24 <= len(fakes) <= 80  # 48 expected: as many as reals
    assert len(set(fakes)) > 10


def test_shards_may_lie_elsewhere(folder, tmp_path):
    (tmp_path / INDEX_NAME).write_bytes((folder / INDEX_NAME).read_bytes())
    opened = []

    def open_shard(name):
        opened.append(name)
        return (folder / name).open("rb")

    assert len(list(StreamedPeople(tmp_path, VIEW, open_shard=open_shard))) == PEOPLE
    assert sorted(opened) == [f"crops-{shard:05d}.tar" for shard in range(3)]


@pytest.mark.parametrize("cut", [4000, 8000, 20_000])
def test_a_truncated_shard_is_counted_and_named(folder, tmp_path, cut):
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    shard = tmp_path / "crops-00001.tar"
    os.truncate(shard, shard.stat().st_size - cut)
    with pytest.raises(DataError, match=r"crops-00001.tar must hold 8 people, \d are left"):
        StoredPeople(tmp_path, VIEW)
    with pytest.raises(DataError, match=r"crops-00001.tar must hold 8 people, \d could be read"):
        list(StreamedPeople(tmp_path, VIEW))


def test_a_folder_with_nobody_to_take_is_refused(folder):
    for kind in (StoredPeople, StreamedPeople):
        with pytest.raises(DataError, match="none of 24"):
            kind(folder, VIEW, keep=lambda sample: False)


@pytest.mark.parametrize("given", [{"rank": 2, "world": 2}, {"shuffle": 0}])
def test_impossible_streams_are_refused(given):
    with pytest.raises(SettingsError):
        StreamSettings(**given)
