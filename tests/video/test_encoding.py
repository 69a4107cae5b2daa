from fractions import Fraction

import numpy as np
import pytest

from unmask.video import read_clip
from unmask.video.encoding import VideoWriter, encode_video


def noise(count, height=96, width=128):
    return np.random.default_rng(0).integers(0, 255, (count, height, width, 3), dtype=np.uint8)


def test_size_is_kept_to_the_cap():
    assert len(encode_video(noise(6), fps=10)) > 20_000
    assert len(encode_video(noise(6), fps=10, max_bytes=20_000)) <= 20_000


def test_frames_stand_at_their_times(tmp_path):
    levels = [40, 90, 140, 190]
    images = [np.full((64, 96, 3), level, np.uint8) for level in levels]
    (tmp_path / "even.mp4").write_bytes(encode_video(images, fps=8))
    clip = read_clip(tmp_path / "even.mp4")
    assert [frame.time_seconds for frame in clip.frames] == pytest.approx([0, 0.125, 0.25, 0.375], abs=1e-4)
    assert clip.duration_seconds == pytest.approx(0.5, abs=1e-3)
    assert [frame.picture.rgb().mean() for frame in clip.frames] == pytest.approx(levels, abs=4)

    writer = VideoWriter(rate=Fraction(10), quality=26)
    for image, time in zip(images, (7.0, 7.1, 7.1, 7.75), strict=True):
        writer.add(image, time)  # the third comes at the time of the second, and is left out
    (tmp_path / "uneven.mp4").write_bytes(writer.finish())
    clip = read_clip(tmp_path / "uneven.mp4")
    assert [frame.time_seconds for frame in clip.frames] == pytest.approx([0, 0.1, 0.75], abs=1e-3)


def test_a_video_that_grows_too_large_is_given_up():
    writer = VideoWriter(rate=Fraction(10), quality=1, max_bytes=20_000)
    for number, image in enumerate(noise(60)):
        writer.add(image, number / 10)
    assert writer.finish() is None and writer.too_large


def test_without_a_frame_there_is_no_video():
    writer = VideoWriter(rate=Fraction(10), quality=26)
    assert writer.finish() is None and not writer.too_large
