import av
import cv2
import numpy as np
import pytest

from portraits import moving_views
from unmask import play_tracked, show_faces
from unmask.config import ScanSettings
from unmask.errors import SettingsError
from unmask.reasons import because
from unmask.report import faces
from unmask.report.faces import draw_faces, face_grid, write_animation, write_crops, write_grid
from unmask.types import Crops, Face, Track
from unmask.video import clip_from_arrays

POINTS = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]], np.float32) * 60
SMALL = because("small", px=9.0, least_px=32)
GREY = np.full((160, 200, 3), 100, np.uint8)


def track(id=0, *, frames=12, left=80, dropped=None, lightened=False):
    box = np.array([left, 60, left + 60, 120], np.float32)
    face = Face(box, box[:2] + POINTS, 0.98, lightened=lightened)
    return Track(id, tuple(range(frames)), (face,) * frames, dropped)


@pytest.fixture
def clip():
    return clip_from_arrays(moving_views(12), [i / 6 for i in range(12)])


def test_box_points_and_words_are_drawn_in_the_persons_colour():
    drawn = draw_faces(GREY, [track(1)], 0)
    green = (drawn == (52, 168, 83)).all(axis=2)
    assert green[60, 85:135].all() and green[119:121, 85:135].any() and green[65:115, 80].all()
    assert green[44:58, 80:150].mean() > 0.5  # the ground of the words, above the box
    assert (drawn[84, 98] == 255).all()  # the left eye
    assert (GREY == 100).all() and (draw_faces(GREY, [track(1)], 12) == 100).all()


def test_people_are_numbered_from_1(monkeypatch):
    told = []
    monkeypatch.setattr(faces, "write_label", lambda image, lines, **_: told.append(lines[0]))
    draw_faces(GREY, [track(0), track(1, left=20, dropped=SMALL)], 0)
    assert told == ["no. 2 dropped  0.98", "person 1  0.98"]


def test_zoom_moves_what_is_drawn():
    drawn = draw_faces(np.full((80, 100, 3), 100, np.uint8), [track()], 0, zoom=0.5)
    assert (drawn[45:55, 40] == (66, 133, 244)).all()


def test_what_was_dropped_is_grey_and_under_the_people():
    drawn = draw_faces(GREY, [track(), track(1, dropped=SMALL)], 0)
    assert (drawn[65:115, 80] == (66, 133, 244)).all()
    alone = draw_faces(GREY, [track(1, dropped=SMALL)], 0)
    assert (alone[65:115, 80] == 150).all()
    people = draw_faces(GREY, [track(1)], 0)
    assert (alone[:58] != 100).any(axis=(1, 2)).sum() > (people[:58] != 100).any(
        axis=(1, 2)
    ).sum()  # two lines


def test_boxes_beyond_the_frame_and_tiny_images_do_no_harm():
    draw_faces(GREY, [track(left=-500), track(left=190)], 0)
    draw_faces(np.zeros((2, 2, 3), np.uint8), [track()], 0)


@pytest.mark.parametrize(("rows", "columns", "shape"), [(3, 3, (3, 3)), (1, 4, (1, 4)), (5, 5, (3, 5))])
def test_a_grid_has_rows_and_columns_as_far_as_there_are_frames(clip, rows, columns, shape):
    sheet = face_grid(clip, [], rows=rows, columns=columns, tile_px=100)
    assert sheet.shape == (shape[0] * 84 - 4, shape[1] * 104 - 4, 3)


def test_an_image_gives_a_grid_of_one():
    assert face_grid(clip_from_arrays([GREY]), []).shape == GREY.shape


def test_a_grid_needs_a_row(clip):
    with pytest.raises(SettingsError, match="1 row and 1 column or more, got 0 x 3"):
        face_grid(clip, [], rows=0)


def test_grids_are_written_whole(clip, tmp_path):
    sheet = face_grid(clip, [track()])
    write_grid(tmp_path / "a.png", sheet)
    assert (cv2.imread(str(tmp_path / "a.png"))[..., ::-1] == sheet).all()
    with pytest.raises(SettingsError, match=r"\.png, \.jpg or \.webp"):
        write_grid(tmp_path / "a.txt", sheet)
    assert [file.name for file in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.parametrize("suffix", [".mp4", ".gif"])
def test_an_animation_plays_as_long_as_the_clip(clip, tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    write_animation(clip, [track()], path)
    with av.open(str(path)) as played:
        frames = [frame.to_ndarray(format="rgb24") for frame in played.decode(video=0)]
        assert float(played.duration / av.time_base) == pytest.approx(2.0, abs=0.2)
    assert len(frames) == 12 and frames[0].shape == (160, 200, 3)
    blue = np.abs(frames[5][65:115, 79:82].astype(int) - (66, 133, 244)).sum(axis=2).min(axis=1)
    assert np.median(blue) < 60


def test_an_animation_of_odd_and_changing_size(tmp_path):
    clip = clip_from_arrays([GREY[:151, :133], GREY[:99, :77], GREY])
    write_animation(clip, [], tmp_path / "a.mp4")
    with av.open(str(tmp_path / "a.mp4")) as played:
        assert [(f.width, f.height) for f in played.decode(video=0)] == [(132, 150)] * 3


def test_an_animation_of_another_kind_is_refused(clip, tmp_path):
    with pytest.raises(SettingsError, match=r"written as \.mp4 or \.gif"):
        write_animation(clip, [], tmp_path / "a.avi")


def test_crops_are_named_by_person_frame_and_time(tmp_path):
    images = np.zeros((2, 3, 8, 8), np.uint8)
    images[1, 0] = 200
    zeros = np.zeros((2, 4), np.float32), np.zeros((2, 5, 2), np.float32), np.zeros(2, np.float32)
    crops = Crops(3, np.array([0, 7]), np.array([0.0, 1.25]), images, *zeros)
    assert write_crops([crops], tmp_path / "new") == 2
    assert sorted(f.name for f in (tmp_path / "new").iterdir()) == [
        "person4_frame000_0.00s.png",
        "person4_frame007_1.25s.png",
    ]
    assert cv2.imread(str(tmp_path / "new" / "person4_frame007_1.25s.png"))[0, 0].tolist() == [0, 0, 200]


def test_notebooks_get_a_figure_and_an_animation(clip, tmp_path):
    import matplotlib

    matplotlib.use("agg")
    figure = show_faces(clip, rows=1, columns=2, settings=ScanSettings())
    figure.savefig(tmp_path / "faces.png")
    assert cv2.imread(str(tmp_path / "faces.png")).std() > 20
    animation = play_tracked(clip, [track()], side_px=100)
    animation.save(tmp_path / "a.gif", writer="pillow")
    assert (tmp_path / "a.gif").stat().st_size > 1000
