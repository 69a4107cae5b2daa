import numpy as np
import pytest

from unmask.errors import MediaError
from unmask.video.beside import read_beside, read_small
from unmask.video.encoding import encode_video


def write_levels(path, levels, *, fps, size=(64, 96)):
    path.write_bytes(encode_video([np.full((*size, 3), level, np.uint8) for level in levels], fps=fps))
    return path


def test_another_video_is_read_at_the_times_of_the_first(tmp_path):
    first = write_levels(tmp_path / "first.mp4", range(40, 240, 10), fps=10)
    twice = write_levels(tmp_path / "twice.mp4", range(40, 240, 5), fps=20, size=(128, 192))
    short = write_levels(tmp_path / "short.mp4", range(40, 140, 10), fps=10)
    small = read_small(first, seconds=1.5, frames_per_second=10, side_px=48)
    assert small.images.shape == (15, 32, 48, 3) and small.size == (48, 32)
    assert small.duration_seconds == pytest.approx(2.0, abs=0.01)
    assert small.step_seconds == pytest.approx(0.1, abs=1e-3)
    beside = read_beside(twice, small)
    assert beside.shape == small.images.shape
    assert beside.mean(axis=(1, 2, 3)) == pytest.approx(
        small.images.mean(axis=(1, 2, 3)), abs=8
    )  # half a step
    ended = read_beside(short, small).mean(axis=(1, 2, 3))
    assert ended[:10] == pytest.approx(small.images[:10].mean(axis=(1, 2, 3)), abs=4) and not ended[11:].any()


def test_a_video_is_listed_once_however_often_it_is_read(tmp_path, monkeypatch):
    from unmask.video import film

    path, listed, survey = (
        write_levels(tmp_path / "a.mp4", range(40, 140, 10), fps=10),
        [],
        film.survey_packets,
    )
    monkeypatch.setattr(
        film, "survey_packets", lambda reading, *more: listed.append(1) or survey(reading, *more)
    )
    small = read_small(path, seconds=1.5, frames_per_second=10, side_px=48)
    read_beside(path, small)
    assert len(listed) == 2  # once as the first, once as the other


def test_what_is_no_video_is_refused(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"nothing")
    with pytest.raises(MediaError):
        read_small(tmp_path / "a.mp4", seconds=1, frames_per_second=10, side_px=64)
