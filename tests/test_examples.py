"""The shipped example clips: they can be decoded, show one person each, and can be made again."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

import unmask
from media import decode_all
from unmask import find_faces

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
CLIPS = ("portrait_real.mp4", "portrait_swapped.mp4")


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("make_examples", EXAMPLES / "make_examples.py")
    assert spec and spec.loader
    script = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = script  # its dataclass looks itself up there
    spec.loader.exec_module(script)
    yield script
    del sys.modules[spec.name]


@pytest.fixture(scope="module")
def made(script, tmp_path_factory):
    """The folder into which the script writes the clips anew."""
    folder = tmp_path_factory.mktemp("examples")
    script.make_examples(folder)
    return folder


@pytest.mark.parametrize("name", CLIPS)
def test_an_example_is_small_and_short_and_shows_one_person_all_along(name):
    assert (EXAMPLES / name).stat().st_size < 400_000
    (track,) = [track for track in find_faces(EXAMPLES / name) if track.kept]
    assert len(track.frame_indices) == 30
    width, height = track.faces[0].box[2:] - track.faces[0].box[:2]
    assert min(width, height) > 100


@pytest.mark.parametrize("name", CLIPS)
def test_the_script_makes_an_example_again(name, made):
    shipped, again = decode_all(EXAMPLES / name), decode_all(made / name)
    assert [time for time, _ in shipped] == [time for time, _ in again]
    assert len(shipped) == 80
    for (_, old), (_, new) in list(zip(shipped, again, strict=True))[::10]:
        assert old.shape == new.shape == (480, 640, 3)
        # Other versions of the encoder may spend their bits elsewhere.
        assert np.abs(old.astype(np.int16) - new).mean() < 3


def test_only_the_face_differs_between_the_swap_and_its_original(script, tmp_path):
    script.make_original(tmp_path / "original.mp4")
    real, swapped = (
        decode_all(file)[40][1].astype(np.int16) for file in (tmp_path / "original.mp4", EXAMPLES / CLIPS[1])
    )
    difference = np.abs(real - swapped).mean(axis=2)
    (track,) = find_faces(tmp_path / "original.mp4")
    x0, y0, x1, y1 = track.faces[15].box.round().astype(int)
    assert difference[y0:y1, x0:x1].mean() > 15
    assert difference[:, -100:].mean() < 4


@pytest.mark.parametrize(("name", "outcome"), list(zip(CLIPS, ("real", "fake"), strict=True)))
def test_the_clips_that_greet_a_newcomer_are_judged_rightly(name, outcome):
    verdict = unmask.scan(EXAMPLES / name)
    assert verdict.outcome == outcome, verdict.reason
