"""Frames of a copy find those of its original, however it was cut, scaled or encoded."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from portraits import moving_views
from unmask.video.matching import difference_hash, match_frames


@pytest.fixture(scope="module")
def views():
    return moving_views(40)


def hashes(images):
    return [difference_hash(image) for image in images]


def worse(image, *, scale=0.6, quality=30):
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return cv2.imdecode(data, cv2.IMREAD_COLOR)


def test_a_scaled_and_compressed_copy_finds_every_frame(views):
    found = match_frames(hashes(map(worse, views)), hashes(views), pace=1.0)
    assert found == list(range(40))


def test_a_part_that_was_cut_out_is_jumped_over(views):
    kept = [*range(5, 17), *range(28, 36)]
    found = match_frames(hashes(worse(views[i]) for i in kept), hashes(views), pace=1.0)
    assert found == kept


def test_parts_in_another_order_are_found(views):
    kept = [*range(24, 36), *range(2, 14)]
    assert match_frames(hashes(worse(views[i]) for i in kept), hashes(views), pace=1.0) == kept


def test_a_copy_of_half_the_frame_rate_keeps_in_step(views):
    found = match_frames(hashes(views[::2]), hashes(views), pace=2.0)
    assert found == list(range(0, 40, 2))


def test_what_is_not_in_the_original_is_found_nowhere(views):
    draw = np.random.default_rng(3)
    other = [cv2.blur(draw.integers(0, 256, (160, 200, 3), np.uint8), (25, 25)) for _ in range(8)]
    images = [*map(worse, views[4:12]), *other, *map(worse, views[20:28])]
    found = match_frames(hashes(images), hashes(views), pace=1.0)
    assert found == [*range(4, 12), *[None] * 8, *range(20, 28)]


def test_nothing_matches_nothing(views):
    assert match_frames([], hashes(views), pace=1.0) == []
    assert match_frames(hashes(views[:2]), [], pace=1.0) == [None, None]
