"""Interlaced video is shown as whole pictures, at the times of its frames."""

from __future__ import annotations

import av
import numpy as np
import pytest

from media import read_number, write_video
from unmask.video import open_film, read_clip, read_stretches
from unmask.video.playing import play_frames

FRAMES = 20


def combed(number):
    """A bright bar that moves 6 pixels from one half picture to the next."""
    image = np.full((128, 160, 3), 40, np.uint8)
    for row in range(128):
        left = 12 + 6 * number + 3 * (row % 2)
        image[row, left : left + 30] = 200
    return image


def write_interlaced(path, *, flagged=True):
    with av.open(str(path), "w") as container:
        params = "interlaced=1:tff=1" if flagged else ""
        stream = container.add_stream("libx264", rate=25, options={"x264-params": params, "crf": "10"})
        stream.width, stream.height, stream.pix_fmt = 160, 128, "yuv420p"
        for number in range(FRAMES):
            frame = av.VideoFrame.from_ndarray(combed(number), "rgb24")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def combs(rgb):
    grey = rgb.mean(axis=2)
    return float(np.abs(2 * grey[1:-1] - grey[:-2] - grey[2:]).mean())


def test_combs_are_gone_and_times_stay(tmp_path):
    plain = read_clip(write_interlaced(tmp_path / "plain.mp4", flagged=False))
    clip = read_clip(write_interlaced(tmp_path / "a.mp4"))
    assert [frame.time_seconds for frame in clip.frames] == pytest.approx([n / 25 for n in range(FRAMES)])
    before, after = (
        np.mean([combs(frame.picture.rgb()) for frame in one.frames[1:]]) for one in (plain, clip)
    )
    assert after < 0.35 * before


def test_a_report_and_a_look_at_stretches_see_the_same(tmp_path):
    film = open_film(write_interlaced(tmp_path / "a.mp4"))
    (stretch,) = read_stretches(film)
    again = list(play_frames(open_film(tmp_path / "a.mp4"), lambda times: times))
    assert len(again) == FRAMES
    for seen, played in zip(stretch.clip.frames, again, strict=True):
        assert np.array_equal(seen.picture.rgb(), played.picture.rgb())


def test_progressive_frames_in_an_interlaced_stream_keep_their_numbers(tmp_path):
    clip = read_clip(write_video(tmp_path / "a.mp4", encoding="x264-mbaff", frames=30))
    assert [read_number(frame.picture.rgb()) for frame in clip.frames] == list(range(30))
