import cv2
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from training_data import portraits
from unmask.config import DetectSettings
from unmask.faces.crop import cut_square, map_points
from unmask.faces.detect import load_detector
from unmask.lab.forge.blend import (
    Cues,
    alter_face,
    blend_self,
    draw_cues,
    face_width,
    keep_detail,
    mix,
    shift_face,
)
from unmask.lab.forge.swap import describe_pose, match_colour, swap_face

SIZE_PX = 128


@pytest.fixture(scope="module")
def faces():
    """Crops of two people with their key points."""
    detector = load_detector(DetectSettings())
    crops = {}
    for name, image in portraits().items():
        face = detector.detect([image])[0][0]
        centre, half = face.box.reshape(2, 2).mean(axis=0), (face.box[2:] - face.box[:2]).max() * 0.75
        box = np.concatenate([centre - half, centre + half]).astype(np.float32)
        crop, mapping = cut_square(image, box, size_px=SIZE_PX)
        crops[name] = crop, map_points(face.points, mapping)
    return crops


def make_pairs(faces, count):
    for seed in range(count):
        rng = np.random.default_rng(seed)
        (image, points), (donor, donor_points) = (faces[name] for name in ("collins", "hopper"))
        if seed % 2:
            yield blend_self(image, points, rng)
        else:
            yield swap_face(image, points, donor, donor_points, rng)


def test_a_fake_differs_from_its_real_only_where_the_mask_is(faces):
    changed = 0
    for pair in make_pairs(faces, 30):
        assert pair.real.shape == pair.fake.shape == (SIZE_PX, SIZE_PX, 3)
        assert pair.mask.min() >= 0 and pair.mask.max() <= 1.0001
        outside = pair.mask < 1e-3
        np.testing.assert_array_equal(pair.real[outside], pair.fake[outside])
        most = pair.mask > 0.5 * pair.mask.max()  # a mask may be faint all over
        changed += np.abs(pair.real.astype(int) - pair.fake)[most].sum() > 0
    assert changed >= 28  # a mask may shrink to nothing now and then


def test_a_pair_is_a_function_of_its_seed(faces):
    for one, other in zip(make_pairs(faces, 4), make_pairs(faces, 4), strict=True):
        np.testing.assert_array_equal(one.fake, other.fake)


def test_the_probe_would_notice_a_leak(faces):
    """The guard above must be able to fail: with compression of fakes only, it does."""
    scores = []
    for number, pair in enumerate(make_pairs(faces, 60)):
        for label, image in ((0, pair.real), (1, cv2.GaussianBlur(pair.fake, (0, 0), 1.0))):
            outside = pair.mask < 1e-3
            scores.append(
                (np.abs(cv2.Laplacian(image.astype(np.float32), cv2.CV_32F))[outside].mean(), label, number)
            )
    values, labels = np.array([s[0] for s in scores])[:, None], np.array([s[1] for s in scores])
    assert LogisticRegression().fit(values, labels).score(values, labels) > 0.8


def test_mixing_follows_the_mask():
    black, white = np.zeros((4, 4, 3), np.uint8), np.full((4, 4, 3), 200, np.uint8)
    assert (mix(black, white, np.full((4, 4), 0.5, np.float32)) == 100).all()


def test_altered_faces_stay_pictures(faces):
    image, points = faces["collins"]
    for seed in range(40):
        rng, face_px = np.random.default_rng(seed), face_width(points)
        altered = alter_face(image, rng, face_px=face_px, cues=Cues(1, 1, 1))
        assert altered.shape == image.shape and altered.dtype == np.uint8
        assert np.abs(altered.astype(int) - image).mean() < 30


def test_every_fake_has_some_of_the_marks_and_seldom_all():
    drawn = np.array([draw_cues(np.random.default_rng(seed)) for seed in range(400)])
    assert (drawn.max(axis=1) > 0).all() and drawn.max() <= 1
    share = (drawn > 0).mean(axis=0)
    assert (share > 0.5).all() and (share < 0.9).all()
    assert 0.1 < (drawn > 0).all(axis=1).mean() < 0.5


@pytest.mark.parametrize("kind", Cues._fields)
def test_a_weaker_artefact_changes_less(faces, kind):
    image, points = faces["collins"]

    def change(strength):
        cues = Cues(0, 0, 0)._replace(**{kind: strength})
        changes = []
        for seed in range(30):
            altered = alter_face(image, np.random.default_rng(seed), face_px=face_width(points), cues=cues)
            moved = shift_face(
                altered, np.random.default_rng(seed), face_px=face_width(points), strength=cues.place
            )
            changes.append(np.abs(moved.astype(int) - image).mean())
        return np.mean(changes)

    assert change(0) == 0 < change(0.3) < change(1)


def test_detail_comes_back_only_where_it_was_lost(faces):
    image, points = faces["collins"]
    blurred = image.copy()
    blurred[40:90, 40:90] = cv2.GaussianBlur(image, (0, 0), 2)[40:90, 40:90]
    kept = keep_detail(blurred, image, share=0.8, face_px=face_width(points)).astype(int)
    np.testing.assert_array_equal(kept[:25, :25], image[:25, :25])
    lost = np.abs(blurred[45:85, 45:85].astype(int) - image[45:85, 45:85]).mean()
    assert np.abs(kept - image)[45:85, 45:85].mean() < 0.7 * lost
    none = keep_detail(blurred, image, share=0.0, face_px=face_width(points))
    np.testing.assert_array_equal(none, blurred)


def test_colours_are_matched(faces):
    target, _ = faces["collins"]
    source = np.clip(target.astype(int) + np.array([40, -20, 10]), 0, 255).astype(np.uint8)
    mask = np.ones(target.shape[:2], np.float32)
    matched = match_colour(source, target, mask, strength=1.0)
    assert np.abs(matched.astype(int) - target).mean() < 0.4 * np.abs(source.astype(int) - target).mean()
    np.testing.assert_array_equal(match_colour(source, target, mask * 0, strength=1.0), source)


def test_pose_ignores_place_size_and_tilt(faces):
    _, points = faces["hopper"]
    turned = points @ np.array([[0.8, -0.6], [0.6, 0.8]], np.float32) * 3 + 17
    np.testing.assert_allclose(describe_pose(turned), describe_pose(points), atol=1e-4)
    squeezed = points * np.array([0.5, 1], np.float32)
    assert np.abs(describe_pose(squeezed) - describe_pose(points)).max() > 0.1
