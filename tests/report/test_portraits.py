import cv2
import numpy as np

from judged_files import judged_file
from portraits import moving_views, write_clip
from unmask.report.portraits import FACE_PX, read_portraits, worst_frame
from unmask.video import open_film


def test_each_person_is_shown_in_the_frame_that_looks_worst(tmp_path):
    verdict, source, _ = judged_file(tmp_path)
    portraits, level = read_portraits(verdict, open_film(source))
    (found,) = portraits.items()
    assert 0 < level < 255
    assert found[0] == 0 and found[1][:3] == b"\xff\xd8\xff"
    shown = cv2.imdecode(np.frombuffer(found[1], np.uint8), cv2.IMREAD_COLOR)
    assert shown.shape == (FACE_PX, FACE_PX, 3) and shown.std() > 10
    worst = worst_frame(verdict.people[0])
    assert worst.p_fake == max(one.p_fake for one in verdict.people[0].frames if one.p_fake is not None)


def test_faces_of_a_dark_film_are_brightened_and_how_dark_it_is_is_told(tmp_path):
    verdict, source, _ = judged_file(tmp_path)
    views = [(0.15 * view).astype(np.uint8) for view in moving_views(24, brightness=60)]
    dark = write_clip(tmp_path / "dark.mp4", views)  # the same faces at the same times
    levels = []
    for file, darkness in ((source, False), (dark, True)):
        portraits, level = read_portraits(verdict, open_film(file))
        shown = cv2.imdecode(np.frombuffer(portraits[0], np.uint8), cv2.IMREAD_COLOR)
        assert shown.mean() > 60 and (level < 50) == darkness
        levels.append(level)
    assert levels[1] < 0.3 * levels[0]
