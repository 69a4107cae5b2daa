import numpy as np

from portraits import moving_views
from unmask.config import DetectSettings, TrackSettings
from unmask.faces.crop import cut_crops
from unmask.faces.detect import load_detector
from unmask.faces.find import find_people
from unmask.faces.turned import find_turned, surest
from unmask.judge.card import read_card
from unmask.video import clip_from_arrays

DETECT, TRACK = DetectSettings(), TrackSettings()
VIEWS = moving_views(10)
UPRIGHT = clip_from_arrays(VIEWS)
ON_ITS_HEAD = clip_from_arrays([np.ascontiguousarray(view[::-1, ::-1]) for view in VIEWS])


def test_people_are_found_on_their_heads_at_the_places_where_they_are():
    detector = load_detector(DETECT)
    (person,) = find_people(UPRIGHT, detector)
    (turned,) = find_turned(ON_ITS_HEAD, detector, DETECT, TRACK)
    assert turned.kept and turned.frame_indices == person.frame_indices
    for face, other in zip(person.faces, turned.faces, strict=True):
        np.testing.assert_allclose(other.box, [200, 160, 200, 160] - face.box[[2, 3, 0, 1]], atol=1e-3)
        np.testing.assert_allclose(other.points, [200, 160] - face.points, atol=1e-3)


def test_crops_of_them_are_upright(tmp_path):
    from tiny_model import write_tiny_model

    crop = read_card(write_tiny_model(tmp_path)).crop_settings
    detector = load_detector(DETECT)
    (upright,) = cut_crops(UPRIGHT, find_people(UPRIGHT, detector), crop)
    (turned,) = cut_crops(ON_ITS_HEAD, find_turned(ON_ITS_HEAD, detector, DETECT, TRACK), crop)
    assert np.abs(upright.images.astype(int) - turned.images).mean() < 3
    np.testing.assert_allclose(upright.points, turned.points, atol=1)


def test_nobody_is_found_in_an_upright_clip():
    assert find_turned(UPRIGHT, load_detector(DETECT), DETECT, TRACK) == ()


def test_an_empty_clip_and_one_of_a_frame():
    detector = load_detector(DETECT)
    assert find_turned(clip_from_arrays([VIEWS[0] // 8]), detector, DETECT, TRACK) == ()
    (one,) = find_turned(clip_from_arrays([VIEWS[0][::-1, ::-1].copy()]), detector, DETECT, TRACK)
    assert one.kept and surest([one]) > 0.95
