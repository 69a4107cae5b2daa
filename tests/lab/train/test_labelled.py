"""Labelled crops: samplers and splits."""

import numpy as np
import pytest
import torch

from training_data import store_people
from unmask.errors import DataError, SettingsError
from unmask.lab.forge.clips import ClipSettings
from unmask.lab.forge.settings import PairSettings
from unmask.lab.train.labelled import (
    LabelledBatches,
    LabelledSettings,
    open_folders,
    prove_apart,
    split_people,
    warn_of_one_class,
)
from unmask.lab.train.samplers import SAMPLERS, People, throw_dice

PAIRS = PairSettings(size_px=32, last_size_px=64, source_weights={"photos": 1.0})
# Ann has five fakes, Ben one, Carl none, and of Dora there is only a fake.
PEOPLE = [("ann", "REAL"), ("ben", "REAL"), ("carl", "REAL")]
PEOPLE += [(f"f{i}-of-ann", "FAKE") for i in range(5)] + [("g-of-ben", "FAKE"), ("h-of-dora", "FAKE")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return store_people(tmp_path_factory.mktemp("labelled"), PEOPLE)


@pytest.fixture(scope="module")
def people(folder):
    return People(open_folders([str(folder)]))


def make_batches(people, sampler, *, crops=8, **more):
    settings = LabelledSettings(folders=("x",), crops_per_step=crops, sampler=sampler)
    return LabelledBatches(people, settings, PAIRS, **more)


def drawn(people, sampler, steps=40):
    """Names and weights of what a sampler draws."""
    keys = [(step, turn) for step in range(steps) for turn in range(8)]
    draws = [SAMPLERS[sampler](people, throw_dice(0, step, turn)) for step, turn in keys]
    return [(people.stored[d.number][1], d.weight) for d in draws]


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_both_classes_count_the_same(people, sampler):
    found = drawn(people, sampler)
    sums = {label: sum(w for s, w in found if s.label == label) for label in ("REAL", "FAKE")}
    assert sums["REAL"] / sums["FAKE"] == pytest.approx(1, abs=0.35)
    assert np.mean([weight for _, weight in found]) == pytest.approx(1, abs=0.15)


def test_upsampling_shows_the_rare_class_more_often_than_it_is_there(people):
    found = [sample.label for sample, _ in drawn(people, "upsample_rare")]
    assert found.count("REAL") == found.count("FAKE")  # of 3 and 7


def test_every_original_counts_the_same(people):
    found = drawn(people, "balance_originals", steps=100)
    fakes = [sample.identity for sample, _ in found if sample.label == "FAKE"]
    ann, ben = fakes.count("ann") / len(fakes), fakes.count("ben") / len(fakes)
    assert ann < 2.5 * ben  # by files it would be five times
    real, fake = found[0::2], found[1::2]
    same = [a.original == b.original for (a, _), (b, _) in zip(real, fake, strict=True)]
    assert np.mean(same) > 0.4  # of four originals, two have both sides


def test_weights_make_up_for_frequency(people):
    found = drawn(people, "weight_loss")
    assert {(s.label, round(w, 2)) for s, w in found} == {("REAL", 1.67), ("FAKE", 0.71)}  # of 3 and 7


def test_every_source_counts_the_same_and_so_does_every_person_in_it(tmp_path):
    store_people(tmp_path, [(f"a{n}", "REAL") for n in range(6)], source="many")
    store_people(tmp_path, [("b", "REAL"), ("f-of-b", "FAKE")], source="few")
    found = drawn(People(open_folders([str(tmp_path)])), "balance_sources", steps=100)
    reals = [sample.identity for sample, _ in found if sample.label == "REAL"]
    assert reals.count("b") / len(reals) == pytest.approx(1 / 2, abs=0.1)  # by people it would be a seventh
    assert reals.count("a0") / len(reals) == pytest.approx(1 / 12, abs=0.05)


def test_sources_of_one_class_are_warned_of(tmp_path):
    store_people(tmp_path, [("ann", "REAL"), ("f-of-ann", "FAKE")], source="both")
    store_people(tmp_path, [("b", "REAL")], source="street")
    store_people(tmp_path, [("f-of-c", "FAKE")], source="made")
    samples = [sample for _, sample in open_folders([str(tmp_path)])]
    (line,) = warn_of_one_class(samples)
    assert "(REAL alone: street; FAKE alone: made)" in line and "recipes/probe.py" in line
    assert not warn_of_one_class([sample for sample in samples if sample.source == "both"])


def test_how_large_a_face_was_stored_does_not_tell_its_class(tmp_path):
    """The fakes are stored at twice the size of the reals, and in a batch their rims are no sharper."""
    store_people(tmp_path, [("ann", "REAL")], source="real", size_px=110)
    store_people(tmp_path, [("f-of-ann", "FAKE")], source="fake")
    people = People(open_folders([str(tmp_path)]))
    settings = LabelledSettings(folders=("x",), crops_per_step=16, sampler="upsample_rare")
    pairs = PairSettings(size_px=160, source_weights={"photos": 1.0}, clean_share=1.0)
    batch = LabelledBatches(people, settings, pairs)[0]
    crops = batch.crops.float().mean(1)[:, :24]
    fine = (crops[:, 1:] - crops[:, :-1]).abs().mean((1, 2))
    real, fake = fine[batch.fake == 0].mean(), fine[batch.fake == 1].mean()
    assert real / fake == pytest.approx(1, abs=0.15)


def test_a_batch_is_a_function_of_seed_and_step_shared_by_processes(people):
    whole = make_batches(people, "balance_originals", seed=3)[5]
    again = make_batches(people, "balance_originals", seed=3)[5]
    assert whole.crops.shape == (8, 3, 32, 32) and whole.crops.dtype == torch.uint8
    assert all(torch.equal(a, b) for a, b in zip(whole, again, strict=True))
    parts = [make_batches(people, "balance_originals", seed=3, rank=rank, world=2)[5] for rank in (0, 1)]
    assert torch.equal(whole.crops[0::2], parts[0].crops) and torch.equal(whole.crops[1::2], parts[1].crops)
    assert whole.fake.tolist() == [0, 1] * 4
    assert make_batches(people, "weight_loss", cooldown_from=5)[5].crops.shape[-1] == 64


def test_clips_of_labelled_people(people):
    batch = make_batches(people, "upsample_rare", crops=2, clip=ClipSettings(frames=3))[0]
    assert batch.crops.shape == (2, 3, 3, 32, 32)


def test_one_class_alone_is_refused(folder):
    fakes = [item for item in open_folders([str(folder)]) if item[1].label == "FAKE"]
    with pytest.raises(DataError, match="need both classes, got 7 fakes of 7; add a folder"):
        People(fakes)


def test_nobody_is_on_both_sides_of_a_split(folder):
    stored = open_folders([str(folder)])
    for share in (0.1, 0.3, 0.6):
        train, kept = split_people(stored, share=share)
        assert len(train) + len(kept) == len(stored) and kept
        line = prove_apart([s for _, s in train], [s for _, s in kept], name="labelled")
        assert line.endswith("none on both sides")
    assert split_people(stored[::-1], share=0.3)[1][::-1] == split_people(stored, share=0.3)[1]


def test_who_is_linked_stays_together(folder):
    """A and B share an original, B and C an identity, so all three are one group."""
    from dataclasses import replace

    reader, sample = open_folders([str(folder)])[0]
    chain = [("a", "x"), ("b", "x"), ("b", "y"), ("c", "y"), ("d", "z")]
    stored = [(reader, replace(sample, identity=who, original=clip)) for who, clip in chain]
    train, kept = split_people(stored, share=0.0, held_out=("c",))
    assert [s.identity for _, s in train] == ["d"] and len(kept) == 4


def test_the_split_of_a_video_index_counts(tmp_path):
    store_people(tmp_path, [("ann", "REAL"), ("f-of-ann", "FAKE")], source="a", split="train")
    store_people(tmp_path, [("ben", "REAL"), ("f-of-ben", "FAKE")], source="b", split="val")
    store_people(tmp_path, [("carl", "REAL"), ("f-of-carl", "FAKE")], source="c", split="test")
    train, kept = split_people(open_folders([str(tmp_path)]), share=0.5)
    assert [{s.identity for _, s in side} for side in (train, kept)] == [{"ann"}, {"ben"}]


def test_somebody_on_both_sides_is_named(folder):
    samples = [sample for _, sample in open_folders([str(folder)])]
    with pytest.raises(
        DataError, match=r"no identity may be both .* 'mini', got 4 of 4 \(ann, ben, carl, …\)"
    ):
        prove_apart(samples, samples, name="mini")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"folders": ()}, "folders must name one folder or more"),
        ({"crops_per_step": 0}, "crops_per_step must be 1 or more, got 0"),
        ({"sampler": "luck"}, "sampler must be one of upsample_rare, .*, got 'luck'"),
        ({"loss_weight": 0.0}, "loss_weight must be above 0"),
        ({"validation_share": 1.0}, "validation_share must be 0 to below 1"),
    ],
)
def test_labelled_settings_check_themselves(values, words):
    with pytest.raises(SettingsError, match=words):
        LabelledSettings(**({"folders": ("a",)} | values))
