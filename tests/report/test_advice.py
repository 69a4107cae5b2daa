from dataclasses import replace

import pytest

from films import LIMITS, film, interview, person
from judged_files import told_of
from unmask.judge.card import read_card
from unmask.report.advice import advice
from unmask.report.banner import banner
from unmask.report.seen import Facts, Seen
from unmask.verdicts import Outcome

FACTS = Facts("0" * 64, 1, "mp4", "h264", 640, 360)
BRIGHT, DARK = Seen(facts=FACTS, brightness=120.0), Seen(facts=FACTS, brightness=20.0)


@pytest.fixture(scope="module")
def card(tmp_path_factory):
    from tiny_model import write_tiny_model

    return read_card(write_tiny_model(tmp_path_factory.mktemp("model")))


@pytest.fixture
def told(card):
    def tell(verdict, seen=BRIGHT, language="en"):
        return " ".join(advice(told_of(verdict, card, LIMITS, seen=seen, language=language)))

    return tell


def clip(outcome=Outcome.UNSURE, *, frames=20):
    """One person in one shot, who stands out from 4 s on."""
    somebody = person(0, [(0, 0.0, frames / 2 - 0.5, 0.5)])
    late = [replace(one, p_fake=0.6 if one.time_seconds >= 4 else 0.4) for one in somebody.frames]
    one = film([replace(somebody, frames=tuple(late))], shots=1, seconds=10.0, looks=1, outcome=outcome)
    return replace(one, reasons=(), reason="told otherwise")


def test_whoever_is_to_be_watched_is_named_with_the_time(told):
    assert "Watch person 1 yourself, most of all at 4.0 - 9.5 s." in told(clip())
    assert "Watch person 1 yourself, most of all at 4.0 - 9.5 s." in told(clip(Outcome.FAKE))
    assert "Watch" not in told(clip(Outcome.REAL)) and "watch" not in told(clip(Outcome.REAL))
    assert "One stretch stands out by itself: watch it yourself, person 3 at 48.0 - 52.0 s." in told(
        interview()
    )


def test_in_a_film_without_a_sign_the_stretches_that_are_not_clear_are_named(told):
    people = [person(i, [(i, 4.0 * i, 4.0 * i + 4, 0.5 + i / 100)]) for i in range(5)]
    real = film(people, outcome=Outcome.REAL, p_fake=0.1)
    assert "No stretch stands out by itself. In 5 it cannot be told" in told(real)
    assert "begin with person 5 at 16.0 - 20.0 s" in told(real)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (
            "en",
            (
                "One stretch stands out by itself: watch it yourself, person 5 at 16.0 - 20.0 s. "
                "In 4 other stretches it cannot be told, which speaks neither for nor against",
                "2 stretches stand out by themselves: watch them yourself, first person 5 at 16.0 - 20.0 s. "
                "In 3 other stretches it cannot be told",
                "4 stretches stand out by themselves: watch them yourself, first person 5 at 16.0 - 20.0 s. "
                "In one other stretch it cannot be told",
            ),
        ),
        ("de", ("Ein Abschnitt fällt für sich auf", "2 Abschnitte fallen für sich auf", "einem weiteren")),
    ],
)
def test_what_stands_out_is_counted_apart_from_that_of_which_it_cannot_be_told(told, language, said):
    for count, sentence in zip((1, 2, 4), said, strict=True):
        people = [
            person(i, [(i, 4.0 * i, 4.0 * i + 4, (0.9 if i >= 5 - count else 0.5) + i / 100)])
            for i in range(5)
        ]
        assert sentence in told(film(people, looks=5), language=language)


def test_of_many_faces_at_once_those_that_stand_out_are_counted_alone(told):
    people = [person(i, [(0, 0.0, 4.0, 0.9 if i == 2 else 0.5)]) for i in range(5)]
    said = told(film(people, shots=1, looks=5))
    assert "One face stands out by itself: watch it yourself, person 3, most of all at" in said
    assert "Of 4 other faces it cannot be told" in said


def test_without_knowing_the_light_no_hope_is_taken_away(told):
    assert "give no hope" not in told(clip(), Seen()) and "ask another detector" in told(clip(), Seen())


@pytest.mark.parametrize("outcome", [Outcome.UNSURE, Outcome.FAKE, Outcome.REAL])
def test_what_stands_in_the_way_is_told_where_it_does(told, outcome):
    assert "The picture is dark: a brighter recording" in told(clip(outcome), DARK)
    assert "seen in few frames" in told(clip(outcome, frames=4)) and "dark" not in told(clip(outcome))
    assert ("give no hope that another copy" in told(clip(outcome))) == (outcome is Outcome.UNSURE)
    assert "give no hope" not in told(clip(outcome), DARK)


@pytest.mark.parametrize("language", ["en", "de"])
def test_films_with_other_findings_get_other_advice(told, language):
    films = [clip(), clip(Outcome.REAL), clip(Outcome.FAKE), interview(), replace(clip(), damaged=True)]
    assert len({told(one, language=language) for one in (*films,)}) == len(films)
    assert told(clip(), DARK, language) != told(clip(), BRIGHT, language)


def test_the_banner_tells_it_and_within_the_page_only_what_that_does_not_say_itself(card):
    shown = banner(told_of(clip(), card, LIMITS, seen=DARK))
    assert '<p class="advice"><b>What to do:</b> <span class="worth">Take this neither' in shown
    nobody = replace(clip(), outcome=Outcome.NO_FACE, people=(), p_fake=None, segments=())
    assert 'class="advice"' not in banner(told_of(nobody, card, LIMITS))
