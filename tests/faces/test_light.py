import numpy as np
import pytest

from portraits import moving_views, portrait, write_clip
from unmask.config import DetectSettings
from unmask.faces.detect import detect_faces, load_detector
from unmask.faces.light import brightness, is_dark, is_night, lighten
from unmask.video import clip_from_arrays, read_clip


def darkened(image, factor, *, noise=1.2, seed=0):
    grain = np.random.default_rng(seed).normal(0, noise, image.shape)
    return np.clip(np.rint(image * factor + grain), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def detector():
    return load_detector(DetectSettings())


def test_brightness_is_the_mean_level():
    assert brightness(np.full((9, 7, 3), 40, np.uint8)) == 40


def test_lightening_brings_a_dark_picture_back_and_leaves_a_light_one():
    image = portrait()
    assert abs(brightness(lighten(darkened(image, 0.1))) - brightness(image)) < 30
    assert abs(brightness(lighten(image)) - brightness(image)) < 3


def test_lightening_keeps_its_hands_off_the_original():
    image = darkened(portrait(), 0.1)
    before = image.copy()
    lighten(image)
    assert (image == before).all()


def test_black_is_not_dark_but_nothing():
    assert not is_dark(np.zeros((9, 9, 3), np.uint8), below=50)
    assert is_dark(np.full((9, 9, 3), 5, np.uint8), below=50)
    assert not is_dark(np.full((9, 9, 3), 50, np.uint8), below=50)


def test_a_dark_face_is_found_in_every_frame_and_said_to_be_lightened(detector, tmp_path):
    views = [darkened(view, 0.06, seed=i) for i, view in enumerate(moving_views(12))]
    clip = read_clip(write_clip(tmp_path / "dark.mp4", views))
    unaided = detect_faces(clip, detector, DetectSettings(dark_below=0))
    assert sum(map(len, unaided)) < 6  # so the retry is what finds it
    found = detect_faces(clip, detector, DetectSettings())
    assert [len(faces) for faces in found] == [1] * 12
    assert all(face.lightened for faces in found for face in faces)


def test_an_ordinary_face_is_not_lightened(detector):
    (faces,) = detect_faces(clip_from_arrays(moving_views(1)), detector, DetectSettings())
    assert [face.lightened for face in faces] == [False]


class Counting:
    def __init__(self):
        self.images = 0

    def detect(self, images, *, near=None):
        self.images += len(images)
        return [()] * len(images)


@pytest.mark.parametrize(("level", "looks"), [(90, 1), (10, 2), (0, 1)])
def test_only_a_dark_frame_without_a_face_is_looked_at_twice(level, looks):
    detector = Counting()
    detect_faces(clip_from_arrays([np.full((60, 80, 3), level, np.uint8)]), detector, DetectSettings())
    assert detector.images == looks


def test_night_is_told_of_most_frames():
    dark, light = np.full((40, 60, 3), 6, np.uint8), np.full((40, 60, 3), 90, np.uint8)
    assert is_night(clip_from_arrays([dark, dark, light]))
    assert not is_night(clip_from_arrays([dark, light, light]))
