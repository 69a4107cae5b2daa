import re
from dataclasses import replace
from pathlib import Path

import pytest

from films import LIMITS, film, interview, person
from judged_files import told_of
from unmask.judge.calibration import Calibration
from unmask.reasons import because
from unmask.report.advice import advice, advice_key
from unmask.report.page import report_page
from unmask.report.standing import ALONE, Film, is_among_many
from unmask.report.told import headline_key
from unmask.report.words import Words, messages
from unmask.verdicts import Outcome

CALIBRATION = Calibration(real_mean=-2.0, real_std=1.5)


@pytest.fixture
def card(tmp_path):
    from tiny_model import write_tiny_model
    from unmask.judge.card import read_card

    return replace(read_card(write_tiny_model(tmp_path)), calibration=CALIBRATION)


def test_what_is_suspicious_by_itself_and_not_among_all_is_not_called_manipulated(card):
    verdict = interview()
    found = Film(verdict, LIMITS, card, Words("en"))
    assert found.looks == 58 and found.needed > 0.99
    standing = found.standing(2, 0.99)
    assert standing.kind == ALONE and "Among 58 looks" in standing.why and "80\u00a0%" in standing.why
    assert found.standing(0, 0.1).kind == Outcome.REAL and found.standing(0, 0.5).kind == Outcome.UNSURE


def test_in_a_film_that_is_fake_the_one_who_decides_is_and_others_must_stand_out(card):
    verdict = replace(interview(), outcome=Outcome.FAKE, p_fake=0.9)
    found = Film(verdict, LIMITS, card, Words("en"))
    assert found.standing(2, 0.99).kind == Outcome.FAKE
    assert found.standing(0, 0.85).kind == ALONE and found.standing(0, 0.99).kind == Outcome.FAKE


def test_of_two_people_in_one_shot_each_counts_by_itself(card):
    verdict = film([person(0, [(0, 0.0, 4.0, 0.9)])], shots=1, looks=2, outcome=Outcome.FAKE, p_fake=0.9)
    assert not is_among_many(verdict)
    found = Film(verdict, LIMITS, card, Words("en"))
    assert found.needed == LIMITS.fake_at_least and found.standing(0, 0.85).kind == Outcome.FAKE


@pytest.mark.parametrize(
    ("reason", "why", "todo"),
    [
        (
            because("too_little", person=2, why=because("small_face", px=30.0)),
            "too little",
            "higher resolution",
        ),
        (
            because("too_little", person=2, why=because("few_frames", seen=3, frames=30)),
            "3 of 30",
            "--frames",
        ),
        (because("drawn", person=2), "drawn, painted or rendered", "No other copy helps"),
        (because("disagree", said=()), "Another model", "person 3 at 48.0"),
    ],
)
def test_why_it_does_not_count_and_what_to_do_fit_the_cause(card, reason, why, todo):
    verdict = replace(interview(), reasons=(reason,))
    assert why in Film(verdict, LIMITS, card, Words("en")).standing(2, 0.99).why
    assert todo in " ".join(advice(told_of(verdict, card, LIMITS)))
    assert headline_key(verdict) == f"headline_{reason.code}"


def test_a_longer_copy_is_not_advised_where_looks_are_many():
    told = messages()[advice_key(interview())]["en"]
    assert "longer copy would not help" in told
    assert "longer" not in messages()["meaning_unsure"]["en"]


@pytest.mark.parametrize("language", ["en", "de"])
def test_headline_and_people_do_not_contradict_each_other(card, tmp_path, language):
    story = told_of(interview(), card, LIMITS, language=language)
    page = report_page(story, Path("film.mp4"), folder=None)
    words = Words(language)
    assert words("headline_by_chance_one") in page
    body = page.partition("<body>")[2]
    assert not re.search(r'<(?:h3|span) class="(?:outcome )?fake"', body) and "▲" not in body
    heading = re.search(r'<h3 class="(\w+)">([^<]*)</h3>(.*?)<div', page)
    assert heading[1] == ALONE and words("word_alone") in heading[2] and "58" in heading[3]
