"""Detail is what is in a face, not the number of its pixels."""

import cv2
import numpy as np
import pytest

from portraits import portrait
from unmask.faces.detail import measure_detail


@pytest.fixture(scope="module")
def face():
    image = portrait()
    side = min(image.shape[:2])
    return np.ascontiguousarray(image[:side, :side])


def sized(image, side, way=cv2.INTER_AREA):
    return np.asarray(cv2.resize(image, (side, side), interpolation=way), np.uint8)


@pytest.mark.parametrize("side", [40, 64, 100, 160])
def test_a_sharp_face_has_the_detail_of_its_pixels(face, side):
    assert 0.85 * side < measure_detail(sized(face, side)) <= side


@pytest.mark.parametrize("way", [cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4])
@pytest.mark.parametrize(("own", "blown_up"), [(32, 64), (32, 128), (48, 192)])
def test_enlarging_adds_pixels_and_no_detail(face, own, blown_up, way):
    found = measure_detail(sized(sized(face, own), blown_up, way))
    assert found < 1.25 * own


def test_blur_takes_detail(face):
    sharp = sized(face, 128)
    found = [measure_detail(np.asarray(cv2.GaussianBlur(sharp, (0, 0), s), np.uint8)) for s in (1, 2, 4)]
    assert measure_detail(sharp) > found[0] > found[1] > found[2]


def test_large_faces_have_enough_and_flat_ones_none(face):
    assert measure_detail(np.tile(sized(face, 240), (3, 3, 1))) > 150
    assert measure_detail(np.full((50, 50, 3), 90, np.uint8)) == 0
    assert measure_detail(np.zeros((1, 1, 3), np.uint8)) == 0
