from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import skimage.data

from portraits import moving_views, write_clip
from tiny_model import write_tiny_model
from unmask.config import EMBEDDER_NAMES, DecodeSettings, DetectSettings, ScanSettings, TrackSettings
from unmask.errors import MissingExtraError, ModelError, SettingsError
from unmask.faces import embed
from unmask.faces.detect import detect_faces, load_detector
from unmask.faces.embed import EMBEDDERS, describe_people, load_embedder
from unmask.faces.track import link_faces
from unmask.pipeline import load_scanner
from unmask.video import clip_from_arrays, read_clip

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def described(clip, embedder):
    faces = detect_faces(clip, load_detector(DetectSettings()), DetectSettings())
    return list(describe_people(clip, link_faces(clip, faces, TrackSettings()), embedder).values())


def test_the_names_are_those_of_the_table():
    assert set(EMBEDDER_NAMES) == {"auto", "none", *EMBEDDERS}
    with pytest.raises(SettingsError, match="embedder must be one of auto, none, dlib, got 'arc'"):
        ScanSettings(embedder="arc")


@pytest.mark.parametrize("name", EMBEDDERS)
def test_one_person_is_alike_and_another_is_not(name):
    embedder = load_embedder(name)
    one = EXAMPLES / "portrait_real.mp4"  # which was made of a portrait of Eileen Collins
    parts = [DecodeSettings(frames=4, start_seconds=start, end_seconds=start + 1) for start in (0, 2)]
    (early,), (late,) = (described(read_clip(one, part), embedder) for part in parts)
    assert early @ late >= embedder.same_cosine and np.linalg.norm(early) == pytest.approx(1, abs=1e-5)
    for picture, same in ((hopper(), False), (skimage.data.astronaut(), True)):
        (other,) = described(clip_from_arrays([picture] * 4), embedder)
        assert (early @ other >= embedder.same_cosine) == same


def hopper():
    import matplotlib.cbook
    from PIL import Image

    with matplotlib.cbook.get_sample_data("grace_hopper.jpg") as file, Image.open(file) as picture:
        return np.array(picture.convert("RGB"))


def test_somebody_who_comes_back_is_one_person_in_two_shots(tmp_path):
    there = moving_views(20)
    # A stranger stands between: hardly anybody is so much lighter from one moment to the next.
    images = there + [np.ascontiguousarray(image[::-1]) for image in there] + there[::-1]
    path = write_clip(tmp_path / "film.mp4", images)
    settings = ScanSettings(model=str(write_tiny_model(tmp_path / "model")))
    apart = load_scanner(replace(settings, embedder="none")).scan(path)
    joined = load_scanner(replace(settings, embedder="dlib")).scan(path)
    kept = [[person for person in verdict.people if person.kept] for verdict in (apart, joined)]
    assert len(kept[0]) == 2 and len(kept[1]) == 1
    assert [one.shot for one in kept[1][0].appearances] == [0, 2]
    assert joined.p_fake == apart.p_fake  # who is who changes nothing in what is said of the file


def test_without_the_extra_everybody_stands_alone(monkeypatch):
    monkeypatch.setattr(embed.importlib.util, "find_spec", lambda name: None)
    assert load_embedder("auto") is None and load_embedder("none") is None
    with pytest.raises(MissingExtraError, match=r"dlib is not installed; .*\[people\]"):
        load_embedder("dlib")


def test_altered_weights_are_not_read(monkeypatch, tmp_path):
    spec = type("Spec", (), {"submodule_search_locations": [str(tmp_path)]})()
    monkeypatch.setattr(embed.importlib.util, "find_spec", lambda name: spec)
    with pytest.raises(ModelError, match="cannot be read"):
        load_embedder("dlib")
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "dlib_face_recognition_resnet_model_v1.dat").write_bytes(b"other")
    with pytest.raises(ModelError, match="must have the SHA-256 5553"):
        load_embedder("dlib")
