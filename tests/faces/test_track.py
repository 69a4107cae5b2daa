from dataclasses import replace

import cv2
import numpy as np
import pytest

from unmask.config import TrackSettings
from unmask.faces.track import link_faces
from unmask.types import Face
from unmask.video import clip_from_arrays

POINTS = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]], np.float32)  # of the box
BLACK = np.zeros((8, 8, 3), np.uint8)


def _face(left, top=100.0, side=60.0, confidence=0.99):
    box = np.array([left, top, left + side, top + side], np.float32)
    return Face(box, box[:2] + POINTS * (box[2:] - box[:2]), confidence)


def _link(faces, times=None, **settings):
    clip = clip_from_arrays([BLACK] * len(faces), times or [index / 3 for index in range(len(faces))])
    return link_faces(clip, faces, TrackSettings(**settings))


def test_two_people_are_two_tracks():
    tracks = _link([[_face(300 - index), _face(10 + index)] for index in range(30)])
    assert [track.id for track in tracks] == [0, 1]
    assert [float(track.faces[0].box[0]) for track in tracks] == [10, 300]  # from left to right
    assert all(track.frame_indices == tuple(range(30)) and track.kept for track in tracks)


def test_people_who_cross_keep_their_tracks():
    right = [_face(0 + 30 * index) for index in range(12)]
    left = [_face(345 - 30 * index, top=118) for index in range(12)]
    tracks = _link([list(pair) for pair in zip(right, left, strict=True)])
    assert len(tracks) == 2
    assert [face.box[1] for face in tracks[0].faces] == [100] * 12


def test_a_gap_is_bridged_and_a_long_one_is_not():
    seen = [[_face(10)] if not 5 <= index < 11 else [] for index in range(20)]
    assert len(_link(seen, max_gap_frames=6)) == 1
    assert len(_link(seen, max_gap_frames=5)) == 2


def test_coming_and_going_give_tracks_in_order_of_appearance():
    faces = [[] for _ in range(30)]
    for index in range(4, 30):
        faces[index] = [_face(200)]
    for index in range(12, 22):
        faces[index] = [_face(10), _face(200)]
    first, second = _link(faces)
    assert (first.frame_indices[0], second.frame_indices[0]) == (4, 12)
    assert second.frame_indices == tuple(range(12, 22))


def test_the_reach_grows_with_the_time_between_frames():
    leap = [[_face(0)], [_face(0)], [_face(70)], [_face(70)]]
    assert len(_link(leap, times=[0, 0.04, 0.08, 0.12])) == 2
    assert len(_link(leap, times=[0, 0.5, 1.0, 1.5])) == 1


def test_a_close_up_is_not_the_same_face_as_a_far_one():
    assert len(_link([[_face(0, side=60)]] * 4 + [[_face(0, side=180)]] * 4)) == 2


def test_one_face_found_twice_is_one_track():
    faces = [[_face(10)] for _ in range(30)]
    for index in (9, 10, 11):
        faces[index] = [_face(16, top=104, side=45, confidence=0.9), _face(10)]
    (track,) = _link(faces)
    assert len(track.faces) == 30
    assert all(face.confidence == 0.99 for face in track.faces)


@pytest.mark.parametrize(
    ("face", "seen", "reason"),
    [
        (_face(10), 2, "seen in 2 of 30 frames, at least 4 needed"),
        (_face(10, side=9), 30, "face is 9 px wide at the median, at least 12 px needed"),
        (_face(10, confidence=0.7), 30, "mean detection confidence 0.70, at least 0.80 needed"),
        (_face(10, confidence=0.91), 14, "mean detection confidence 0.91, at least 0.93 needed"),
    ],
)
def test_a_dropped_track_stays_with_its_reason(face, seen, reason):
    person = _face(300)
    person_and_other = [[person, face] if index < seen else [person] for index in range(30)]
    dropped, kept = _link(person_and_other)
    assert dropped.why_dropped == reason
    assert not dropped.kept
    assert kept.kept


@pytest.mark.parametrize(("frames", "needed"), [(1, 1), (2, 1), (4, 2), (30, 4), (100, 10)])
def test_how_often_a_person_must_be_seen(frames, needed):
    for seen, kept in [(needed, True), (needed - 1, False)]:
        tracks = _link([[_face(10)] if index < seen else [] for index in range(frames)])
        assert [track.kept for track in tracks] == ([kept] if seen else [])


def test_no_faces_no_tracks():
    assert _link([[], [], []]) == ()


def test_faces_must_fit_the_frames():
    with pytest.raises(ValueError, match="one entry a frame, got 1 for 2 frames"):
        link_faces(clip_from_arrays([BLACK] * 2), [[]], TrackSettings())


def test_key_points_that_are_no_face_drop_a_track():
    def odd(left):
        face = _face(left)
        return Face(face.box, face.points[[1, 0, 2, 3, 4]], face.confidence)

    (track,) = _link([[odd(10 + index)] for index in range(30)])
    assert track.why_dropped == "eyes, nose and mouth do not lie as in a face in 30 of 30 frames"


def _looking(left, seed, *, mixed=0.0):
    """A face that resembles others of its seed, and those of seed 0 by a share."""
    own, other = (
        cv2.resize(np.random.default_rng(n).normal(size=(6, 6)).astype(np.float32), (64, 64))
        for n in (seed, 0)
    )
    look = (1 - mixed) * own + mixed * other
    look = np.clip(128 + 60 * look / look.std(), 0, 255).astype(np.uint8)
    return replace(_face(left), look=look)


@pytest.mark.parametrize("frames", [3, 6, 10])
def test_a_face_that_slides_over_another_stays_its_own(frames):
    seconds = 3.0
    times = [(n + 0.5) * seconds / frames for n in range(frames)]
    stays = [_looking(100, 0) for _ in times]
    slides = [_looking(max(100, 420 - 250 * time), 5, mixed=0.45) for time in times]
    faces = [
        [old, new] if abs(new.box[0] - 100) > 80 else [new] for old, new in zip(stays, slides, strict=True)
    ]
    tracks = _link(faces, times)
    looks = [{face.look.tobytes() for face in track.faces} for track in tracks]
    assert all(len(look) == 1 for look in looks) and len(set().union(*looks)) == 2


def test_after_a_long_time_somebody_else_at_the_place_is_somebody_else():
    faces = [
        [_looking(100, 0)],
        [_looking(105, 0)],
        [_looking(100, 5, mixed=0.45)],
        [_looking(104, 5, mixed=0.45)],
    ]
    assert len(_link(faces, [0, 0.5, 1.0, 1.5])) == 2
    assert len(_link(faces, [0, 0.1, 0.2, 0.3])) == 1  # where it was a moment ago, it may have turned


def test_one_face_is_followed_over_a_long_time():
    assert len(_link([[_looking(100 + 20 * n, 3)] for n in range(6)], [1.5 * n for n in range(6)])) == 1
