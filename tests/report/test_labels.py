import itertools

import numpy as np

from unmask.report.labels import Area, write_label

RED, BLUE = (200, 30, 30), (30, 30, 200)


def ground(height=200, width=300):
    return np.full((height, width, 3), 100, np.uint8)


def placed(image, boxes, **more):
    taken = []
    for box in boxes:
        taken.append(write_label(image, ["person 1  50 %"], beside=box, colour=RED, taken=taken, **more))
    return taken


def apart(areas):
    return not any(one.shared(other) for one, other in itertools.combinations(areas, 2))


def test_words_stand_above_their_box_where_there_is_room():
    image = ground()
    area = write_label(image, ["person 1"], beside=Area(50, 100, 120, 170), colour=RED)
    assert (area.left, area.bottom) == (50, 100)
    assert (image[area.top, area.left] == RED).all() and (image[area.bottom, area.left] == 100).all()


def test_no_label_covers_another_where_boxes_overlap():
    same = [Area(80, 80, 150, 150)] * 5
    crowd = [Area(20 * i, 60 + 5 * i, 20 * i + 70, 130 + 5 * i) for i in range(6)]
    assert apart(placed(ground(), same)) and apart(placed(ground(), crowd))


def test_a_face_at_the_upper_edge_is_not_covered_by_its_own_words():
    box = Area(40, 0, 110, 80)
    assert write_label(ground(), ["person 1"], beside=box, colour=RED).shared(box) == 0


def test_words_keep_off_the_faces_of_others():
    other = Area(50, 60, 130, 99)  # right above
    area = write_label(ground(), ["person 1"], beside=Area(50, 100, 120, 170), colour=RED, faces=[other])
    assert area.shared(other) == 0


def test_without_a_free_place_the_words_lie_within_the_picture_all_the_same():
    image = ground(24, 60)
    areas = placed(image, [Area(-500, -500, 900, 900)] * 3)
    assert all(area.left == 0 and area.top >= 0 for area in areas)
    write_label(ground(2, 2), ["person 1"], beside=Area(0, 0, 2, 2), colour=BLUE)
