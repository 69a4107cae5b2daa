import cv2
import numpy as np
import pytest

from portraits import portrait
from unmask.config import TrackSettings
from unmask.errors import SettingsError
from unmask.faces.boxes import square_boxes
from unmask.faces.crop import cut_square
from unmask.faces.people import LOOK_PX, LOOK_SCALE, apply_policy, is_plausible, likeness, measure_life
from unmask.faces.track import link_faces
from unmask.reasons import because
from unmask.types import Face, Track
from unmask.video import clip_from_arrays

BOX = np.array([85, 35, 155, 125], np.float32)  # Eileen Collins in portrait()
POINTS = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]], np.float32)  # of the box
SMALL = because("small", px=9.0, least_px=32)
TIMES = [index / 4 for index in range(20)]


def face(box, look=None, confidence=0.99):
    box = np.asarray(box, np.float32)
    return Face(box, box[:2] + POINTS * (box[2:] - box[:2]), confidence, look)


def look(image, *, turn=0.0, zoom=1.0, shift=(0, 0), gain=1.0, noise=1.0, seed=0):
    """What the detector would keep of a portrait under a moving camera."""
    move = cv2.getRotationMatrix2D((120, 80), turn, zoom)
    move[:, 2] += shift
    seen = cv2.warpAffine(image, move, (240, 240), borderMode=cv2.BORDER_REPLICATE)
    seen = seen * gain + np.random.default_rng(seed).normal(0, noise, seen.shape)
    square = square_boxes(BOX[None], scale=LOOK_SCALE)[0]
    crop, _ = cut_square(np.clip(seen, 0, 255).astype(np.uint8), square, size_px=LOOK_PX)
    return cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)


def opened(image, amount):
    """The jaw dropped by some pixels."""
    y, x = np.mgrid[0:240, 0:240].astype(np.float32)
    drop = (
        amount
        * np.exp(-((x - 120) ** 2) / 500)
        / (1 + np.exp((100 - y) / 3))
        * np.exp(-((y - 110) ** 2) / 900)
    )
    return cv2.remap(image, x, y - drop, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


MOVES = [
    {
        "turn": 5 * np.sin(i),
        "zoom": 1 + 0.05 * np.sin(2 * i),
        "shift": (3 * np.cos(i), 2 * np.sin(i)),
        "seed": i,
    }
    for i in range(20)
]
PICTURE = [look(portrait(), **move) for move in MOVES]
LIVING = [look(opened(portrait(), 4 * np.sin(i)), **move) for i, move in enumerate(MOVES)]


def track(looks, *, id=0, left=100.0, top=100.0, side=60.0, sway=0.0, dropped=None):
    faces = tuple(
        face([left + sway * np.sin(i), top, left + side + sway * np.sin(i), top + side], view)
        for i, view in enumerate(looks)
    )
    return Track(id, tuple(range(len(faces))), faces, dropped)


def kept(tracks, **settings):
    return [t.id for t in apply_policy(tracks, TIMES, TrackSettings(**settings)) if t.kept]


def test_a_picture_does_not_change_and_a_face_does():
    still = measure_life(track(PICTURE).faces).change
    living = measure_life(track(LIVING).faces).change
    assert still < 0.05 and living > 0.07


def test_light_and_noise_are_no_life():
    flicker = [look(portrait(), gain=0.6 + 0.02 * i, noise=3, seed=i) for i in range(20)]
    assert measure_life(track(flicker).faces).change < 0.05


def test_proof_of_life_ends_the_search():
    assert measure_life(track(LIVING).faces, enough=0.01).frames == 1
    assert measure_life(track(PICTURE).faces).frames == 8


def test_too_few_looks_tell_nothing():
    assert measure_life(track([None] * 9).faces) is None
    assert measure_life(track(PICTURE[:1]).faces) is None


def test_a_picture_is_dropped_and_said_to_be_one():
    poster, person = apply_policy([track(PICTURE), track(LIVING, id=1, left=300)], TIMES, TrackSettings())
    assert person.kept and not person.picture
    assert poster.picture and poster.why_dropped.startswith("a picture of a face: it changes by 0.0")


def test_all_keeps_pictures_and_an_image_is_never_dropped():
    assert kept([track(PICTURE)], policy="all") == [0]
    assert kept([track(PICTURE[:1])]) == [0]


def test_a_short_look_is_not_enough_to_call_it_a_picture():
    assert kept([track(PICTURE[:8])]) == [0]  # 1.75 s
    assert kept([track(PICTURE[:10])], policy="moving") == []


def test_a_picture_alone_is_what_the_clip_shows():
    (alone,) = apply_policy([track(PICTURE)], TIMES, TrackSettings())
    assert alone.kept and alone.picture
    small = track(LIVING, id=1, dropped=SMALL)
    picture, dropped = apply_policy([track(PICTURE), small], TIMES, TrackSettings())
    assert picture.kept and picture.picture and dropped.dropped == SMALL
    assert kept([track(PICTURE)], policy="moving") == []


def test_largest_counts_the_living_only():
    tracks = [track(PICTURE, side=200), track(LIVING, id=1, side=50), track(LIVING, id=2, side=90)]
    assert kept(tracks, policy="largest") == [2]
    assert kept(tracks, policy="largest", largest=2) == [1, 2]


def test_a_face_on_a_shirt_moves_with_its_wearer():
    wearer = track(LIVING, sway=30)
    print_on_it = track(LIVING, id=1, top=220, left=105, side=50, sway=30)
    assert kept([wearer, print_on_it]) == [0]
    (_, dropped) = apply_policy([wearer, print_on_it], TIMES, TrackSettings())
    assert dropped.picture and "worn by person 1" in dropped.why_dropped


@pytest.mark.parametrize(
    "other",
    [{"sway": -30.0}, {"sway": 0.0}, {"left": 250.0, "sway": 30.0}, {"top": 500.0, "sway": 30.0}],
    ids=["moves against it", "rests", "stands beside", "is far below"],
)
def test_a_child_below_is_no_shirt(other):
    assert kept([track(LIVING, sway=30), track(LIVING, id=1, **{"top": 220.0, "side": 50.0} | other)]) == [
        0,
        1,
    ]


def test_two_who_sit_still_are_two():
    assert kept([track(LIVING), track(LIVING, id=1, top=220)]) == [0, 1]


def test_dropped_tracks_stay_as_they_are():
    (found,) = apply_policy([track(PICTURE, dropped=SMALL)], TIMES, TrackSettings())
    assert found.dropped == SMALL and not found.picture


@pytest.mark.parametrize("turn", [0, 45, 90, 180])
def test_key_points_of_a_face_are_plausible_at_any_turn(turn):
    points = cv2.transform(POINTS[None] * 100, cv2.getRotationMatrix2D((50, 55), turn, 1))[0]
    assert is_plausible(Face(np.array([0, 0, 100, 110], np.float32), points.astype(np.float32), 0.9))


@pytest.mark.parametrize(
    "order", [[1, 0, 2, 3, 4], [3, 4, 2, 0, 1], [0, 1, 2, 4, 3], [0, 0, 2, 3, 4], [2, 2, 2, 2, 2]]
)
def test_key_points_out_of_order_are_not(order):
    found = face([0, 0, 100, 110])
    swapped = found.points[order]
    if order == [3, 4, 2, 0, 1]:  # upside down is a turn, but not with the eyes in place of each other
        swapped = swapped[[1, 0, 2, 3, 4]]
    assert not is_plausible(Face(found.box, swapped, 0.9))


@pytest.mark.parametrize("settings", [{"policy": "some"}, {"largest": 0}, {"still_change": -1}])
def test_settings_say_what_they_may_be(settings):
    with pytest.raises(SettingsError, match="must be"):
        TrackSettings(**settings)


def test_a_cut_to_another_face_at_the_same_place_starts_a_track():
    other = [look(255 - portrait(), seed=i) for i in range(10)]
    faces = [[face([100, 100, 160, 160], view)] for view in LIVING[:10] + other]
    clip = clip_from_arrays([np.zeros((8, 8, 3), np.uint8)] * 20, TIMES)
    assert [track.frame_indices for track in link_faces(clip, faces, TrackSettings(policy="all"))] == [
        tuple(range(10)),
        tuple(range(10, 20)),
    ]
    assert likeness(face([0, 0, 9, 9]), faces[0][0]) is None
    assert likeness(faces[0][0], faces[1][0]) > 0.3 > likeness(faces[0][0], faces[19][0])


def test_a_face_that_runs_is_known_by_its_look():
    times = [index / 10 for index in range(6)]  # 1.5 sides in 0.1 s, more than a steady face may move
    clip = clip_from_arrays([np.zeros((8, 8, 3), np.uint8)] * 6, times)
    boxes = [[100 + 90 * i, 100, 160 + 90 * i, 160] for i in range(6)]

    def linked(looks):
        faces = [[face(box, view)] for box, view in zip(boxes, looks, strict=True)]
        return [len(track.faces) for track in link_faces(clip, faces, TrackSettings(policy="all"))]

    one, other = ([look(image, seed=i) for i in range(6)] for image in (portrait(), 255 - portrait()))
    assert linked(one) == [6]
    assert linked([*one[:3], *other[3:]]) == [3, 3]


def test_a_cut_ends_the_tracks_of_faces_that_look_a_little_alike():
    rng = np.random.default_rng(0)
    scenes = [cv2.resize(rng.integers(0, 256, (6, 6, 3), np.uint8), (96, 96)) for _ in range(2)]
    near, far = (look(portrait(), shift=shift, seed=i) for i, shift in enumerate([(0, 0), (20, 15)]))
    assert 0.05 < likeness(face([0, 0, 9, 9], near), face([0, 0, 9, 9], far)) < 0.5

    def linked(second):
        faces = [[face([100, 100, 160, 160], view)] for view in [near] * 4 + [far] * 4]
        clip = clip_from_arrays([scenes[0]] * 4 + [scenes[second]] * 4, TIMES[:8])
        return [len(track.faces) for track in link_faces(clip, faces, TrackSettings(policy="all"))]

    assert linked(0) == [8] and linked(1) == [4, 4]
