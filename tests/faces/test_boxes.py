import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from unmask.faces.boxes import centres, cover, iou, match_boxes, sides, square_boxes, suppress

whole_boxes = arrays(np.int64, st.tuples(st.integers(0, 12), st.just(4)), elements=st.integers(0, 40))


def _boxes(corner_and_size):
    low, size = corner_and_size[:, :2], corner_and_size[:, 2:] + 1
    return np.concatenate([low, low + size], axis=1).astype(np.float32)


@settings(deadline=None)  # a busy machine is no failure
@given(whole_boxes)
def test_iou_and_cover_count_pixels(raw):
    boxes = _boxes(raw)
    masks = np.zeros((len(boxes), 90, 90), bool)
    for mask, (x0, y0, x1, y1) in zip(masks, boxes.astype(int), strict=True):
        mask[y0:y1, x0:x1] = True
    flat = masks.reshape(len(boxes), 90 * 90).astype(float)
    shared, area = flat @ flat.T, flat.sum(axis=1)
    np.testing.assert_allclose(iou(boxes, boxes), shared / (area[:, None] + area - shared), rtol=1e-5)
    np.testing.assert_allclose(cover(boxes, boxes), shared / np.minimum(area[:, None], area), rtol=1e-5)


def test_boxes_without_area_overlap_nothing():
    flat = np.array([[5, 5, 5, 9], [8, 8, 2, 2]], np.float32)
    assert not iou(flat, flat).any()
    assert not cover(flat, flat).any()


@settings(deadline=None)  # a busy machine is no failure
@given(whole_boxes)
def test_a_square_keeps_the_centre_and_the_longer_side(raw):
    boxes = _boxes(raw)
    squares = square_boxes(boxes, scale=1.5)
    np.testing.assert_allclose(centres(squares), centres(boxes), atol=1e-4)
    longer = sides(boxes).max(axis=1, initial=0)
    np.testing.assert_allclose(sides(squares), np.stack([longer, longer], axis=1) * 1.5, rtol=1e-4)


def _slow_suppress(boxes, scores, groups, max_iou):
    kept = []
    for index in np.argsort(-scores, kind="stable"):
        rivals = [k for k in kept if groups[k] == groups[index]]
        if not rivals or iou(boxes[index][None], boxes[rivals]).max() <= max_iou:
            kept.append(int(index))
    return kept


@pytest.mark.parametrize("max_iou", [0.3, 0.5, 0.7])
def test_suppress_is_the_plain_algorithm(max_iou):
    rng = np.random.default_rng(1)
    boxes = _boxes(rng.integers(0, 40, (300, 4)))
    scores = rng.permutation(300).astype(np.float32) / 300 + 0.001
    groups = rng.integers(0, 3, 300)
    kept = suppress(boxes, scores, groups, max_iou=max_iou)
    assert kept.tolist() == _slow_suppress(boxes, scores, groups, max_iou)


def test_suppress_takes_none_and_one():
    none = suppress(np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty(0, np.int64), max_iou=0.5)
    assert none.tolist() == []
    one = suppress(np.ones((1, 4), np.float32), np.ones(1, np.float32), np.zeros(1, np.int64), max_iou=0.5)
    assert one.tolist() == [0]


def test_match_pairs_the_nearest_of_fitting_size():
    first = np.array([[0, 0, 10, 10], [100, 0, 120, 20]], np.float32)
    second = np.array([[103, 1, 122, 21], [2, 0, 12, 10], [0, 0, 40, 40], [300, 0, 310, 10]], np.float32)
    assert sorted(match_boxes(first, second, max_distance_sides=1)) == [(0, 1), (1, 0)]


def test_match_respects_each_reach():
    first = np.array([[0, 0, 10, 10], [100, 0, 110, 10]], np.float32)
    moved = first + np.array([15, 0, 15, 0], np.float32)
    assert match_boxes(first, moved, max_distance_sides=np.array([1, 2], np.float32)) == [(1, 1)]


def test_match_takes_empty_sides():
    empty = np.empty((0, 4), np.float32)
    assert match_boxes(empty, np.ones((2, 4), np.float32), max_distance_sides=1) == []
