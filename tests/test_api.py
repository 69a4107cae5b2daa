import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

import unmask
from portraits import moving_views, write_clip
from tiny_model import write_tiny_model
from unmask.report import notebook

PUBLIC = {
    "read_clips",
    "Card",
    "own_card",
    "CropScorer",
    "DataError",
    "DetectSettings",
    "FaceDetector",
    "JudgeSettings",
    "LimitSettings",
    "MissingExtraError",
    "Sighting",
    "TrackSettings",
    "read_verdict",
    "Appearance",
    "Segment",
    "Shot",
    "watch",
    "BatchSettings",
    "Clip",
    "CropSettings",
    "Crops",
    "DamagedError",
    "DecodeSettings",
    "Face",
    "Frame",
    "MediaError",
    "ModelError",
    "Outcome",
    "Person",
    "PersonFrame",
    "ScanSettings",
    "ScoreSettings",
    "Scanner",
    "SettingsError",
    "Track",
    "UnmaskError",
    "Verdict",
    "__version__",
    "cut_crops",
    "find_faces",
    "load_scanner",
    "play_tracked",
    "read_clip",
    "scan",
    "scan_many",
    "show_faces",
}


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return write_clip(tmp_path_factory.mktemp("clip") / "face.mp4", moving_views(10))


def test_the_public_names_are_these():
    assert set(unmask.__all__) == set(dir(unmask)) == PUBLIC


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_every_public_name_is_there_and_documented(name):
    assert getattr(unmask, name).__doc__


def test_other_names_are_not():
    with pytest.raises(AttributeError, match="module 'unmask' has no attribute 'scam'"):
        _ = unmask.scam


def test_importing_is_light():
    code = (
        "import sys, unmask; print(sorted({'numpy', 'cv2', 'onnxruntime', 'av', 'typer'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"


def test_scan_gives_a_verdict(clip, tmp_path):
    model = write_tiny_model(tmp_path)
    verdict = unmask.scan(clip, frames=5, threshold=0.0, model=model)
    assert isinstance(verdict, unmask.Verdict)
    assert (verdict.outcome, verdict.model.name, len(verdict.people[0].frames)) == ("fake", "tiny", 5)


def test_scan_takes_settings_of_which_single_ones_can_be_changed(clip, tmp_path):
    settings = unmask.ScanSettings(
        model=str(write_tiny_model(tmp_path)),
        threshold=1.0,
        decode=unmask.DecodeSettings(frames=5),
        track=unmask.TrackSettings(min_face_px=1000),
    )
    verdict = unmask.scan(clip, settings=settings)
    assert verdict.outcome == "no_face" and len(verdict.people[0].frames) == 5  # smaller than what counts
    settings = replace(settings, track=unmask.TrackSettings())
    verdict = unmask.scan(clip, frames=7, threshold=0.0, device="cpu", settings=settings)
    assert verdict.outcome == "fake" and len(verdict.people[0].frames) == 7
    with pytest.raises(unmask.SettingsError, match=r"device must be one of auto, cpu, .*, got 'gpu'"):
        unmask.scan(clip, device="gpu", settings=settings)


def test_scan_refuses_useless_settings(clip, tmp_path):
    model = write_tiny_model(tmp_path)
    with pytest.raises(unmask.SettingsError, match="frames must be 1 to 10000, got 0"):
        unmask.scan(clip, frames=0, model=model)
    with pytest.raises(unmask.SettingsError, match="threshold must be 0 to 1, got 2"):
        unmask.scan(clip, threshold=2, model=model)


def test_faces_and_crops_of_a_path_and_of_a_clip_agree(clip):
    read = unmask.read_clip(clip, unmask.DecodeSettings())
    (track,) = unmask.find_faces(clip)
    (again,) = unmask.find_faces(read)
    assert track.frame_indices == again.frame_indices == tuple(range(10))
    size = unmask.CropSettings(size_px=64, margin_fraction=0.5)
    (crops,) = unmask.cut_crops(clip, crop=size)
    (same,) = unmask.cut_crops(read, [track], crop=size)
    assert crops.images.shape == (10, 3, 64, 64)
    assert (crops.images == same.images).all()


def test_crops_are_as_the_models_card_says(clip, tmp_path):
    card = write_tiny_model(tmp_path, size_px=48)
    (crops,) = unmask.cut_crops(clip, settings=unmask.ScanSettings(model=str(card)))
    assert crops.images.shape[2:] == (48, 48)


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """Two shots, together longer than one clip may be; nobody could be followed in thirty frames of it."""
    there = moving_views(40)
    first = (there + there[::-1])[:80] * 2
    second = [np.ascontiguousarray(image[:, ::-1]) for image in there]
    return write_clip(tmp_path_factory.mktemp("film") / "film.mp4", first + second)


@pytest.mark.parametrize("ask", [unmask.read_clip, unmask.find_faces, unmask.cut_crops])
def test_a_film_is_refused_with_the_way_out_where_one_clip_is_asked_for(film, ask):
    rule = r"film\.mp4: a clip must last up to 15 s, got 20\.0 s; go through it with unmask\.read_clips"
    with pytest.raises(unmask.MediaError, match=rule):
        ask(film)


def test_the_ways_out_lead_to_what_a_scan_finds(film, tmp_path):
    settings = unmask.ScanSettings(model=str(write_tiny_model(tmp_path)), embedder="none")
    verdict = unmask.scan(film, settings=settings)
    times, boxes = [], []
    for clip in unmask.read_clips(film):
        for track in unmask.find_faces(clip):
            times += [clip.frames[index].time_seconds for index in track.frame_indices]
            boxes += [tuple(map(float, face.box)) for face in track.faces]
    seen = [frame for person in verdict.people for frame in person.frames]
    assert times == [frame.time_seconds for frame in seen] and len(verdict.shots) == 2
    np.testing.assert_allclose(boxes, [frame.box for frame in seen], atol=0.01)
    part = unmask.DecodeSettings(start_seconds=3.0, end_seconds=9.0)
    clip = unmask.read_clip(film, part)
    assert (len(clip.frames), clip.frames[0].time_seconds) == (30, pytest.approx(3.05, abs=0.1))


def test_a_sheet_of_a_film_shows_all_of_it(film, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "agg")
    clip, tracks = notebook.shown_faces(film)
    times = [frame.time_seconds for frame in clip.frames]
    assert times == sorted(times) and times[0] < 1 and times[-1] > 18
    assert len(tracks) == 3  # one in each stretch
    assert unmask.show_faces(film).axes


def test_a_file_without_video_raises_from_the_parts(tmp_path):
    text = tmp_path / "text.mp4"
    text.write_text("no video")
    with pytest.raises(unmask.MediaError, match=r"text\.mp4"):
        unmask.find_faces(text)
