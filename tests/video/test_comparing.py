"""Two films in step, as one video."""

from __future__ import annotations

import io

import av
import cv2
import numpy as np
import pytest

from portraits import moving_views, write_clip
from unmask.video import open_film
from unmask.video.comparing import compare_films


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """A film of four seconds, and a smaller copy without its second second, in which a corner was painted."""
    folder = tmp_path_factory.mktemp("films")
    there = moving_views(24)
    images = there + there[::-1]
    kept = [*images[:12], *images[24:]]
    small = [cv2.resize(image, (160, 120), interpolation=cv2.INTER_AREA) for image in kept]
    for image in small:
        image[:30, :40] = (255, 0, 0)
    original = write_clip(folder / "original.mp4", images, fps=12)
    return open_film(original), open_film(write_clip(folder / "copy.mp4", small, fps=12))


def test_a_cut_and_scaled_copy_is_shown_in_step_with_what_was_changed(films):
    found = compare_films(*films)
    assert len(found.copy_seconds) == 36 and found.share > 0.9
    (first, second) = [run for run in found.runs() if run[1] - run[0] > 0.3]
    assert first == pytest.approx((0, 0.92, 0, 0.92), abs=0.1)
    assert second == pytest.approx((1.0, 2.92, 2.0, 3.92), abs=0.1)
    assert 0 < found.difference < 60
    with av.open(io.BytesIO(found.video)) as video:
        frames = [frame.to_ndarray(format="rgb24") for frame in video.decode(video=0)]
    assert len(frames) == 36
    height, width = frames[0].shape[:2]
    panel = (width - 8) // 3
    difference = frames[6][:, 2 * panel + 8 :]
    painted = difference[: height // 4 - 4, : panel // 4 - 4]
    rest = difference[height // 2 :]
    assert painted.mean() > 3 * rest.mean() > 0


def test_another_film_is_found_nowhere(films, tmp_path):
    draw = np.random.default_rng(0)
    noise = [cv2.blur(draw.integers(0, 256, (120, 160, 3), np.uint8), (25, 25)) for _ in range(12)]
    found = compare_films(films[0], open_film(write_clip(tmp_path / "other.mp4", noise, fps=12)))
    assert found.share == 0 and found.difference is None and found.video
    assert found.runs() == [(found.copy_seconds[0], found.copy_seconds[-1], None, None)]
