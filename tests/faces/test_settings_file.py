import pytest

from unmask.config import DetectSettings, TrackSettings
from unmask.errors import SettingsError
from unmask.faces.settings_file import read_detector_file, write_detector_file


def test_what_is_written_is_read_back(tmp_path):
    detect = DetectSettings(thresholds=(0.6, 0.65, 0.9), min_face_px=20, dark_below=0.0)
    track = TrackSettings(policy="largest", largest=2, still_change=0.1)
    write_detector_file(tmp_path / "d.toml", detect, track, comment="measured\n\nrecall 1.0")
    assert read_detector_file(tmp_path / "d.toml") == (detect, track)
    assert (tmp_path / "d.toml").read_text().startswith("# measured\n#\n# recall 1.0\n\n[detect]\n")


def test_what_is_left_out_has_its_default(tmp_path):
    (tmp_path / "d.toml").write_text("[track]\nstill_seconds = 3\n")
    assert read_detector_file(tmp_path / "d.toml") == (DetectSettings(), TrackSettings(still_seconds=3))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[detct]\n", r"unknown table \[detct\]; choose from: detect, track"),
        ("detect = 3\n", r"\[detect\] must be a table, got 3"),
        (
            "[detect]\nthreshold = 0.5\n",
            r"\[detect\] has an unknown key 'threshold'; choose from: ",
        ),
        ("[detect]\nmin_face_px = 3\n", "min_face_px must be 12 or more, got 3"),
        ("[detect]\nmin_face_px = '20'\n", r"\[detect\] min_face_px must be a whole number, got '20'"),
        ("[detect]\nmin_face_px = true\n", "must be a whole number, got True"),
        ("[detect]\nthresholds = [0.5, 'a', 0.5]\n", "thresholds must be a list of 3 numbers"),
        ("[detect]\nthresholds = [0.5, 0.5]\n", "thresholds must be a list of 3 numbers"),
        ("[detect]\npyramid_factor = nan\n", "pyramid_factor must be 0.1 to 0.95, got nan"),
        (
            "[track]\npolicy = 'best'\n",
            "policy must be one of all, living_first, moving, largest, got 'best'",
        ),
        ("[detect\n", "is no TOML file"),
    ],
)
def test_bad_files_say_what_is_wrong(tmp_path, text, message):
    file = tmp_path / "d.toml"
    file.write_text(text)
    with pytest.raises(SettingsError, match=message) as caught:
        read_detector_file(file)
    assert str(caught.value).startswith(str(file))


def test_a_missing_file_says_so(tmp_path):
    with pytest.raises(SettingsError, match="No such file"):
        read_detector_file(tmp_path / "none.toml")
