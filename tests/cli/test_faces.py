import json
import re
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from portraits import moving_views, write_clip
from unmask.cli import app
from unmask.faces.gather import MOST_SHOWN, Gathered
from unmask.types import Clip, Stretch
from unmask.video import clip_from_arrays


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return write_clip(tmp_path_factory.mktemp("clip") / "face.mp4", moving_views(12))


def run(*arguments):
    return CliRunner().invoke(app, ["faces", *map(str, arguments)])


def test_grid_animation_and_crops_in_one_go(clip, tmp_path):
    grid, film, crops = tmp_path / "g.png", tmp_path / "a.gif", tmp_path / "crops"
    found = run(clip, "--grid", grid, "--shape", "2x3", "--animate", film, "--crops", crops, "--frames", 8)
    assert found.exit_code == 0 and "1 person, 0 dropped, in 8 frames" in found.output
    assert re.search(r"^ *1 +8 ", found.output, re.MULTILINE)  # people are numbered from 1
    assert all(file.name.startswith("person1_") for file in crops.iterdir())
    assert cv2.imread(str(grid)).shape == (2 * 164 - 4, 3 * 204 - 4, 3)
    assert film.stat().st_size > 1000 and len(list(crops.iterdir())) == 8
    told = found.stderr.splitlines()
    assert [line.partition(": ")[0] for line in told] == [str(grid), str(film), str(crops)]
    assert "2 x 3 frames" in told[0] and "8 faces" in told[2] and str(grid) not in found.stdout


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


def test_a_long_video_is_looked_at_shot_by_shot(tmp_path):
    there = moving_views(20)
    way = [*there, *there[::-1]] * 3
    path = write_clip(tmp_path / "film.mp4", way + [np.ascontiguousarray(image[:, ::-1]) for image in way])
    done = run(path, "--json", "--grid", tmp_path / "g.png", "--crops", tmp_path / "c")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert [track["shot"] for track in found["tracks"]] == [0, 1]
    frames = [face["frame"] for track in found["tracks"] for face in track["faces"]]
    assert frames == list(range(len(found["times_seconds"]))) and len(frames) > 50
    assert len(list((tmp_path / "c").iterdir())) == len(frames)
    assert (tmp_path / "g.png").stat().st_size > 10_000


def test_of_many_frames_only_some_are_kept_to_be_shown():
    pixels = clip_from_arrays(moving_views(10)).frames
    found = Gathered(Path("film.mp4"))
    for part in range(20):
        frames = tuple(replace(frame, time_seconds=part + n / 10) for n, frame in enumerate(pixels))
        clip = Clip(Path("film.mp4"), frames, 1.0)
        found.add(Stretch(clip, part == 0, part, part + 1, 0, 20), ())
    clip, _ = found.shown()
    assert len(found.times_seconds) == 200 and 20 <= len(clip.frames) <= MOST_SHOWN
    assert clip.frames[-1].time_seconds > 19
