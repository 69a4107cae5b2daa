"""Training clips and their coherence in time."""

import cv2
import numpy as np
import pytest
import torch

from training_data import COLLINS_POINTS, store_people, stored_face
from unmask.errors import SettingsError
from unmask.lab.forge import augment
from unmask.lab.forge.clips import (
    SPACINGS,
    ClipBatches,
    ClipSettings,
    blend_clip,
    degrade_clip,
    move_camera,
    swap_clip,
)
from unmask.lab.forge.settings import PairSettings

SETTINGS = PairSettings(
    size_px=64, last_size_px=96, pairs_per_step=2, source_weights={"photos": 1.0, "videos": 1.0}
)
POINTS = np.array(COLLINS_POINTS, np.float32)


def still(frames=4):
    """A clip in which nothing moves."""
    return [(stored_face(0), POINTS)] * frames


@pytest.fixture(scope="module")
def crops(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    store_people(folder, [("ann", "REAL")])
    store_people(folder, [("ben", "REAL")], source="videos", frames=9)
    return folder


@pytest.fixture(scope="module")
def batches(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    store_people(folder, [("ben", "REAL"), ("cat", "REAL")], source="videos", frames=9)
    settings = PairSettings(
        size_px=64, last_size_px=96, pairs_per_step=2, source_weights={"videos": 1.0}, swap_share=0.5
    )
    made = ClipBatches(folder, settings, seed=0, steps=4, cooldown_steps=1)
    made.clip = ClipSettings(frames=3)
    return made


def test_a_batch_holds_real_clips_then_their_fakes(batches):
    crops, masks = batches[0]
    assert crops.shape == (4, 3, 3, 64, 64) and crops.dtype == torch.uint8
    assert masks.shape == (4, 3, 4, 4) and masks[:2].sum() == 0 and masks[2:].sum() > 0
    assert batches[3].crops.shape[-1] == 96
    assert torch.equal(batches[0].crops, crops) and not torch.equal(batches[1].crops, crops)


def test_a_still_face_gets_a_fake_that_only_jitters():
    """One tool, one setting: of a clip in which nothing moves, the fakes differ from frame to frame only by
    the tracker's jitter, far less than two fakes that are made apart."""
    kept, other = [], []
    for seed in range(6):
        pair = blend_clip(still(), np.random.default_rng(seed))
        again = blend_clip(still(), np.random.default_rng(seed + 100))
        one, two = (np.stack(p.masks) for p in (pair, again))
        kept.append(np.abs(one[1:] - one[:-1]).mean())
        other.append(np.abs(one - two).mean())
        for real, fake, mask in zip(*pair, strict=True):
            outside = mask < 1e-3
            np.testing.assert_array_equal(real[outside], fake[outside])
    assert 0 < np.mean(kept) < 0.1 * np.mean(other)


def test_a_mask_follows_the_face():
    shift = np.array([[1, 0, 30], [0, 1, 0]], np.float64)
    image = stored_face(0)
    moved = cv2.warpAffine(image, shift, image.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
    pair = blend_clip([(image, POINTS), (moved, POINTS + np.float32([30, 0]))], np.random.default_rng(1))
    centres = [np.average(np.arange(mask.shape[1]), weights=mask.sum(0)) for mask in pair.masks]
    assert centres[1] - centres[0] == pytest.approx(30, abs=4)


def test_a_swap_keeps_its_donor_and_choices():
    donors = [(stored_face(5)[:, ::-1].copy(), POINTS)] * 3
    pair = swap_clip(still(3), donors, np.random.default_rng(3))
    steps = [np.abs(a.astype(int) - b).mean() for a, b in zip(pair.fake, pair.fake[1:], strict=False)]
    assert max(steps) < 3 < 255 * np.mean(pair.masks)


def test_a_photo_becomes_a_clip_that_drifts_smoothly():
    clip = move_camera((stored_face(0), POINTS), np.random.default_rng(0), frames=12)
    centres = np.array([points.mean(axis=0) for _, points in clip])
    moves = np.linalg.norm(np.diff(centres, axis=0), axis=1)
    assert 0.5 < np.ptp(centres, axis=0).max() < 30 and moves.max() < 8
    assert np.abs(clip[0][0].astype(int) - clip[-1][0]).mean() > 1


def test_noise_is_new_in_every_frame_and_the_same_for_both():
    from functools import partial

    chain = [partial(augment.add_noise, sigma=5.0, seed=3)]
    grey = [np.full((32, 32, 3), 128, np.uint8)] * 3
    one, two = degrade_clip(grey, chain), degrade_clip(grey, chain)
    assert not np.array_equal(one[0], one[1])
    np.testing.assert_array_equal(one, two)


def test_a_codec_sees_the_whole_clip():
    from functools import partial

    frames = [stored_face(number)[:96, :96] for number in range(4)]
    chain = [partial(augment.compress_h264, crf=30, frames=3, motion_px=(1.0, 0.0))]
    expected = augment.compress_h264_clip(frames, crf=30)
    np.testing.assert_array_equal(degrade_clip(frames, chain), expected)


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("stored", [1, 3, 8, 48])
def test_spacings_give_rising_frames_that_are_there(spacing, stored):
    for seed in range(20):
        numbers = SPACINGS[spacing](stored, 8, np.random.default_rng(seed))
        assert len(numbers) == 8 and numbers.min() >= 0 and numbers.max() < stored
        steps = np.diff(numbers)
        assert (steps >= 0).all()
        if stored == 48:
            assert steps.max() == 1 if spacing == "burst" else steps.min() >= 5


def test_photos_and_videos_mix(crops):
    made = ClipBatches(crops, SETTINGS, seed=0, steps=1)
    made.clip = ClipSettings(frames=2, spacing="burst")
    assert made[0].crops.shape == (4, 2, 3, 64, 64)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"frames": 1}, "frames must be 2 to 64, got 1"),
        ({"spacing": "odd"}, "spacing must be one of even, burst, got 'odd'"),
        ({"hidden": 12}, "hidden must be a multiple of 8, got 12"),
    ],
)
def test_clip_settings_check_themselves(values, words):
    with pytest.raises(SettingsError, match=words):
        ClipSettings(**values)
