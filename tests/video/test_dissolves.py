import av
import numpy as np
import pytest

from portraits import moving_views, write_clip
from unmask.config import DecodeSettings
from unmask.video import open_film, read_stretches
from unmask.video.dissolves import DissolveFinder
from unmask.video.miniature import Miniature

FPS = 25


def blended(first, second, count):
    """The end of one film fades over into the beginning of another, for so many frames."""
    shares = np.linspace(1, 0, count + 2)[1:-1]
    pairs = zip(shares, first[-count:], second[:count], strict=True)
    mixed = [np.rint(share * old + (1 - share) * new).astype(np.uint8) for share, old, new in pairs]
    return [*first[:-count], *mixed, *second[count:]]


def films():
    """Two of 80 frames, before a camera that moves slowly."""
    way = [image for image in moving_views(20) for _ in range(4)]
    return way, [np.ascontiguousarray(255 - image[:, ::-1]) for image in way]


def found(images):
    finder, began = DissolveFinder(), []
    for number, image in enumerate(images):
        small = Miniature.of(av.VideoFrame.from_ndarray(image, format="rgb24"))
        since = finder.add(number / FPS, small)
        if since is not None:
            began.append((since, number / FPS))
    return began


@pytest.mark.parametrize("count", [8, 12, 18, 25])
def test_a_dissolve_is_found_with_its_ends(count):
    first, second = films()
    ((since, until),) = found(blended(first, second, count))
    start, end = (80 - count) / FPS, 80 / FPS
    assert since == pytest.approx(start, abs=0.25)
    assert end <= until + 0.1 and until == pytest.approx(end, abs=0.7)


def test_neither_movement_nor_a_cut_nor_a_flash_is_one():
    first, second = films()
    assert found(first) == []
    assert found([*first, *second]) == []  # which is found elsewhere
    flash = [np.minimum(255, image.astype(int) + 90).astype(np.uint8) for image in first[30:40]]
    assert found([*first[:30], *flash, *first[40:]]) == []


def test_a_camera_that_pans_over_a_picture_is_none():
    wall = np.random.default_rng(0).integers(0, 256, (12, 60, 3), np.uint8)
    wall = np.kron(wall, np.ones((10, 10, 1), np.uint8))
    steps = [*[0] * 15, *range(0, 400, 20), *[400] * 30]
    assert found([np.ascontiguousarray(wall[:, step : step + 160]) for step in steps]) == []


def test_a_shot_begins_behind_a_dissolve_and_no_mixed_frame_is_kept(tmp_path):
    first, second = films()
    path = write_clip(tmp_path / "film.mp4", blended(first, second, 15), fps=FPS)
    one, two = read_stretches(open_film(path, DecodeSettings(frames=200)))
    assert one.opens_shot and two.opens_shot and one.end_seconds == two.start_seconds
    mixed = (80 - 15) / FPS, 80 / FPS
    kept = [frame.time_seconds for stretch in (one, two) for frame in stretch.clip.frames]
    assert not [time for time in kept if mixed[0] + 0.2 < time < mixed[1] - 0.04]
