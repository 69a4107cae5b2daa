import pytest

from films import film, person
from unmask.report.scale import WIDTH, Scale, of_film, of_person


def test_time_runs_evenly_through_a_film():
    scale = of_film(film([person(0, [(0, 0.0, 4.0, 0.5)])]))
    assert [scale.x(time) for time in (0.0, 20.0, 80.0, 99.0)] == [0.0, WIDTH / 4, WIDTH, WIDTH]


def test_somebody_who_is_seen_for_five_seconds_has_a_chart_of_five_seconds():
    scale = of_person(person(2, [(12, 48.0, 53.0, 0.99)]))
    assert (scale.start, scale.end, scale.seconds) == (48.0, 53.0, 5.0)


def test_the_time_between_two_short_appearances_is_left_out():
    scale = of_person(person(0, [(0, 0.0, 5.0, 0.5), (800, 3200.0, 3205.0, 0.5)]))
    assert scale.seconds == 10.0 and len(scale.pieces) == 2
    assert scale.x(5.0) < scale.x(3200.0) == pytest.approx(scale.x(5.0) + 14)
    assert scale.x(1000.0) == scale.x(5.0)  # what is left out has no place of its own


def test_who_is_seen_most_of_the_time_has_one_piece():
    assert len(of_person(person(0, [(i, 4.0 * i, 4.0 * i + 3, 0.5) for i in range(8)])).pieces) == 1


def test_one_frame_takes_a_second():
    assert Scale([(3.0, 3.0)]).pieces[0].start == 2.5


def test_the_page_gets_the_same_places():
    scale = Scale([(0.0, 1.0), (100.0, 101.0)])
    parts = [[float(value) for value in one.split(",")] for one in scale.data.split(";")]
    assert parts == [[0, 1, 0, 0.493], [100, 101, 0.507, 1]]
