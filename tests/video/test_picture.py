"""Pictures and clips from arrays."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest

from media import numbered, read_number
from unmask.video import array_picture, clip_from_arrays, open_film, read_clip
from unmask.video.picture import _from_matrix
from unmask.video.playing import play_frames


def test_an_array_comes_back_as_a_copy():
    image = numbered(3)
    rgb = array_picture(image).rgb()
    assert np.array_equal(rgb, image)
    rgb[:] = 0
    assert image.any()


def test_shrinking_an_array_averages_areas():
    image = numbered(3)
    small = array_picture(image).rgb(width=40, height=30)
    assert np.abs(small - image.reshape(30, 4, 40, 4, 3).mean(axis=(1, 3))).max() <= 1


@pytest.mark.parametrize(
    "image", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3), np.float32), np.zeros((0, 4, 3), np.uint8)]
)
def test_only_rgb_bytes_are_pictures(image):
    with pytest.raises(ValueError, match="uint8"):
        array_picture(image)


def test_sizes_go_together():
    with pytest.raises(ValueError, match="both"):
        array_picture(numbered(1)).rgb(height=5)


def test_a_clip_needs_rising_times():
    images = [numbered(n) for n in range(3)]
    clip = clip_from_arrays(images, [1.0, 1.5, 2.0], path="made.mp4")
    assert clip.duration_seconds == pytest.approx(1.5) and str(clip.path) == "made.mp4"
    for times in ([1.0, 1.0, 2.0], [1.0]):
        with pytest.raises(ValueError, match="rising"):
            clip_from_arrays(images, times)
    with pytest.raises(ValueError, match="0 images"):
        clip_from_arrays([])


@pytest.mark.parametrize("transpose", [False, True])
@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize("flip", [False, True])
def test_display_matrices_move_pixels_where_they_say(transpose, mirror, flip):
    """Every one of the eight orientations, against the matrix applied to positions."""
    one = 1 << 16
    x_sign, y_sign = (-one if mirror else one), (-one if flip else one)
    a, b, c, d = (0, y_sign, x_sign, 0) if transpose else (x_sign, 0, 0, y_sign)
    matrix = np.array([a, b, 0, c, d, 0, 0, 0, 1 << 30], np.int32).tobytes()
    assert _from_matrix(matrix) == (transpose, mirror, flip)
    stored = np.arange(6).reshape(2, 3)
    y, x = np.mgrid[0:2, 0:3]
    shown_x, shown_y = (a * x + c * y) // one, (b * x + d * y) // one
    shown_x, shown_y = shown_x - shown_x.min(), shown_y - shown_y.min()
    expected = np.zeros((shown_y.max() + 1, shown_x.max() + 1), int)
    expected[shown_y, shown_x] = stored
    turned = stored.T if transpose else stored
    assert np.array_equal(turned[:: -1 if flip else 1, :: -1 if mirror else 1], expected)


@pytest.mark.parametrize(
    ("aspect", "shown"),
    [((2, 1), (320, 120)), ((1, 2), (160, 240)), ((200, 199), (160, 120)), ((9, 1), (160, 120))],
)
def test_pixels_that_are_not_square_are_stretched(tmp_path, aspect, shown):
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(*aspect)
        container.mux(stream.encode(av.VideoFrame.from_ndarray(numbered(77), "rgb24")))
        container.mux(stream.encode())
    (frame,) = read_clip(path).frames
    assert (frame.width, frame.height) == shown
    assert frame.picture.rgb().shape == (shown[1], shown[0], 3) and read_number(frame.picture.rgb()) == 77
    (played,) = play_frames(open_film(path), lambda times: times)
    assert np.array_equal(played.picture.rgb(), frame.picture.rgb())
