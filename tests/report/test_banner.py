from dataclasses import replace

import pytest

from films import LIMITS, film, person
from judged_files import told_of
from unmask.config import ScanSettings
from unmask.judge.card import Score
from unmask.reasons import because
from unmask.report.banner import banner
from unmask.report.cautions import found_cautions
from unmask.report.seen import Seen
from unmask.report.words import Words, messages
from unmask.verdicts import Outcome


@pytest.fixture(scope="module")
def card(tmp_path_factory):
    from tiny_model import write_tiny_model
    from unmask.judge.card import read_card

    return read_card(write_tiny_model(tmp_path_factory.mktemp("model")))


def one_person(scores, *, outcome=Outcome.UNSURE):
    """A clip of one person with these scores, one a second."""
    somebody = person(0, [(0, 0.0, len(scores) - 1.0, 0.5)], step=1.0)
    frames = tuple(
        replace(frame, p_fake=p_fake) for frame, p_fake in zip(somebody.frames, scores, strict=True)
    )
    whole = film([replace(somebody, frames=frames)], shots=1, seconds=len(scores), looks=1, outcome=outcome)
    return replace(whole, reasons=(), reason="told otherwise")


def test_a_highest_frame_outside_the_stretch_that_stands_out_is_told(card):
    shown = banner(told_of(one_person([0.88, 0.77, 0.47, 0.6, 0.63, 0.90]), card, LIMITS))
    assert "most of all at 0.0 - 1.0 s." in shown and "highest single frame is at 5.0 s (90\u00a0%)" in shown
    within = banner(told_of(one_person([0.95, 0.77, 0.47, 0.6, 0.63, 0.60]), card, LIMITS))
    assert "most of all at" in within and "single frame" not in within


def left_out(number, reason):
    """Somebody who was found and not judged."""
    return replace(person(number, [(0, 0.0, 4.0, 0.5)]), p_fake=None, kept=False, dropped=reason)


def test_faces_that_were_not_judged_are_counted_with_their_cause(card):
    judged = tuple(person(i, [(0, 0.0, 4.0, 0.5)]) for i in range(2))
    verdict = film(judged, shots=1, looks=2)
    poster = left_out(2, because("picture", change=0.04, least=0.05))
    passing = left_out(3, because("seldom", seen=1, frames=10, least=4))
    small = left_out(4, because("small", px=12.0, least_px=20.0))
    shown = [
        banner(told_of(replace(verdict, people=(*judged, *more)), card, LIMITS))
        for more in ((poster, passing), (poster, small), (passing,))
    ]
    assert "1 of 3 faces was not judged: apparently a picture of a face" in shown[0]
    assert "2 of 4 faces were not judged" in shown[1] and "too small (1)" in shown[1]
    assert "not judged" not in shown[2]


@pytest.mark.parametrize("outcome", [Outcome.FAKE, Outcome.REAL])
def test_what_weakens_a_clear_verdict_is_named_in_the_banner(card, outcome):
    verdict, dark = one_person([0.9] * 6, outcome=outcome), Seen(brightness=5.0)
    shown = banner(told_of(verdict, card, LIMITS, seen=dark))
    assert "Take it with caution: the picture is dark." in shown
    assert "with caution" not in banner(told_of(verdict, card, LIMITS, seen=Seen(brightness=120.0)))
    unsure = replace(verdict, outcome=Outcome.UNSURE)
    assert "with caution" not in banner(told_of(unsure, card, LIMITS, seen=dark))


def test_every_caution_has_words_for_the_banner_too(card):
    worse = replace(one_person([0.9] * 3), partial=True, damaged=True, start_seconds=1.0)
    found = found_cautions(worse, Seen(brightness=5.0), None, Words("de"))
    assert {one.code for one in found} >= {"partial", "part", "damaged", "few", "dark", "no_card"}
    sentences = {key.removeprefix("caution_") for key in messages() if key.startswith("caution_")}
    assert sentences == {key.removeprefix("weak_") for key in messages() if key.startswith("weak_")}


def test_how_many_fakes_are_missed_is_told_where_none_was_found(card):
    few, many = Score(0.25, 0.1, 0.4, 1200), Score(0.8, 0.5, 1.0, 6)
    measured = replace(card, scores={"strangers_a_found": few, "strangers_b_found": many, "auc": many})
    for outcome in (Outcome.REAL, Outcome.UNSURE, Outcome.FAKE):
        verdict = one_person([0.5] * 6, outcome=outcome)
        told = "Many fakes are missed: of 2 kinds" in (shown := banner(told_of(verdict, measured, LIMITS)))
        assert told == (outcome is not Outcome.FAKE)
        assert ("in 1 (25 to 80 of 100, by kind; measured on 1,206 fakes)" in shown) == told
        assert "are missed" not in banner(told_of(verdict, card, LIMITS))
        own = ScanSettings(threshold=0.9)  # the card's figures are of its own threshold
        assert "are missed" not in banner(told_of(verdict, measured, LIMITS, settings=own))
