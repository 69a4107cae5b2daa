from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from training_data import pack_portraits
from unmask.config import CropSettings
from unmask.errors import DataError, SettingsError
from unmask.faces.crop import scale_square
from unmask.lab.crops.framing import draw_view, view_centre
from unmask.lab.crops.shards import read_index
from unmask.lab.forge.pairs import PairBatches
from unmask.lab.forge.pools import Pool
from unmask.lab.forge.settings import BLENDINGS, PairSettings

SETTINGS = PairSettings(size_px=64, last_size_px=96, pairs_per_step=4, source_weights={"photos": 1.0})

every_blending = pytest.mark.parametrize("forger", BLENDINGS)


@pytest.fixture(scope="module")
def crops(tmp_path_factory):
    return pack_portraits(tmp_path_factory.mktemp("packed"), labelled=True)


@every_blending
def test_a_batch_holds_reals_then_their_fakes(crops, forger):
    crops_, masks = PairBatches(crops, replace(SETTINGS, forger=forger), seed=0, steps=3)[0]
    assert crops_.shape == (8, 3, 64, 64) and crops_.dtype == torch.uint8
    assert masks.shape == (8, 4, 4) and masks[:4].sum() == 0 and masks[4:].sum() > 0
    difference = (crops_[:4].float() - crops_[4:].float()).abs().mean()
    assert 0 < difference < 40  # a fake shows the same person and scene as its real


@every_blending
def test_a_batch_is_a_function_of_seed_and_step(crops, forger):
    settings = replace(SETTINGS, forger=forger)
    one, same = (PairBatches(crops, settings, seed=0, steps=3) for _ in range(2))
    assert torch.equal(one[2].crops, same[2].crops)
    assert not torch.equal(one[1].crops, one[2].crops)
    assert not torch.equal(one[2].crops, PairBatches(crops, settings, seed=1, steps=3)[2].crops)


def test_processes_share_the_batch_of_one(crops):
    whole = PairBatches(crops, SETTINGS, seed=0, steps=1)[0].crops
    parts = [PairBatches(crops, SETTINGS, seed=0, steps=1, rank=rank, world=2)[0].crops for rank in (0, 1)]
    assert torch.equal(whole[0::2], torch.cat([parts[0][:2], parts[0][2:]]))
    assert torch.equal(whole[1::2], torch.cat([parts[1][:2], parts[1][2:]]))


def test_the_cool_down_draws_larger_crops(crops):
    batches = PairBatches(crops, SETTINGS, seed=0, steps=3, cooldown_steps=1)
    assert [batches[step].crops.shape[-1] for step in range(3)] == [64, 64, 96]


def test_the_cool_down_has_a_share_of_clean_pairs_of_its_own():
    settings = replace(SETTINGS, clean_share=0.2, last_clean_share=0.5)
    assert settings.cooled().clean_share == 0.5 and settings.cooled().size_px == 96
    assert replace(settings, last_clean_share=None).cooled().clean_share == 0.2
    with pytest.raises(SettingsError, match=r"last_clean_share must be 0 to 1, got 1\.5"):
        replace(settings, last_clean_share=1.5)


@every_blending
def test_nothing_outside_the_face_tells_fake_from_real(crops, forger):
    """A linear probe on surroundings, degradation, codec and scaling included, must stay near chance."""
    settings = replace(SETTINGS, size_px=128, margin_fractions=(0.5, 0.9), degraded_share=0.7, forger=forger)
    batches = PairBatches(crops, settings, seed=0, steps=1)
    features, labels, groups = [], [], []
    for number in range(160):
        pair = batches.draw_pair(np.random.default_rng(number), settings)
        mask = cv2.resize((pair.mask > 1e-3).astype(np.uint8), (128, 128))
        hidden = cv2.dilate(mask, np.ones((25, 25), np.uint8)) > 0
        for label, image in ((0, pair.real), (1, pair.fake)):
            seen = image.astype(np.float32)
            seen[hidden] = 0
            small = cv2.resize(seen, (16, 16), interpolation=cv2.INTER_AREA).ravel() / 255
            edges = np.abs(cv2.Laplacian(seen, cv2.CV_32F))[~hidden]
            features.append([*small, edges.mean() / 50, edges.std() / 50])
            labels.append(label)
            groups.append(number)
    x, y, train = np.array(features), np.array(labels), np.array(groups) < 110
    probe = LogisticRegression(C=10, max_iter=2000).fit(x[train], y[train])
    assert abs(probe.score(x[~train], y[~train]) - 0.5) <= 0.1


def test_plain_blending_works_at_the_size_that_is_seen_and_degrades_all_or_nothing(crops):
    settings = replace(SETTINGS, forger="plain", clean_share=1.0)
    batches = PairBatches(crops, settings, seed=0, steps=1)
    changed = 0
    for number in range(8):
        pair = batches.draw_pair(np.random.default_rng(number), settings)
        assert pair.real.shape == pair.fake.shape == (64, 64, 3) and pair.mask.shape == (64, 64)
        assert np.array_equal(pair.real[pair.mask == 0], pair.fake[pair.mask == 0])
        degraded = batches.draw_pair(np.random.default_rng(number), replace(settings, clean_share=0.0))
        assert np.array_equal(pair.mask, degraded.mask)
        changed += not np.array_equal(pair.real, degraded.real)
    assert changed >= 5  # some footage bears nothing


@every_blending
def test_a_share_of_pairs_is_degraded_harshly_and_none_where_none_is_asked_for(crops, forger):
    usual = replace(SETTINGS, size_px=96, clean_share=1.0, forger=forger)
    batches = PairBatches(crops, usual, seed=0, steps=1)
    lost = []
    for seed in range(8):
        clean = batches.draw_pair(np.random.default_rng(seed), usual)
        same = batches.draw_pair(np.random.default_rng(seed), replace(usual, harsh_share=0.0))
        assert np.array_equal(clean.fake, same.fake)
        harsh = batches.draw_pair(np.random.default_rng(seed), replace(usual, harsh_share=1.0))
        assert np.array_equal(clean.mask, harsh.mask)
        lost.append([np.abs(a.astype(int) - b).mean() for a, b in zip(clean[:2], harsh[:2], strict=True)])
    assert np.mean(lost) > 4 and np.abs(np.diff(lost)).max() < 0.3 * np.max(lost) + 1  # both sides alike
    with pytest.raises(SettingsError, match=r"harsh_share must be 0 to 1, got 1\.5"):
        replace(SETTINGS, harsh_share=1.5)


def test_a_blending_that_cannot_do_it_says_so():
    with pytest.raises(SettingsError, match=r"forger must be one of faint, plain, got 'bold'"):
        replace(SETTINGS, forger="bold")
    with pytest.raises(SettingsError, match=r"forger plain has no autoencoder"):
        replace(SETTINGS, forger="plain", neural_share=0.2)


def test_labelled_fakes_are_never_taken_for_reals(crops):
    pools = PairBatches(crops, SETTINGS, seed=0, steps=1)._pools
    assert {sample.label for pool, _ in pools for sample in pool.samples} == {"REAL"}


def test_held_out_people_are_never_drawn(crops):
    settings = PairSettings(source_weights={"photos": 1.0}, held_out=("coll",))
    pools = PairBatches(crops, settings, seed=0, steps=1)._pools
    assert {sample.identity for pool, _ in pools for sample in pool.samples} == {"hopper"}


def test_a_source_that_is_not_there_is_refused(crops):
    settings = PairSettings(source_weights={"videos": 1.0})
    with pytest.raises(DataError, match="at least one sample"):
        PairBatches(crops, settings, seed=0, steps=1)


def test_a_donor_is_another_person(crops):
    pool = Pool.of([s for s in read_index(crops) if s.label == "REAL"])
    points = np.array(pool.samples[0].points[0], np.float32)
    for seed in range(5):
        donor, _ = pool.find_donor(points, pool.samples[0].identity, np.random.default_rng(seed))
        assert donor.identity != pool.samples[0].identity


def test_a_crowd_in_one_clip_weighs_as_one(crops):
    real = [s for s in read_index(crops) if s.label == "REAL"]
    pool = Pool.of([real[0]] * 9 + [real[1]])
    rng = np.random.default_rng(0)
    drawn = [pool.draw_crop(rng)[0].identity for _ in range(400)]
    assert 0.4 < drawn.count(real[1].identity) / 400 < 0.6


def test_the_centre_view_is_what_inference_cuts():
    image = np.zeros((200, 200, 3), np.uint8)
    image[50:150, 50:150] = 255  # the face box fills the middle half of a packed crop
    view = view_centre(image, CropSettings(size_px=100, margin_fraction=0.0))
    assert (view == 255).all()
    wide = view_centre(image, CropSettings(size_px=100, margin_fraction=1.0))
    assert wide[..., 0].mean() == pytest.approx(255 / 4, rel=0.05)


def test_pairs_are_made_at_the_footage_s_resolution_or_less():
    sides = [
        draw_view(np.random.default_rng(n), side_px=200, margin_fractions=(0.2, 0.4), size_px=96).side_px
        for n in range(200)
    ]
    assert max(sides) <= 1.3 * 96 + 1 and min(sides) >= 100 * 1.2 * 0.5 - 1
    assert len(set(sides)) > 10 and all(side % 2 == 0 for side in sides)
    small = draw_view(np.random.default_rng(0), side_px=100, margin_fractions=(0.2, 0.2), size_px=96)
    assert 38 < small.side_px <= 60  # so small a face holds no more, and is enlarged last


def test_a_clean_pair_differs_only_under_its_mask(crops):
    batches = PairBatches(crops, SETTINGS, seed=0, steps=1)
    for seed in range(6):
        clean = batches.draw_clean_pair(np.random.default_rng(seed), SETTINGS.cooled())
        outside = clean.mask < 1e-3
        np.testing.assert_array_equal(clean.real[outside], clean.fake[outside])
        degraded = batches.draw_pair(np.random.default_rng(seed), SETTINGS.cooled())
        np.testing.assert_array_equal(clean.mask, degraded.mask)  # degradation comes last


@pytest.mark.parametrize(("share", "fewest", "most"), [(0.0, 0, 3), (1.0, 12, 12)])  # a chain may be empty
def test_clean_pairs_are_only_scaled(crops, share, fewest, most):
    settings = replace(SETTINGS, size_px=96, clean_share=share, degraded_share=1.0)
    batches = PairBatches(crops, settings, seed=0, steps=1)
    same = 0
    for seed in range(12):
        clean = batches.draw_clean_pair(np.random.default_rng(seed), settings)
        degraded = batches.draw_pair(np.random.default_rng(seed), settings)
        same += bool((scale_square(clean.real, size_px=96) == degraded.real).all())
    assert fewest <= same <= most


def test_both_of_a_pair_are_degraded_alike(crops):
    batches = PairBatches(crops, SETTINGS, seed=0, steps=1)
    changed = 0
    for seed in range(12):
        clean = batches.draw_clean_pair(np.random.default_rng(seed), SETTINGS.cooled())
        degraded = batches.draw_pair(np.random.default_rng(seed), SETTINGS.cooled())
        scaled = [scale_square(image, size_px=96).astype(int) for image in clean[:2]]
        loss = [np.abs(a - b).mean() for a, b in zip(scaled, degraded[:2], strict=True)]
        changed += loss[0] > 0.5
        assert abs(loss[0] - loss[1]) < 0.3 * max(loss) + 1
    assert changed > 4
