"""Animated pictures: every one of them is read, at its time."""

from __future__ import annotations

import zlib

import cv2
import numpy as np
import pytest

from media import numbered, read_number, truncated
from unmask.config import DecodeSettings
from unmask.errors import MediaError
from unmask.video import animation, open_film, read_clip, read_stretches
from unmask.video.playing import play_frames

MS = 80


def write_animation(path, count=20, *, size=(160, 120), durations=None):
    made = cv2.Animation()
    made.frames = [numbered(n, width=size[0], height=size[1])[:, :, ::-1].copy() for n in range(count)]
    made.durations = np.array(durations or [MS] * count, np.int32)
    assert cv2.imwriteanimation(str(path), made)
    return path


def numbers(frames):
    return [read_number(frame.picture.rgb()) for frame in frames]


@pytest.mark.parametrize("ending", ["webp", "png"])
def test_all_pictures_are_read_at_their_times(tmp_path, ending):
    clip = read_clip(write_animation(tmp_path / f"a.{ending}"))
    assert numbers(clip.frames) == list(range(20)) and not clip.is_image and not clip.damaged
    assert [frame.time_seconds for frame in clip.frames] == pytest.approx([n * MS / 1000 for n in range(20)])
    assert clip.duration_seconds == pytest.approx(20 * MS / 1000, abs=0.05)


@pytest.mark.parametrize("ending", ["webp", "png"])
def test_few_are_spread_evenly_and_a_part_is_a_part(tmp_path, ending):
    path = write_animation(tmp_path / f"a.{ending}")
    assert numbers(read_clip(path, DecodeSettings(frames=4)).frames) == [2, 7, 12, 17]
    part = DecodeSettings(start_seconds=0.39, end_seconds=0.79)
    assert numbers(read_clip(path, part).frames) == [5, 6, 7, 8, 9]


def test_a_long_note_does_not_hide_that_a_png_is_animated(tmp_path):
    data = write_animation(tmp_path / "a.png").read_bytes()
    body = b"tEXtComment\0" + b"long " * 4000
    note = (len(body) - 4).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")
    (tmp_path / "b.png").write_bytes(data[:33] + note + data[33:])
    assert numbers(read_clip(tmp_path / "b.png").frames) == list(range(20))


@pytest.mark.parametrize("ending", ["webp", "png"])
def test_one_picture_stays_a_still(tmp_path, ending):
    path = write_animation(tmp_path / f"a.{ending}", 1)
    assert read_clip(path).is_image and open_film(path).still == ending


def test_a_long_animation_is_one_stretch(tmp_path):
    path = write_animation(tmp_path / "a.webp", 8, durations=[10_000] * 8)
    (stretch,) = read_stretches(open_film(path))
    assert stretch.is_whole and stretch.end_seconds == 80 and len(stretch.clip.frames) == 8


def test_what_fits_into_memory_is_decoded_at_a_time(tmp_path, monkeypatch):
    path = write_animation(tmp_path / "a.webp")
    monkeypatch.setattr(animation, "MAX_KEPT_BYTES", 3 * 160 * 120 * 4)
    film = open_film(path)
    assert film.most_held == 3
    assert numbers(play_frames(film, lambda times: times[7:])) == list(range(7, 20))


def test_a_report_sees_the_pictures_that_a_scan_saw(tmp_path):
    path = write_animation(tmp_path / "a.webp")
    seen = read_clip(path, DecodeSettings(frames=5)).frames
    again = list(play_frames(open_film(path), lambda _: [frame.time_seconds for frame in seen]))
    assert all(np.array_equal(a.picture.rgb(), b.picture.rgb()) for a, b in zip(seen, again, strict=True))


def test_pictures_without_a_length_stand_as_in_a_browser(tmp_path):
    path = write_animation(tmp_path / "a.webp", 3, durations=[0, 10, 40])
    assert list(open_film(path).survey.times) == [0, 100, 200]


@pytest.mark.parametrize("fraction", [0.3, 0.6, 0.95])
def test_a_cut_short_one_is_damaged_or_refused(tmp_path, fraction):
    path = truncated(write_animation(tmp_path / "a.webp"), tmp_path / "b.webp", fraction=fraction)
    try:
        clip = read_clip(path)
    except MediaError:
        return
    assert clip.damaged and numbers(clip.frames) == list(range(len(clip.frames)))


def test_the_pixel_limit_holds(tmp_path):
    with pytest.raises(MediaError, match="max_pixels"):
        read_clip(write_animation(tmp_path / "a.webp", 3), DecodeSettings(max_pixels=100))
