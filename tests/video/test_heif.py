"""HEIC and AVIF: tiles are put together, and what is only unknown is not called damaged."""

from __future__ import annotations

import contextlib

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from media import bit_flipped, numbered, read_number, truncated, write_video
from pictures import heic
from unmask.config import DecodeSettings
from unmask.errors import DamagedError, MediaError
from unmask.video import open_film, read_clip

SIZE = (400, 300)
IMAGE = numbered(1234, width=SIZE[0], height=SIZE[1])


def write(path, **options):
    path.write_bytes(heic(IMAGE, **options))
    return path


def test_tiles_are_put_together(tmp_path):
    clip = read_clip(write(tmp_path / "a.heic"))
    assert clip.is_image and not clip.damaged and open_film(tmp_path / "a.heic").notes == ()
    rgb = clip.frames[0].picture.rgb()
    assert rgb.shape == IMAGE.shape and read_number(rgb) == 1234
    assert np.abs(rgb.astype(int) - IMAGE).mean() < 6


@pytest.mark.parametrize("turned", [1, 2, 3])
def test_it_is_turned_upright(tmp_path, turned):
    stored = read_clip(write(tmp_path / "a.heic")).frames[0].picture.rgb()
    rgb = read_clip(write(tmp_path / "b.heic", turned=turned)).frames[0].picture.rgb()
    assert np.array_equal(rgb, np.rot90(stored, turned))


def test_more_items_than_a_video_may_have_streams_are_no_damage(tmp_path):
    clip = read_clip(write(tmp_path / "a.heic", extra_items=70))
    assert not clip.damaged and read_number(clip.frames[0].picture.rgb()) == 1234


def test_a_lost_tile_is_damage(tmp_path):
    clip = read_clip(write(tmp_path / "a.heic", lost=(2,)))
    assert clip.damaged and str(clip.damage) == "1 of 6 tiles are missing"
    with pytest.raises(DamagedError, match="no tile"):
        read_clip(write(tmp_path / "b.heic", lost=range(6)))


def test_another_kind_of_picture_is_unknown_rather_than_damaged(tmp_path):
    path = write(tmp_path / "a.heic")
    path.write_bytes(path.read_bytes().replace(b"grid", b"iovl"))
    with pytest.raises(MediaError, match="'iovl' is not read") as refused:
        read_clip(path)
    assert not isinstance(refused.value, DamagedError)


def test_an_avif_is_a_still(tmp_path):
    path = tmp_path / "a.avif"
    if not cv2.haveImageWriter(str(path)):
        pytest.skip("this OpenCV writes no AVIF")
    assert cv2.imwrite(str(path), IMAGE[:, :, ::-1])
    clip = read_clip(path)
    assert clip.is_image and read_number(clip.frames[0].picture.rgb()) == 1234


def test_the_pixel_limit_holds(tmp_path):
    with pytest.raises(MediaError, match="max_pixels"):
        read_clip(write(tmp_path / "a.heic"), DecodeSettings(max_pixels=1000))


@pytest.mark.parametrize("fraction", [0.05, 0.2, 0.6, 0.9])
def test_a_cut_short_one_is_damaged_or_refused(tmp_path, fraction):
    path = truncated(write(tmp_path / "a.heic"), tmp_path / "b.heic", fraction=fraction)
    with contextlib.suppress(MediaError):
        assert read_clip(path).damaged


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6))
def test_any_damage_gives_a_picture_or_a_media_error(tmp_path, seed):
    whole = tmp_path / "a.heic"
    if not whole.exists():
        write(whole)
    try:
        read_clip(bit_flipped(whole, tmp_path / "b.heic", flips=8, seed=seed, skip_bytes=12))
    except MediaError as error:
        assert "b.heic" in str(error)


def test_a_video_of_too_many_streams_is_not_called_damaged(tmp_path):
    path = write_video(tmp_path / "a.mp4", frames=5, audio=True)
    with pytest.raises(MediaError, match="max_streams") as refused:
        read_clip(path, DecodeSettings(max_streams=1))
    assert not isinstance(refused.value, DamagedError)
    with pytest.raises(DamagedError, match="cut short"):
        read_clip(truncated(path, tmp_path / "b.mp4", fraction=0.5), DecodeSettings(max_streams=1))
