"""The shipped weights on a real clip after what people do to clips: no manipulation is found in it."""

import cv2
import numpy as np
import pytest

from unmask.config import DecodeSettings, ScanSettings
from unmask.judge.card import DEFAULT_MODEL
from unmask.lab.evaluate.changes import CHANGES, RATE, UNTOUCHED, Reel
from unmask.lab.evaluate.contenders import Contender
from unmask.lab.evaluate.everyday import SECONDS, make_reel
from unmask.lab.evaluate.examine import Examiner
from unmask.pipeline import load_scanner
from unmask.verdicts import Outcome
from unmask.video import read_clip

CLIP = "real_videos/video-retalking_examples__face__1.mp4"


@pytest.fixture(scope="module")
def film(shared_data):
    decode = DecodeSettings(frames=round(SECONDS * RATE), end_seconds=SECONDS)
    clip = read_clip(shared_data / CLIP, decode)
    found = make_reel(clip, Examiner(ScanSettings(), [Contender(DEFAULT_MODEL)]))
    assert found is not None
    return found


@pytest.fixture(scope="module")
def scanner():
    return load_scanner()


@pytest.mark.parametrize("change", ["messenger", "beauty filter", "upscaled", "drawn over", "GIF", "AVIF"])
def test_a_real_clip_is_not_called_fake_for_what_people_do_to_it(scanner, film, tmp_path, change):
    file = tmp_path / f"clip{CHANGES[change].suffix}"
    CHANGES[change].write(film, file)
    verdict = scanner.scan(file)
    assert verdict.outcome in (Outcome.REAL, Outcome.UNSURE, Outcome.NO_FACE)


def test_a_tiny_face_that_was_enlarged_is_not_judged_by_its_pixels(scanner, film, tmp_path):
    """The face 32 pixels wide, then twice that: pixels enough, and not the detail."""
    small = 32 / float(np.median(film.boxes[:, 2] - film.boxes[:, 0]))
    images = []
    for image in film.images[::4]:
        shrunk = cv2.resize(image, None, fx=small, fy=small, interpolation=cv2.INTER_AREA)
        images.append(
            np.asarray(cv2.resize(shrunk, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC), np.uint8)
        )
    file = tmp_path / "enlarged.mp4"
    CHANGES[UNTOUCHED].write(Reel(images, film.boxes[::4]), file)
    verdict = scanner.scan(file)
    assert verdict.outcome is Outcome.UNSURE and verdict.reasons[0].code == "too_little"
    (person,) = verdict.people
    sides = [frame.box[2] - frame.box[0] for frame in person.frames]
    assert np.median(sides) > 55 and person.detail_px < 42
