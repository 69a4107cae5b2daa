"""Still pictures as clips of one frame."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from media import bit_flipped, numbered, read_number, truncated, write_png_header, write_video
from unmask.config import DecodeSettings
from unmask.errors import DamagedError, MediaError
from unmask.video import read_clip

ENDINGS = ("jpg", "png", "webp")


def write_still(path, number=1234, size=(160, 120)):
    image = numbered(number, width=size[0], height=size[1])
    assert cv2.imwrite(str(path), image[:, :, ::-1])
    return path


def with_orientation(jpeg: bytes, orientation: int) -> bytes:
    """A JPEG with an EXIF block of one entry, the orientation (tag 0x0112)."""
    entry = b"\x01\x12\x00\x03\x00\x00\x00\x01" + orientation.to_bytes(2, "big") + b"\x00\x00"
    body = b"Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08\x00\x01" + entry + bytes(4)
    return jpeg[:2] + b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body + jpeg[2:]


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("size", [(160, 120), (161, 33)])
def test_stills_are_clips_of_one_frame(tmp_path, ending, size):
    clip = read_clip(write_still(tmp_path / f"a.{ending}", size=size))
    assert clip.is_image and clip.duration_seconds == 0 and not clip.damaged
    (frame,) = clip.frames
    assert (frame.width, frame.height, frame.time_seconds) == (*size, 0.0)
    difference = np.abs(frame.picture.rgb().astype(int) - numbered(1234, width=size[0], height=size[1]))
    assert difference.mean() < (0.01 if ending == "png" else 8)


def test_content_counts_not_the_name(tmp_path):
    renamed = tmp_path / "a.mp4"
    renamed.write_bytes(write_still(tmp_path / "a.png").read_bytes())
    assert read_clip(renamed).is_image
    film = tmp_path / "b.png"
    film.write_bytes(write_video(tmp_path / "b.mp4", frames=5).read_bytes())
    assert len(read_clip(film).frames) == 5


UPRIGHT = {
    1: lambda image: image,
    2: np.fliplr,
    3: lambda image: np.rot90(image, 2),
    4: np.flipud,
    5: lambda image: image.transpose(1, 0, 2),
    6: lambda image: np.rot90(image, -1),
    7: lambda image: np.rot90(image, 2).transpose(1, 0, 2),
    8: lambda image: np.rot90(image, 1),
}


@pytest.mark.parametrize("orientation", UPRIGHT)
def test_exif_orientation_is_applied(tmp_path, orientation):
    jpeg = write_still(tmp_path / "a.jpg").read_bytes()
    stored = read_clip(tmp_path / "a.jpg").frames[0].picture.rgb()
    (tmp_path / "b.jpg").write_bytes(with_orientation(jpeg, orientation))
    frame = read_clip(tmp_path / "b.jpg").frames[0]
    expected = UPRIGHT[orientation](stored)
    assert (frame.height, frame.width) == expected.shape[:2]
    assert np.array_equal(frame.picture.rgb(), expected)


@pytest.mark.parametrize("kind", ["gray", "alpha", "sixteen", "palette"])
def test_every_colour_type_becomes_rgb(tmp_path, kind):
    image = numbered(5)
    made = {
        "gray": image[:, :, 0],
        "alpha": np.dstack([image, np.full(image.shape[:2], 9, np.uint8)]),
        "sixteen": image.astype(np.uint16) * 257,
        "palette": image // 64 * 64,
    }[kind]
    assert cv2.imwrite(str(tmp_path / "a.png"), made)
    rgb = read_clip(tmp_path / "a.png").frames[0].picture.rgb()
    assert rgb.shape == (120, 160, 3) and rgb.dtype == np.uint8 and read_number(rgb) == 5


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_pixel_limit_is_held_against_the_header(tmp_path, ending, monkeypatch):
    path = write_still(tmp_path / f"a.{ending}")
    assert read_clip(path, DecodeSettings(max_pixels=160 * 120)).is_image

    def decoded(*_):
        raise AssertionError("a picture above the limit was decoded")

    monkeypatch.setattr(cv2, "imdecode", decoded)
    with pytest.raises(MediaError, match="160 x 120"):
        read_clip(path, DecodeSettings(max_pixels=160 * 120 - 1))


def test_the_huge_png_of_a_few_bytes(tmp_path):
    with pytest.raises(MediaError, match="2000000000 x 2000000000"):
        read_clip(write_png_header(tmp_path / "a.png", width=2_000_000_000, height=2_000_000_000))


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("fraction", [0.02, 0.5, 0.98])
def test_a_still_that_is_cut_short_is_damaged(tmp_path, ending, fraction):
    path = truncated(write_still(tmp_path / f"a.{ending}"), tmp_path / "b", fraction=fraction)
    try:
        clip = read_clip(path)
    except MediaError:
        return
    assert clip.damaged and clip.damage


def test_a_wrong_checksum_is_damage(tmp_path):
    data = write_still(tmp_path / "a.png").read_bytes()
    note = b"\x00\x00\x00\x03tEXta\x00bWRNG"  # A comment, whose last four bytes should be its checksum.
    (tmp_path / "b.png").write_bytes(data[:33] + note + data[33:])
    assert read_clip(tmp_path / "b.png").damaged


def test_a_picture_of_no_size(tmp_path):
    with pytest.raises(DamagedError, match="header"):
        read_clip(write_png_header(tmp_path / "a.png", width=0, height=7))


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    ending=st.sampled_from(ENDINGS),
    flips=st.integers(0, 60),
    seed=st.integers(0, 9999),
    keep=st.floats(0.05, 1.0),
)
def test_damaged_stills_give_a_clip_or_a_media_error(tmp_path, ending, flips, seed, keep):
    source = tmp_path / f"a.{ending}"
    if not source.exists():
        write_still(source, size=(40, 30))
    path = truncated(source, tmp_path / "b", fraction=keep)
    bit_flipped(path, path, flips=flips, seed=seed, skip_bytes=min(12, path.stat().st_size - 1))
    try:
        clip = read_clip(path, DecodeSettings(max_pixels=10_000_000))
    except MediaError as error:
        assert "\n" not in str(error)
    else:
        assert clip.frames[0].picture.rgb().ndim == 3
