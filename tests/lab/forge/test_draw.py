"""Faces that are made to look drawn: another picture of the same face, the same each time."""

import numpy as np
import pytest

from portraits import portrait
from unmask.faces.detail import measure_detail
from unmask.lab.forge.draw import WAYS, draw_face


@pytest.mark.parametrize("way", WAYS, ids=[way.__name__.strip("_") for way in WAYS])
def test_each_way_changes_the_picture_and_keeps_what_it_shows(way):
    image = portrait(160)
    drawn = np.asarray(way(image.copy(), np.random.default_rng(0)))
    assert drawn.shape == image.shape and drawn.dtype == np.uint8
    assert np.abs(drawn.astype(int) - image).mean() > 2
    gray, other = (some.mean(2).ravel() for some in (image, drawn))
    assert np.corrcoef(gray, other)[0, 1] > 0.2  # a pencil leaves lines
    assert measure_detail(drawn) > 20


def test_it_is_the_same_each_time_and_another_with_other_chance():
    image = portrait(96)
    first, again, other = (draw_face(image, np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert np.array_equal(first, again) and not np.array_equal(first, other)
