"""What is learned from is what a scan cuts."""

from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("torch")

from features import SIZE_PX, Store
from publish_head import FACE_PX

from unmask.config import CropSettings
from unmask.faces.crop import cut_face, cut_square
from unmask.lab.crops.samples import STORED_MARGIN_FRACTION
from unmask.lab.extract.plan import ExtractSettings
from unmask.types import Face


@pytest.mark.parametrize("face_px", [81, 120, 157, 158, 180, 300, 520])
def test_a_face_is_cut_for_a_scan_as_it_was_to_learn_from(face_px, monkeypatch):
    rng = np.random.default_rng(0)
    frame = rng.integers(0, 256, (1200, 1200, 3), np.uint8)  # fine detail, which any scaling blurs
    box = np.array([300, 300, 300 + face_px, 300 + face_px], np.float32)
    face = Face(box, np.tile(box[:2] + face_px / 2, (5, 1)), 0.99)
    stored_px = min(ExtractSettings().max_side_px, round(face_px * (1 + STORED_MARGIN_FRACTION)))
    stored, _ = cut_face(frame, face, CropSettings(stored_px, STORED_MARGIN_FRACTION))
    sample = SimpleNamespace(margin_fraction=STORED_MARGIN_FRACTION)
    reader = SimpleNamespace(read=lambda sample, number: (stored, face.points))
    monkeypatch.setattr(Store, "_find", lambda self, row: (reader, sample))
    learned = Store().read({"number": "0", "original": "a", "family": "", "key": "a"}, "clean")
    scanned, _ = cut_face(frame, face, CropSettings(SIZE_PX, 0.0, common_px=FACE_PX))
    whole, _ = cut_square(frame, box, size_px=SIZE_PX)
    detail = [float(crop.astype(float).std()) for crop in (learned, scanned, whole)]
    assert detail[1] == pytest.approx(detail[0], rel=0.03)
    assert face_px <= FACE_PX or detail[2] > 1.2 * detail[0]
