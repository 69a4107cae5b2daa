import subprocess
import sys
from dataclasses import replace

import pytest

import unmask
from portraits import moving_views, write_clip
from tiny_model import write_tiny_model

PUBLIC = {
    "Card",
    "own_card",
    "CropScorer",
    "DataError",
    "DetectSettings",
    "FaceDetector",
    "JudgeSettings",
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


def test_a_file_without_video_raises_from_the_parts(tmp_path):
    text = tmp_path / "text.mp4"
    text.write_text("no video")
    with pytest.raises(unmask.MediaError, match=r"text\.mp4"):
        unmask.find_faces(text)
