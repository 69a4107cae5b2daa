"""What every face detector has to keep, run over the whole table."""

import runpy
from pathlib import Path

import numpy as np
import pytest

from unmask.config import DetectSettings
from unmask.faces.detect import DETECTORS, load_detector

REFERENCES = Path(__file__).parents[1] / "references"
COLLINS, HOPPER = runpy.run_path(str(REFERENCES / "mtcnn.py"))["portraits"]()


@pytest.fixture(scope="module", params=sorted(DETECTORS))
def detector(request):
    return load_detector(DetectSettings(detector=request.param))


def _inside(face, left, top, right, bottom):
    middle = face.box.reshape(2, 2).mean(axis=0)
    return left < middle[0] < right and top < middle[1] < bottom


def test_finds_the_face_of_each_image(detector):
    collins, hopper = detector.detect([COLLINS, HOPPER])
    assert len(collins) == len(hopper) == 1
    assert _inside(collins[0], 180, 60, 270, 175)
    assert _inside(hopper[0], 160, 120, 360, 380)


def test_no_images_no_faces(detector):
    assert detector.detect([]) == []


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (11, 11), (12, 13), (37, 41), (2000, 7)])
@pytest.mark.parametrize("fill", ["black", "white", "noise", "grey noise"])
def test_degenerate_images_have_no_faces(detector, size, fill):
    noise = np.random.default_rng(3).integers(0, 256, (*size, 3), np.uint8)
    images = {
        "black": np.zeros_like(noise),
        "white": np.full_like(noise, 255),
        "noise": noise,
        "grey noise": np.repeat(noise[..., :1], 3, axis=2),
    }
    assert detector.detect([images[fill]]) == [()]


def test_a_huge_image_is_searched(detector):
    image = np.zeros((4320, 7680, 3), np.uint8)
    image[3000:4024, 6000:7024] = COLLINS.repeat(2, axis=0).repeat(2, axis=1)
    (faces,) = detector.detect([image])
    assert any(_inside(face, 6360, 3120, 6540, 3350) for face in faces)


def test_near_boxes_of_any_kind_do_no_harm(detector):
    wild = np.array(
        [[-900, -900, -800, -800], [0, 0, 0, 0], [50, 50, 20, 20], [0, 0, 1e6, 1e6], [511, 511, 600, 600]]
    )
    (faces,) = detector.detect([COLLINS], near=[wild.astype(np.float32)])
    assert all(np.isfinite(face.box).all() for face in faces)


def test_near_finds_the_face_again(detector):
    (face,) = detector.detect([COLLINS])[0]
    (again,) = detector.detect([COLLINS], near=[face.box[None] + 5])[0]
    np.testing.assert_allclose(again.box, face.box, atol=12)


def test_faces_are_well_formed(detector):
    for face in [face for found in detector.detect([COLLINS, HOPPER]) for face in found]:
        assert face.box.dtype == face.points.dtype == np.float32
        assert (face.box[2:] > face.box[:2]).all()
        assert 0 <= face.confidence <= 1


def test_input_may_be_a_view_and_is_not_written_to(detector):
    frame = np.zeros((600, 700, 3), np.uint8)
    frame[40:552, 60:572] = COLLINS
    before = frame.copy()
    view = frame[40:552, 60:572]
    (faces,) = detector.detect([view])
    assert len(faces) == 1
    assert (frame == before).all()
    mirrored = detector.detect([COLLINS[:, ::-1]])
    assert len(mirrored[0]) == 1
