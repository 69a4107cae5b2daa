from dataclasses import replace

import numpy as np
import pytest

from films import LIMITS, film, person
from unmask.report import marks
from unmask.report.standing import Film
from unmask.report.words import Words
from unmask.video import clip_from_arrays


@pytest.fixture
def told(monkeypatch):
    """Labels that are written."""
    found = []
    monkeypatch.setattr(marks, "write_label", lambda image, lines, **_: found.extend(lines))
    return found


def marked(verdict, time, **options):
    frame = clip_from_arrays([np.full((160, 200, 3), 90, np.uint8)], [time]).frames[0]
    words = Words("en")
    return marks.Marker(verdict, Film(verdict, LIMITS, None, words), words).draw(
        frame, width=200, height=160, **options
    )


@pytest.mark.parametrize(("time", "who"), [(3.96, 1), (4.0, 2), (4.04, 2)])
def test_at_a_cut_only_the_faces_of_this_shot_have_boxes(told, time, who):
    before, after = person(0, [(0, 0.0, 3.96, 0.5)], step=0.99), person(1, [(1, 4.0, 8.0, 0.5)])
    marked(film([before, after], shots=2, seconds=4.0), time)
    assert told == [f"person {who}  50 %"]


def test_the_most_suspicious_is_named_first_and_so_at_its_box(told):
    people = [person(i, [(0, 0.0, 4.0, p_fake)]) for i, p_fake in enumerate((0.3, 0.9, 0.6))]
    marked(film(people, shots=1), 1.0)
    assert [one.partition("  ")[0] for one in told] == ["person 2", "person 3", "person 1"]


def test_in_the_picture_of_a_stretch_its_person_is_strong_and_the_others_are_pale(told):
    one, other = (person(i, [(0, 0.0, 4.0, 0.5)]) for i in range(2))
    right = tuple(replace(frame, box=(140.0, 0.0, 190.0, 120.0)) for frame in other.frames)
    drawn = marked(film([one, replace(other, frames=right)], shots=1), 1.0, of={0: 0.9})
    assert told == ["person 1  90 %"]
    strong, pale = (np.abs(drawn[60, x].astype(int) - 90).max() for x in (120, 140))
    assert strong > 2 * pale > 0


def test_a_dark_frame_is_drawn_bright(told):
    nobody = film([person(0, [(0, 3.0, 4.0, 0.5)])], shots=1)
    assert marked(nobody, 0.0, level=20.0).mean() > marked(nobody, 0.0).mean() + 30
