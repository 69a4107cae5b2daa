from dataclasses import replace

import pytest

from films import film, interview, person
from unmask.report.moments import FACES, STRETCHES, faces_along, frames_of_stretches, moments


def test_each_moment_has_its_most_suspicious_face():
    found = moments(interview(), count=20)
    assert [one.person for one in found] == [2 if i == 12 else i % 2 for i in range(20)]
    assert found[12].p_fake == 0.99 and found[0].p_fake == pytest.approx(0.1)
    assert [one.start_seconds for one in found[:3]] == [0.0, 4.0, 8.0]


@pytest.mark.parametrize("order", [(0.3, 0.9), (0.9, 0.3)])
def test_of_two_at_once_the_more_suspicious_one_counts(order):
    both = film([person(i, [(0, 0.0, 4.0, p_fake)]) for i, p_fake in enumerate(order)], shots=1)
    assert {(one.person, one.p_fake) for one in moments(both)} == {(order.index(0.9), 0.9)}


def test_where_nobody_is_seen_nobody_is_told():
    alone = film([person(0, [(0, 0.0, 4.0, 0.9)])], shots=2)
    found = moments(alone, count=4)
    assert [one.person for one in found] == [0, 0, None, None] and found[3].p_fake == 0


def test_of_a_shot_with_a_suspicious_look_only_that_look_is_high():
    long = person(0, [(0, 0.0, 30.0, 0.1)])
    look = film([long], shots=1, seconds=30.0)
    (segment,) = film([person(0, [(0, 10.0, 20.0, 0.9)])]).segments
    found = moments(replace(look, segments=(segment,)), count=30)
    assert [round(one.p_fake, 3) for one in found] == [0.1] * 10 + [0.9] * 10 + [0.1] * 10


def test_a_picture_has_no_moments():
    assert moments(replace(interview(), end_seconds=0.0)) == [] and faces_along(interview())


def test_faces_along_a_film_are_in_order_and_the_worst_of_their_part():
    spots = faces_along(interview())
    assert len(spots) == FACES
    times = [spot.frame.time_seconds for spot in spots]
    assert times == sorted(times) and all(
        80 / FACES * i <= t <= 80 / FACES * (i + 1) for i, t in enumerate(times)
    )
    assert {spot.person for spot in spots if spot.p_fake > 0.5} == {2}


def test_a_frame_stands_for_each_stretch_of_the_first_ones():
    many = film([person(i, [(i, 4.0 * i, 4.0 * i + 4, 0.9 - i / 100)]) for i in range(20)])
    spots = frames_of_stretches(many)
    assert len(many.segments) == 20 and len(spots) == STRETCHES
    for segment, spot in zip(many.segments, spots, strict=False):
        assert spot.person == segment.person
        assert segment.start_seconds <= spot.frame.time_seconds <= segment.end_seconds


def test_an_hour_of_many_shots_takes_no_longer_than_a_moment():
    hour = [
        person(i, [(j, 4.0 * j, 4.0 * j + 4, 0.5) for j in range(i, 900, 30)], step=2.0) for i in range(30)
    ]
    verdict = film(hour, shots=900)
    assert len(moments(verdict)) == 400 and len(faces_along(verdict)) == FACES


def test_what_lies_mostly_in_another_part_does_not_stand_for_this_one():
    """A shot from 8 to 10.3 s of 80: its last tenths are the most suspicious of what comes after the cut."""
    early = person(0, [(0, 8.0, 10.3, 0.7)], step=0.1)
    late = person(1, [(1, 10.3, 20.0, 0.6)], step=0.1)
    spots = faces_along(film([early, late], shots=2, seconds=40.0))
    assert [(spot.person, spot.p_fake) for spot in spots] == [(0, 0.7), (1, 0.6)]


def test_a_long_look_stands_for_each_part_that_it_fills():
    whole, brief = person(0, [(0, 0.0, 80.0, 0.9)]), person(1, [(0, 30.0, 34.0, 0.95)])
    spots = faces_along(film([whole, brief], shots=2, seconds=40.0))
    assert [spot.person for spot in spots] == [0, 0, 0, 1, 0, 0, 0, 0]


def test_of_one_shot_the_three_who_stand_out_most_have_a_picture_each():
    people = [person(i, [(0, i / 4, 9.0, 0.3 + i / 10)]) for i in range(5)]
    spots = faces_along(film(people, shots=1, seconds=10.0))
    assert sorted(spot.person for spot in spots) == [2, 3, 4]
    assert [spot.frame.time_seconds for spot in spots] == sorted(spot.frame.time_seconds for spot in spots)
    assert len(faces_along(film(people[:1], shots=1, seconds=10.0))) == 1
