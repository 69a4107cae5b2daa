import av
import numpy as np
import pytest

from unmask.video.miniature import Miniature, step_between
from unmask.video.shots import mark_cuts


def picture(seed, *, moved=0, light=1.0, bars=0):
    """A smooth picture of a few blobs of colour, in 16:9."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:180, 0:320].astype(np.float32)
    image = np.full((180, 320, 3), rng.uniform(40, 200, 3), np.float32)
    for _ in range(8):
        cx, cy, r = rng.uniform(0, 320), rng.uniform(0, 180), rng.uniform(20, 70)
        blob = np.exp(-((x - cx - moved) ** 2 + (y - cy) ** 2) / (2 * r * r))[..., None]
        image = image * (1 - blob) + blob * rng.uniform(0, 255, 3)
    image = np.clip(image * light, 0, 255).astype(np.uint8)
    if bars:
        image[:, :bars] = image[:, -bars:] = 16
    return av.VideoFrame.from_ndarray(image, "rgb24").reformat(format="yuv420p")


def cuts(frames):
    return [marked.time for marked in mark_cuts(enumerate(frames), tick_seconds=0.04) if marked.opens]


def shot(seed, length, **more):
    return [picture(seed, moved=2 * i, **more) for i in range(length)]


def test_a_cut_is_found_where_it_is_and_nowhere_else():
    assert cuts(shot(1, 12) + shot(2, 12) + shot(3, 12)) == [12, 24]


def test_pictures_between_bars_are_told_apart_too():
    assert cuts(shot(1, 12, bars=90) + shot(2, 12, bars=90)) == [12]


def test_nothing_is_lost_or_moved_on_the_way():
    frames = shot(1, 3)
    marked = mark_cuts(enumerate(frames), tick_seconds=0.04)
    assert [(one.time, one.frame) for one in marked] == list(enumerate(frames))
    assert list(mark_cuts([], tick_seconds=0.04)) == []


@pytest.mark.parametrize("length", [1, 2])
def test_a_flash_is_no_cut(length):
    frames = shot(1, 24)
    frames[10 : 10 + length] = [picture(1, moved=2 * (10 + i), light=6.0) for i in range(length)]
    assert cuts(frames) == []


def test_a_change_of_light_is_no_cut():
    frames = [picture(1, moved=i, light=1.0 if i < 12 else 0.7) for i in range(24)]
    assert cuts(frames) == []


def test_other_formats_give_about_the_same_miniature():
    frame = picture(4)
    for name in ("yuv444p", "rgb24", "yuv420p10le", "gray"):
        other = frame.reformat(format=name)
        assert step_between(Miniature.of(frame), Miniature.of(other)) < (60 if name == "gray" else 10)
