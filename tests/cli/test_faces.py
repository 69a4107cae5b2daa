import json

import cv2
import pytest
from typer.testing import CliRunner

from portraits import moving_views, write_clip
from unmask.cli import app


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return write_clip(tmp_path_factory.mktemp("clip") / "face.mp4", moving_views(12))


def run(*arguments):
    return CliRunner().invoke(app, ["faces", *map(str, arguments)])


def test_grid_animation_and_crops_in_one_go(clip, tmp_path):
    grid, film, crops = tmp_path / "g.png", tmp_path / "a.gif", tmp_path / "crops"
    found = run(clip, "--grid", grid, "--shape", "2x3", "--animate", film, "--crops", crops, "--frames", 8)
    assert found.exit_code == 0 and "1 person, 0 dropped, in 8 frames" in found.output
    assert cv2.imread(str(grid)).shape == (2 * 164 - 4, 3 * 204 - 4, 3)
    assert film.stat().st_size > 1000 and len(list(crops.iterdir())) == 8


def test_json_tells_boxes_points_and_reasons(clip, tmp_path):
    (tmp_path / "d.toml").write_text("[track]\nmin_face_px = 500\n")
    (track,) = json.loads(run(clip, "--json", "--frames", 6, "--settings", tmp_path / "d.toml").output)[
        "tracks"
    ]
    assert not track["kept"] and "at least 500 px needed" in track["why_dropped"]
    assert [face["frame"] for face in track["faces"]] == list(range(6))
    assert len(track["faces"][0]["points"]) == 5 and not track["faces"][0]["lightened"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--people", "some"], "--people must be all, living_first, moving or 'largest N', got 'some'"),
        (["--people", "all 2"], "--people must be"),
        (["--people", "largest 0"], "largest must be 1 or more, got 0"),
        (["--shape", "0x3"], "--shape must be ROWSxCOLUMNS, 1x1 to 99x99, got '0x3'"),
        (["--frames", "0"], "frames must be 1 to 10000, got 0"),
        (["--settings", "none.toml"], "none.toml: No such file"),
        (["--grid", "sheet.txt"], "a grid is written as .png, .jpg or .webp"),
        (["--animate", "film.avi"], "an animation is written as .mp4 or .gif"),
        (["--grid", "no folder/sheet.png"], "No such file or directory"),
    ],
)
def test_bad_input_is_one_line(clip, arguments, message):
    found = run(clip, *arguments)
    assert found.exit_code == 2 and message in found.output and "Traceback" not in found.output


def test_a_file_that_is_no_video_is_one_line(tmp_path):
    (tmp_path / "a.mp4").write_text("no video")
    found = run(tmp_path / "a.mp4")
    assert found.exit_code == 2 and found.output.startswith("error: ")
