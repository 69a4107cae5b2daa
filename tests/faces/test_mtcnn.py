import json
import runpy
import shutil
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from unmask.config import DetectSettings
from unmask.errors import ModelError
from unmask.faces.boxes import iou
from unmask.faces.detectors import mtcnn
from unmask.faces.detectors.mtcnn import Mtcnn

REFERENCE = runpy.run_path(str(Path(__file__).parents[1] / "references" / "mtcnn.py"))
RECORD = json.loads(REFERENCE["RECORD"].read_text(encoding="utf-8"))
SCENES = REFERENCE["scenes"]()


@pytest.fixture(scope="module")
def detector():
    return Mtcnn(_settings("default"))


def _settings(name):
    values = REFERENCE["SETTINGS"][name]
    return DetectSettings(
        min_face_px=values["min_face_size"],
        min_face_fraction=0.0,
        thresholds=tuple(values["thresholds"]),
        pyramid_factor=values["factor"],
    )


def assert_same_faces(found, record, *, min_iou=0.98, max_px=1.0):
    assert len(found) == len(record["boxes"])
    if not found:
        return
    boxes = np.array(record["boxes"], np.float32)
    overlaps = iou(np.stack([face.box for face in found]), boxes)
    pairs = overlaps.argmax(axis=1)
    assert sorted(pairs) == list(range(len(found)))
    assert overlaps.max(axis=1).min() >= min_iou
    for face, other in zip(found, pairs, strict=True):
        assert np.abs(face.points - record["points"][other]).max() <= max_px
        assert face.confidence == pytest.approx(record["confidences"][other], abs=1e-3)


@pytest.mark.parametrize("setting", RECORD)
@pytest.mark.parametrize("scene", SCENES)
def test_finds_what_facenet_pytorch_finds(setting, scene):
    (found,) = Mtcnn(_settings(setting)).detect([SCENES[scene]])
    assert_same_faces(found, RECORD[setting][scene])


def test_the_record_holds_several_faces_and_none():
    counts = [len(found["boxes"]) for found in RECORD["default"].values()]
    assert max(counts) == 4
    assert min(counts) == 0


def test_a_batch_finds_what_single_images_give(detector):
    together = detector.detect(list(SCENES.values()))
    for found, record in zip(together, RECORD["default"].values(), strict=True):
        assert_same_faces(found, record, min_iou=0.999, max_px=0.05)


def test_the_surest_face_comes_first(detector):
    (found,) = detector.detect([SCENES["group"]])
    confidences = [face.confidence for face in found]
    assert confidences == sorted(confidences, reverse=True)


def test_points_are_ordered_as_seen(detector):
    (face,) = detector.detect([SCENES["hopper"]])[0]
    left_eye, right_eye, nose, left_mouth, right_mouth = face.points
    assert left_eye[0] < nose[0] < right_eye[0]
    assert left_mouth[0] < right_mouth[0]
    assert max(left_eye[1], right_eye[1]) < nose[1] < min(left_mouth[1], right_mouth[1])


@pytest.mark.parametrize("shift", [(0, 0), (0.3, 0), (-0.3, 0), (0, 0.3), (0, -0.3)])
@pytest.mark.parametrize("growth", [0.8, 1, 1.25])
def test_near_finds_a_face_that_moved(detector, shift, growth):
    (face,) = detector.detect([SCENES["collins"]])[0]
    middle, half = face.box.reshape(2, 2).mean(axis=0), (face.box[2:] - face.box[:2]) / 2
    middle = middle + np.array(shift, np.float32) * half.mean() * 2
    hint = np.concatenate([middle - half * growth, middle + half * growth]).astype(np.float32)
    (found,) = detector.detect([SCENES["collins"]], near=[hint[None]])[0]
    assert iou(found.box[None], face.box[None])[0, 0] > 0.8


def test_near_leaves_the_rest_of_the_image_alone(detector):
    faces = detector.detect([SCENES["group"]])[0]
    (found,) = detector.detect([SCENES["group"]], near=[faces[2].box[None]])[0]
    assert iou(found.box[None], faces[2].box[None])[0, 0] > 0.8


def test_near_nothing_finds_nothing_and_none_searches_all(detector):
    image = SCENES["collins"]
    nothing, everything = detector.detect([image, image], near=[np.empty((0, 4), np.float32), None])
    assert nothing == ()
    assert len(everything) == 1


def test_sums_beyond_32_bits_stay_exact(detector):
    image = np.full((3000, 4000, 3), 255, np.uint8)  # sums to 3.06e9 in each channel
    image[2400:2912, 3400:3912] = SCENES["collins"]
    hint = RECORD["default"]["collins"]["boxes"][0] + np.array([3400, 2400, 3400, 2400], np.float32)
    (found,) = detector.detect([image], near=[hint[None].astype(np.float32)])[0]
    assert iou(found.box[None], hint[None].astype(np.float32))[0, 0] > 0.8


def _copy_weights(tmp_path, monkeypatch):
    shutil.copytree(Path(mtcnn.__file__).parent / "weights", tmp_path / "weights")
    monkeypatch.setattr(resources, "files", lambda package: tmp_path)
    return tmp_path / "weights"


def test_altered_weights_are_refused(tmp_path, monkeypatch):
    weights = _copy_weights(tmp_path, monkeypatch)
    changed = bytearray((weights / "rnet.onnx").read_bytes())
    changed[-1] ^= 1
    (weights / "rnet.onnx").write_bytes(changed)
    with pytest.raises(ModelError, match=r"rnet\.onnx: SHA-256 must be [0-9a-f]{64}, got [0-9a-f]{64}"):
        Mtcnn(DetectSettings())


def test_missing_weights_are_named(tmp_path, monkeypatch):
    weights = _copy_weights(tmp_path, monkeypatch)
    (weights / "onet.onnx").unlink()
    with pytest.raises(ModelError, match=r"incomplete.*onet\.onnx"):
        Mtcnn(DetectSettings())
