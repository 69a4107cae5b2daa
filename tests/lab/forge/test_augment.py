from functools import partial

import cv2
import numpy as np
import pytest

from portraits import portrait
from unmask.lab.forge import augment

CASES = {
    "jpeg": partial(augment.compress_jpeg, quality=30),
    "h264": partial(augment.compress_h264, crf=35),
    "rescale": partial(augment.rescale, factor=0.4),
    "blur": partial(augment.blur, sigma_px=1.5),
    "motion": partial(augment.blur_motion, length_px=7, angle_degrees=30),
    "noise": partial(augment.add_noise, sigma=5, seed=1),
    "coarse noise": partial(augment.add_noise, sigma=5, seed=1, coarse=True),
    "light": partial(augment.relight, gamma=0.8, gain=(1.1, 1, 0.9), offset=5),
    "side light": partial(augment.light_from_side, strength=0.4, angle_degrees=45),
    "colour": partial(augment.saturate, factor=0.3),
    "sharpen": partial(augment.sharpen, amount=1.0),
    "cover": partial(augment.occlude, box=(10, 10, 50, 60), colour=(1, 2, 3)),
}
EVERYDAY = {
    "skin": partial(augment.smooth_skin, sigma=30, reach_px=6),
    "turn": partial(augment.turn, angle_degrees=5),
    "dither": partial(augment.dither, levels=6),
    "weave": partial(augment.weave, motion_px=3),
}


@pytest.mark.parametrize("name", [*CASES, *EVERYDAY])
def test_an_operation_changes_the_picture_a_little_and_always_alike(name):
    image = portrait(160)
    before = image.copy()
    operation = (CASES | EVERYDAY)[name]
    once, again = operation(image), operation(image)
    np.testing.assert_array_equal(image, before)
    np.testing.assert_array_equal(once, again)
    assert once.shape == image.shape and once.dtype == np.uint8 and once.flags.c_contiguous
    change = np.abs(once.astype(int) - image).mean()
    assert 0.3 < change < 40


def test_stronger_compression_loses_more():
    image = portrait(160)

    def error(changed):
        return np.abs(changed.astype(int) - image).mean()

    assert error(augment.compress_jpeg(image, quality=20)) > error(augment.compress_jpeg(image, quality=90))
    assert error(augment.compress_h264(image, crf=40)) > error(augment.compress_h264(image, crf=18))


def test_a_clip_keeps_its_length_through_h264():
    clip = [np.roll(portrait(64), step, axis=1) for step in range(5)]
    assert len(augment.compress_h264_clip(clip, crf=20)) == 5


def test_motion_costs_the_codec_detail():
    image = portrait(128)

    def loss(motion):
        seen = augment.compress_h264(image, crf=30, frames=4, motion_px=motion)
        return np.abs(seen.astype(int) - image).mean()

    assert loss((2.3, 1.1)) != loss((0.0, 0.0))
    assert loss((2.3, 1.1)) < 12  # the last frame stands where the picture stood


def test_a_drawn_chain_is_a_function_of_its_seed():
    image = portrait(128)
    results = []
    for seed in (3, 3, 4):
        rng = np.random.default_rng(seed)
        chain = augment.draw_degradation(rng, size_px=128) + augment.draw_codec(rng)
        results.append(augment.apply_chain(image, chain))
    np.testing.assert_array_equal(results[0], results[1])
    assert (results[0] != results[2]).any()


def test_chains_cover_every_kind_of_damage():
    names = set()
    for seed in range(400):
        rng = np.random.default_rng(seed)
        chain = augment.draw_degradation(rng, size_px=96) + augment.draw_codec(rng)
        names |= {op.func.__name__ for op in chain}
    assert names == {case.func.__name__ for case in CASES.values()}


def test_harsh_chains_leave_less_than_usual_ones_and_cover_seven_kinds():
    image, names, lost = portrait(128), set(), []
    for seed in range(60):
        chain = augment.draw_harsh_degradation(np.random.default_rng(seed), size_px=128)
        names |= {(op.func.__name__, "offset" in op.keywords) for op in chain}
        assert 1 <= len(chain) <= 2
        seen = augment.apply_chain(image, chain)
        assert seen.shape == image.shape and seen.dtype == np.uint8
        lost.append(np.abs(seen.astype(int) - image).mean())
    assert len(names) == 7 and min(lost) > 1


def test_everyday_chains_cover_six_kinds_and_leave_sides_that_a_codec_takes():
    image, kinds = portrait(160), set()
    for seed in range(60):
        chain = augment.draw_everyday(np.random.default_rng(seed))
        changed = augment.apply_chain(image, chain)
        kinds.add(chain[0].func.__name__)
        assert changed.shape[0] % 2 == 0 and 0.4 * 160 <= changed.shape[0] <= 160
        np.testing.assert_array_equal(changed, augment.apply_chain(image, chain))
    assert kinds == {"shrink", "smooth_skin", "rescale", "turn", "dither", "weave"}


def test_noise_has_the_strength_asked_for():
    grey = np.full((200, 200, 3), 128, np.uint8)
    assert augment.add_noise(grey, sigma=6, seed=0).std() == pytest.approx(6, rel=0.05)
    assert cv2.Laplacian(augment.add_noise(grey, sigma=6, seed=0, coarse=True), cv2.CV_32F).std() < 20
