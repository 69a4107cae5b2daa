import cv2
import numpy as np
import pytest

import unmask
from tiny_model import write_tiny_model
from unmask.config import ScanSettings
from unmask.errors import ModelError
from unmask.faces.crop import cut_face
from unmask.judge.calibration import Calibration
from unmask.judge.heat import HeatMap, change_of, cover, find_heat, search_heat
from unmask.judge.score import load_model
from unmask.report.looking import pick_frames
from unmask.types import Face
from unmask.video import open_film
from unmask.video.playing import play_frames

SWAPPED = "examples/portrait_swapped.mp4"


@pytest.fixture(scope="module")
def suspicious():
    """The shipped model, and the most suspicious crop of the shipped swap as the model sees it."""
    from test_layers import ROOT

    # Of the default every part of a face tells a little, so that none decides.
    model = load_model("fast")
    verdict = unmask.scan(ROOT / SWAPPED, frames=8, model="fast")
    best = pick_frames(verdict.people[0])[0][0]
    (frame,) = play_frames(open_film(ROOT / SWAPPED), lambda times: {best.time_seconds})
    face = Face(np.array(best.box, np.float32), np.array(best.points, np.float32), best.confidence)
    return model, cut_face(frame.picture.rgb(), face, model.card.crop_settings)[0]


def _logit(model, image):
    return float(model.logits(np.ascontiguousarray(image.transpose(2, 0, 1)[None]))[0])


def test_covering_the_marked_region_changes_the_score_more_than_a_random_one_of_its_size(suspicious):
    model, crop = suspicious
    found = find_heat(model, crop)
    left, top, right, bottom = found.marked
    window = right - left
    assert window == bottom - top == round(len(crop) / 4)
    plain = _logit(model, crop)
    marked = abs(plain - _logit(model, cover(crop, found.marked)))
    rng = np.random.default_rng(0)
    changes = []
    for x, y in rng.integers(0, len(crop) - window, (12, 2)).tolist():
        changes.append(abs(plain - _logit(model, cover(crop, (x, y, x + window, y + window)))))
    assert marked > np.mean(changes) and marked > np.median(changes)
    assert sum(marked > change for change in changes) >= 10  # of 12; a random place may lie on the marked one


def test_the_marked_region_is_where_a_model_looks(tmp_path):
    model = load_model(write_tiny_model(tmp_path))
    crop = np.full((32, 32, 3), 60, np.uint8)
    crop[8:16, 16:24] = (255, 0, 0)
    crop[::2, ::2] += 1

    class Eye:
        card = model.card

        def logits(self, images):
            return images[:, 0, 8:16, 16:24].astype(np.float32).mean(axis=(1, 2))

    found = find_heat(Eye(), crop)
    left, top, right, bottom = found.marked
    assert left <= 20 <= right and top <= 12 <= bottom
    assert found.falls.max() > found.elsewhere == pytest.approx(0, abs=1e-3)
    assert np.unravel_index(found.heat.argmax(), found.heat.shape)[0] in range(top, bottom)


def test_the_network_of_a_scan_is_tried_on_crops(tmp_path):
    path = write_tiny_model(tmp_path)
    model = load_model(path)
    crops = [np.full((32, 32, 3), 60, np.uint8), np.full((32, 32, 3), 60, np.uint8)]
    crops[1][8:16, 16:24] = (255, 0, 0)
    found = search_heat(crops, ScanSettings(model=str(path)))
    assert [one.logit for one, _ in found] == [find_heat(model, crop).logit for crop in crops]
    assert search_heat([], ScanSettings(model=str(path))) == []
    with pytest.raises(ModelError):
        search_heat(crops, ScanSettings(model=str(tmp_path / "none.json")))


def test_odds_change_as_a_calibration_says(tmp_path):
    found = HeatMap(
        0.4,
        ((0, 0, 8, 8), (24, 24, 32, 32)),
        np.array([1.5, 0.25], np.float32),
        np.zeros((32, 32), np.float32),
    )
    change = change_of(found, Calibration(temperature=2.0, bias=0.6))
    assert change.p_fake == pytest.approx(1 / (1 + np.exp(-0.5)))
    assert change.odds_covered == pytest.approx(np.exp(-0.75), rel=1e-4)
    assert change.odds_elsewhere == pytest.approx(np.exp(-0.125), rel=1e-4)


def test_a_model_that_sees_nothing_gives_no_heat(tmp_path):
    model = load_model(write_tiny_model(tmp_path))
    grey = np.full((32, 32, 3), 90, np.uint8)
    found = find_heat(model, grey)
    assert np.allclose(found.falls, 0) and found.elsewhere == 0


def test_covering_blurs_within_its_place_and_nowhere_else():
    rng = np.random.default_rng(0)
    crop = rng.integers(0, 255, (64, 64, 3), dtype=np.uint8)
    covered = cover(crop, (16, 16, 32, 32))
    changed = (covered != crop).any(axis=2)
    assert changed[18:30, 18:30].mean() > 0.9
    changed[16:32, 16:32] = False
    assert not changed.any()
    assert (
        cv2.Laplacian(covered[20:28, 20:28], cv2.CV_64F).std()
        < cv2.Laplacian(crop[20:28, 20:28], cv2.CV_64F).std()
    )
