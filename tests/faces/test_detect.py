import runpy
from pathlib import Path

import numpy as np
import pytest

from unmask.config import DecodeSettings, DetectSettings
from unmask.errors import SettingsError
from unmask.faces.boxes import iou
from unmask.faces.detect import detect_faces, load_detector
from unmask.types import Face
from unmask.video import clip_from_arrays, read_clip

COLLINS, HOPPER = runpy.run_path(str(Path(__file__).parents[1] / "references" / "mtcnn.py"))["portraits"]()
TIMES = [index / 3 for index in range(30)]


class BrightSpots:
    """Finds white squares exactly, as faces; counts what it was asked."""

    def __init__(self, confidence=0.99, *, blind_near=False):
        self.confidence, self.blind_near = confidence, blind_near
        self.sizes, self.searched, self.followed = [], 0, []

    def detect(self, images, *, near=None):
        hints = [None] * len(images) if near is None else near
        return [self._one(image, hint) for image, hint in zip(images, hints, strict=True)]

    def _one(self, image, hint):
        self.sizes.append(image.shape[:2])
        if hint is None:
            self.searched += 1
        else:
            self.followed.append(hint)
            if self.blind_near:
                return ()
        columns = np.flatnonzero((image[..., 0] > 128).any(axis=0))
        faces = []
        for run in np.split(columns, np.flatnonzero(np.diff(columns) > 1) + 1) if len(columns) else []:
            rows = np.flatnonzero((image[:, run, 0] > 128).any(axis=1))
            box = np.array([run[0], rows[0], run[-1] + 1, rows[-1] + 1], np.float32)
            if hint is None or (len(hint) and iou(box[None], hint).max() > 0.3):
                faces.append(Face(box, np.tile(box[:2], (5, 1)), self.confidence))
        return tuple(faces)


def _clip(lefts, *, side=20, size=(100, 300), times=None):
    images = []
    for places in lefts:
        image = np.zeros((*size, 3), np.uint8)
        for left in places:
            image[40 : 40 + side, left : left + side] = 255
        images.append(image)
    return clip_from_arrays(images, times or TIMES[: len(images)])


def _lefts(found):
    return [sorted(round(float(face.box[0])) for face in faces) for faces in found]


def test_only_some_frames_are_searched_as_a_whole():
    detector = BrightSpots()
    lefts = [[10 + 3 * index] for index in range(30)]
    found = detect_faces(_clip(lefts), detector, DetectSettings())
    assert _lefts(found) == lefts
    assert detector.searched == 7  # 0, 5, ... 25 and the last
    assert len(detector.followed) == 23


def test_the_place_between_is_foreseen_by_time():
    detector = BrightSpots()
    times = [0.0, 1.0, 1.5, 4.0]
    lefts = [[10], [20], [25], [50]]
    found = detect_faces(_clip(lefts, times=times), detector, DetectSettings(search_every=3))
    assert _lefts(found) == lefts
    assert [round(float(hint[0, 0])) for hint in detector.followed] == [20, 25]


def test_frames_around_a_coming_and_going_are_searched():
    lefts = [[10, 200] if 7 <= index < 18 else [10] for index in range(30)]
    detector = BrightSpots()
    assert _lefts(detect_faces(_clip(lefts), detector, DetectSettings())) == lefts
    assert detector.searched <= 7 + 2 * 3


def test_an_unsure_face_that_comes_and_goes_is_not_searched_for():
    lefts = [[10] if index in (5, 20) else [] for index in range(30)]
    detector = BrightSpots(confidence=0.8)
    assert _lefts(detect_faces(_clip(lefts), detector, DetectSettings())) == lefts
    assert detector.searched == 7


def test_a_face_that_is_not_found_again_is_searched_for():
    lefts = [[10]] * 11
    detector = BrightSpots(blind_near=True)
    assert _lefts(detect_faces(_clip(lefts), detector, DetectSettings())) == lefts
    assert detector.searched == 11


def test_a_leap_between_two_searched_frames_is_caught():
    lefts = [[10]] * 3 + [[90]] + [[10]] * 7
    assert _lefts(detect_faces(_clip(lefts), BrightSpots(), DetectSettings())) == lefts


def test_large_frames_are_shrunk_and_boxes_come_back_in_frame_pixels():
    detector = BrightSpots()
    clip = _clip([[400]] * 3, side=80, size=(500, 1000))
    found = detect_faces(clip, detector, DetectSettings(max_side_px=250))
    assert set(detector.sizes) == {(125, 250)}
    for (face,) in found:
        np.testing.assert_allclose(face.box, [400, 40, 480, 120])
        np.testing.assert_allclose(face.points[0], [400, 40])


def test_small_frames_are_never_enlarged():
    detector = BrightSpots()
    detect_faces(_clip([[10]]), detector, DetectSettings())
    assert detector.sizes == [(100, 300)]


def test_a_change_of_frame_size_is_searched():
    small, large = np.zeros((60, 80, 3), np.uint8), np.zeros((120, 160, 3), np.uint8)
    small[10:30, 10:30], large[20:60, 20:60] = 255, 255
    clip = clip_from_arrays([small] * 4 + [large] * 4)
    found = detect_faces(clip, BrightSpots(), DetectSettings())
    assert _lefts(found) == [[10]] * 4 + [[20]] * 4


@pytest.mark.parametrize("frames", [1, 2, 4, 6])
def test_short_clips_and_images(frames):
    found = detect_faces(_clip([[10]] * frames), BrightSpots(), DetectSettings())
    assert _lefts(found) == [[10]] * frames


def test_frames_without_faces_cost_no_second_look():
    detector = BrightSpots()
    assert detect_faces(_clip([[]] * 30), detector, DetectSettings()) == [()] * 30
    assert detector.searched == 7
    assert not detector.followed


def test_an_unknown_detector_is_named_with_the_choice():
    with pytest.raises(SettingsError, match="unknown face detector 'haar'; choose from: centerface, mtcnn"):
        load_detector(DetectSettings(detector="haar"))


def test_mtcnn_follows_two_moving_faces():
    settings = DetectSettings()
    images = []
    for index in range(11):
        image = np.full((620, 1100, 3), 90, np.uint8)
        left = 8 * index
        image[:512, left : left + 512] = COLLINS
        image[10:610, 588 - left // 2 : 1100 - left // 2] = HOPPER
        images.append(image)
    clip = clip_from_arrays(images, TIMES[:11])
    detector = load_detector(settings)
    everywhere = detect_faces(clip, detector, DetectSettings(search_every=1))
    followed = detect_faces(clip, detector, settings)
    assert [len(faces) for faces in followed] == [len(faces) for faces in everywhere] == [2] * 11
    for ours, theirs in zip(followed, everywhere, strict=True):
        boxes = [np.stack([face.box for face in faces]) for faces in (ours, theirs)]
        assert iou(*boxes).max(axis=1).min() > 0.75


def test_a_face_is_found_in_real_clips(shared_data):
    detector = load_detector(DetectSettings())
    paths = sorted((shared_data / "dfdc_mini").glob("*/*.mp4"))
    assert len(paths) == 40
    for path in paths[::5]:
        clip = read_clip(path, DecodeSettings(frames=6))
        found = detect_faces(clip, detector, DetectSettings())
        assert sum(bool(faces) for faces in found) >= len(found) / 2, path.name
