import numpy as np
import pytest

from unmask.faces.points import CANONICAL_POINTS
from unmask.lab.forge.outline import REGIONS, draw_region, soften_mask, warp_smoothly

POINTS = (CANONICAL_POINTS * 20 + [64, 50]).astype(np.float32)


@pytest.mark.parametrize("region", REGIONS)
def test_a_region_lies_where_its_name_says(region):
    mask = draw_region(region, POINTS, size_px=128)
    assert set(np.unique(mask)) == {0.0, 1.0}
    eyes, mouth = mask[50, 44], mask[91, 64]
    expected = {"lower": (0, 1), "mouth": (0, 1), "eyes": (1, 0)}.get(region, (1, 1))
    assert (eyes, mouth) == expected


def test_a_mask_follows_the_points():
    moved = draw_region("face", POINTS + 10, size_px=128)
    np.testing.assert_array_equal(moved[10:, 10:], draw_region("face", POINTS, size_px=128)[:-10, :-10])


def test_points_outside_the_picture_give_an_empty_mask():
    assert draw_region("face", POINTS + 1000, size_px=64).sum() == 0


def test_softened_masks_stay_in_range_near_their_place_and_differ():
    mask = draw_region("face", POINTS, size_px=128)
    soft = [soften_mask(mask, np.random.default_rng(seed)) for seed in range(20)]
    for one in soft:
        assert one.shape == (128, 128) and one.dtype == np.float32
        assert one.min() >= 0 and 0.5 < one.max() <= 1.0001
        assert one[mask > 0].sum() > 0.6 * one.sum()
    assert len({float(one.sum()) for one in soft}) == 20


def test_a_smooth_warp_moves_no_further_than_its_reach():
    ramp = np.tile(np.arange(64, dtype=np.float32), (64, 1))
    warped = warp_smoothly(ramp, np.random.default_rng(0), reach_px=2.0, cells=4)
    assert np.isfinite(warped).all()
    assert 0.2 < np.abs(warped - ramp).max() < 3.5  # cubic interpolation between nodes overshoots a little
    assert warp_smoothly(ramp, np.random.default_rng(0), reach_px=0, cells=4) is ramp
