"""Pairs of a real face and a fake that was made from that very picture."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tiny_recipe import read_log, silent, write_recipe
from training_data import store_people, stored_face
from unmask.errors import DataError, SettingsError
from unmask.lab.crops.shards import CropReader, read_index
from unmask.lab.forge.settings import PairSettings
from unmask.lab.train.aligned import AlignedBatches, AlignedSettings, find_difference, find_originals
from unmask.lab.train.feed import join_pairs
from unmask.lab.train.loop import Trainer
from unmask.lab.train.recipe import read_recipe
from unmask.lab.train.sources import open_sources

PAIRS = PairSettings(size_px=64, last_size_px=96, source_weights={"photos": 1.0})
PEOPLE = [(f"p{n}", "REAL") for n in range(6)] + [(f"f{n}-of-p{n % 6}", "FAKE") for n in range(12)]


def store_aligned(folder: Path, people=PEOPLE) -> Path:
    """Packed crops whose fakes say that they are aligned."""
    store_people(folder, people)
    index = folder / "index.jsonl"
    lines = [
        line.replace('"label": "FAKE"', '"aligned": true, "label": "FAKE"') for line in open_lines(index)
    ]
    index.write_text("".join(lines))
    return folder


def open_lines(file):
    return file.read_text().splitlines(keepends=True)


def originals_of(folder):
    reader = CropReader(folder)
    return find_originals([(reader, sample) for sample in read_index(folder)])


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    return originals_of(store_aligned(tmp_path_factory.mktemp("aligned") / "crops"))


def make(originals, *, count=4, pairs=PAIRS, shares=None, **more):
    settings = AlignedSettings({"crops": count}, **(shares or {}))
    return AlignedBatches([(originals, count)], settings, pairs, **more)


def test_every_fake_finds_its_original(originals):
    assert len(originals) == 6 and all(len(original.fakes) == 2 for original in originals)
    for original in originals:
        assert {sample.original for _, sample in original.fakes} == {original.real[1].key}


def test_a_batch_is_a_function_of_seed_and_step(originals):
    first, again = make(originals, seed=3)[7], make(originals, seed=3)[7]
    assert torch.equal(first.crops, again.crops) and torch.equal(first.masks, again.masks)
    assert not torch.equal(first.crops, make(originals, seed=4)[7].crops)
    assert first.crops.shape == (8, 3, 64, 64) and first.masks.shape == (8, 4, 4)


def test_processes_share_a_step(originals):
    whole = make(originals)[2].crops
    for rank in (0, 1):
        real, fake = make(originals, rank=rank, world=2)[2].crops.chunk(2)
        assert torch.equal(real, whole[:4][rank::2]) and torch.equal(fake, whole[4:][rank::2])


def test_an_epoch_shows_every_original_once(originals):
    read = []

    class Watched(CropReader):
        def read(self, sample, number):
            read.append(sample.key)
            return originals[0].real[0].read(sample, number)

    reader = Watched(Path())
    watched = [replace(o, real=(reader, o.real[1])) for o in originals]
    batches = make(watched, count=3)
    for step in range(4):
        batches[step]
    keys = {original.real[1].key for original in originals}
    assert set(read[:6]) == set(read[6:]) == keys and len(read) == 12 and read[:6] != read[6:]


def test_the_cooldown_changes_the_size(originals):
    batches = make(originals, cooldown_from=5)
    assert batches[4].crops.shape[-1] == 64 and batches[5].crops.shape[-1] == 96


def test_both_sides_get_the_same_framing_and_degradation(originals):
    twins = [replace(original, fakes=(original.real,)) for original in originals]
    for step in range(4):
        batch = make(twins)[step]
        real, fake = batch.crops.chunk(2)
        assert torch.equal(real, fake) and not batch.masks.any()


def test_mixup_leaves_the_real_and_half_of_the_fake_or_more(originals):
    clean = replace(PAIRS, clean_share=1.0)
    real, fake = (part.float() for part in make(originals, pairs=clean)[1].crops.chunk(2))
    mixed = make(originals, pairs=clean, shares={"mixup_share": 1.0})[1]
    same, fainter = (part.float() for part in mixed.crops.chunk(2))
    assert torch.equal(real, same) and mixed.masks[4:].any()
    left = (fainter - real).abs().mean((1, 2, 3)) / (fake - real).abs().mean((1, 2, 3))
    assert ((left > 0.45) & (left < 1.01)).all() and left.std() > 0.01


def test_cutout_covers_the_same_on_both_sides_and_leaves_what_tells_them_apart(originals):
    clean = replace(PAIRS, clean_share=1.0)
    covered = 0
    for step in range(6):
        before = make(originals, pairs=clean)[step]
        after = make(originals, pairs=clean, shares={"cutout_share": 1.0})[step]
        changed = (before.crops != after.crops).any(1)
        real, fake = changed.chunk(2)
        covered += int(real.flatten(1).any(1).sum())
        assert ((real & fake).sum((1, 2)) >= 0.9 * (real | fake).sum((1, 2))).all()
        assert (after.masks[4:].sum((1, 2)) >= 0.3 * before.masks[4:].sum((1, 2))).all()
    assert covered >= 6


def test_the_mask_lies_where_the_face_was_changed():
    real, fake = stored_face(0), stored_face(0, fake=True)
    found = find_difference(real, fake)
    assert found.shape == real.shape[:2] and found.min() >= 0 and found.max() <= 1
    inside = np.zeros(found.shape, bool)
    inside[60:160, 60:160] = True
    assert found[inside].sum() > 20 * found[~inside].sum()


def test_reals_have_no_mask_and_fakes_have_one(originals):
    masks = make(originals, pairs=replace(PAIRS, clean_share=1.0))[0].masks
    assert not masks[:4].any() and (masks[4:].flatten(1).max(1).values > 0.05).all()


def test_fakes_cut_by_the_boxes_of_their_original_are_aligned_too(tmp_path):
    folder = store_people(tmp_path / "crops", PEOPLE)
    assert originals_of(folder) == []
    index = folder / "index.jsonl"
    index.write_text(index.read_text().replace('"boxes": []', '"boxes": [[1, 2, 3, 4]]'))
    assert len(originals_of(folder)) == 6


def test_a_fake_of_another_size_is_named(tmp_path):
    folder = store_aligned(tmp_path / "crops")
    originals = originals_of(folder)

    class Half(CropReader):
        def read(self, sample, number):
            image, points = super().read(sample, number)
            return image[::2, ::2], points

    cut = [replace(o, fakes=tuple((Half(folder), s) for _, s in o.fakes)) for o in originals]
    with pytest.raises(DataError, match="must have the size of its original, 219x219, got 110x110"):
        make(cut)[0]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pairs_per_step": {}}, "must name a folder"),
        ({"pairs_per_step": {"a": 0}}, "must name a folder, each with 1 pair or more"),
        ({"margin_fractions": (0.2, 0.1)}, "must rise within -0.5 to 1"),
        ({"validation_share": 1.0}, "validation_share must be 0 to below 1"),
        ({"mixup_share": 1.5}, "mixup_share must be 0 to 1"),
        ({"cutout_share": -0.1}, "cutout_share must be 0 to 1"),
    ],
)
def test_settings_are_checked(changes, message):
    with pytest.raises(SettingsError, match=message):
        AlignedSettings(**{"pairs_per_step": {"a": 1}} | changes)


def test_pairs_of_several_kinds_keep_reals_before_fakes(originals):
    first, second = make(originals)[0], make(originals, count=2)[1]
    joined = join_pairs([first, second])
    assert torch.equal(joined.crops[:6], torch.cat([first.crops[:4], second.crops[:2]]))
    assert torch.equal(joined.crops[6:], torch.cat([first.crops[4:], second.crops[2:]]))
    assert torch.equal(joined.masks[6:], torch.cat([first.masks[4:], second.masks[2:]]))


ALIGNED = '[aligned]\npairs_per_step = {{ "{folder}/aligned" = 2 }}\nvalidation_share = 0.2\n'


@pytest.fixture
def data(tmp_path):
    store_people(tmp_path / "train", [("a", "REAL"), ("b", "REAL")])
    store_people(tmp_path / "val", [("v", "REAL"), ("w-of-v", "FAKE")])
    store_aligned(tmp_path / "aligned")
    return tmp_path


def test_a_run_learns_from_both_and_validates_on_other_originals(data, tmp_path):
    recipe = read_recipe(write_recipe(data, tmp_path, more=ALIGNED))
    sources = open_sources(recipe)
    trained = {o.real[1].key for originals, _ in sources.aligned for o in originals}
    kept = {sample.original for _, sample in sources.validation["aligned"]}
    assert trained and kept and not trained & kept
    numbers = []
    Trainer(recipe, tmp_path / "run", report=numbers.append).run()
    assert {"aligned_auc", "aligned_pairs"} <= set(numbers[-1])


def test_people_who_are_named_are_validated_on_apart(data, tmp_path):
    index = store_aligned(tmp_path / "aligned") / "index.jsonl"
    lines = [json.loads(line) for line in index.read_text().splitlines()]
    first = min(line["original"] for line in lines)
    for line in lines:
        line["split"] = "val" if line["original"] <= sorted({x["original"] for x in lines})[1] else "train"
        line["identity"] = "person-7" if line["original"] == first else line["original"]
    index.write_text("".join(json.dumps(line) + "\n" for line in lines))
    kept = open_sources(read_recipe(write_recipe(data, tmp_path, more=ALIGNED))).validation
    assert {s.original for _, s in kept["aligned_strangers"]} == {first}
    assert len({s.original for _, s in kept["aligned"]}) == 1


def test_a_set_without_pairs_has_no_figure_for_them(data, tmp_path):
    store_people(tmp_path / "other", [("v", "REAL"), ("w-of-x", "FAKE")])
    recipe = read_recipe(write_recipe(data, tmp_path, changes=[("{folder}/val", "{folder}/other")]))
    numbers = []
    Trainer(recipe, tmp_path / "run", report=numbers.append).run()
    assert "val_auc" in numbers[-1] and "val_pairs" not in numbers[-1]


def test_a_run_may_learn_from_aligned_pairs_alone(data, tmp_path):
    alone = write_recipe(
        data, tmp_path, more=ALIGNED, changes=[("pairs_per_step = 2\n", "pairs_per_step = 0\n")]
    )
    Trainer(read_recipe(alone), tmp_path / "run", report=silent).run()


def test_a_folder_without_aligned_fakes_says_where_it_belongs(data, tmp_path):
    recipe = read_recipe(write_recipe(data, tmp_path, more=ALIGNED.replace("/aligned", "/val")))
    with pytest.raises(DataError, match="name it in \\[labelled\\] instead"):
        open_sources(replace(recipe, validation={}))


def test_a_recipe_needs_some_kind_of_pairs(data, tmp_path):
    none = write_recipe(data, tmp_path, changes=[("pairs_per_step = 2\n", "pairs_per_step = 0\n")])
    with pytest.raises(SettingsError, match="may be 0 only beside \\[aligned\\]"):
        read_recipe(none)
    clips = write_recipe(data, tmp_path, more=ALIGNED + "[clip]\nframes = 3\nhidden = 16\n")
    with pytest.raises(SettingsError, match="aligned pairs are single frames"):
        read_recipe(clips)


def test_faces_without_key_points_are_no_material_for_pseudo_fakes(data, tmp_path):
    index = data / "train" / "index.jsonl"
    lines = [
        line.split(', "points"')[0] + ', "spans"' + line.split(', "spans"')[1] for line in open_lines(index)
    ]
    index.write_text("".join(lines))
    with pytest.raises(DataError, match="came cut out already"):
        Trainer(read_recipe(write_recipe(data, tmp_path)), tmp_path / "run", report=silent).run()
    assert not (tmp_path / "run" / "log.jsonl").exists() or not read_log(tmp_path / "run")
