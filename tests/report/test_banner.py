import re
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
from unmask.report.told import tell
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
    said = "3 faces were found, 2 were judged. Person 3 (0.0 - 4.0 s): apparently a picture of a face"
    assert said in shown[0] and "Nothing is said of this face." in shown[0]
    assert "4 faces were found, 2 were judged." in shown[1] and "Nothing is said of these" in shown[1]
    assert "Person 5 (0.0 - 4.0 s): too small to be judged." in shown[1]
    assert "were found" not in shown[2]


@pytest.mark.parametrize(
    ("language", "said", "never"),
    [
        (
            "en",
            "2 faces were found, 1 was judged. Person 2 (0.0 - 4.0 s): not clear enough to be judged.",
            "most suspicious one",
        ),
        (
            "de",
            "2 Gesichter wurden gefunden, 1 wurde beurteilt. Person 2 (0,0 - 4,0 s): nicht klar",
            "am auff",
        ),
    ],
)
def test_of_two_faces_of_which_one_was_judged_both_are_told(card, language, said, never):
    unclear = left_out(1, because("doubtful", confidence=0.84, least=0.93))
    verdict = one_person([0.5, 0.4, 0.6, 0.5, 0.6, 0.5])
    one = replace(verdict, people=(*verdict.people, unclear))
    shown = banner(told_of(one, card, LIMITS, language=language))
    assert said in shown and never not in shown


def test_many_faces_that_were_not_judged_are_counted_by_cause(card):
    left = [left_out(i, because("lesser", count=40)) for i in range(2, 9)]
    verdict = film([person(i, [(0, 0.0, 4.0, 0.5)]) for i in range(2)], shots=1, looks=2)
    shown = banner(told_of(replace(verdict, people=(*verdict.people, *left)), card, LIMITS))
    assert "9 faces were found, 2 were judged. Not judged: not among the largest, so not judged (7)." in shown


def five_looks(**changes):
    """Five people, one a shot, of whom the last stands out by itself."""
    people = [
        person(i, [(i, 4.0 * i + 0.5, 4.0 * i + 3.5, 0.85 if i == 4 else 0.4 + i / 10)]) for i in range(5)
    ]
    whole = film(people, shots=5, looks=5, **changes)
    shots = whole.shots
    segments = [
        replace(one, start_seconds=shots[one.shot].start_seconds, end_seconds=shots[one.shot].end_seconds)
        for one in whole.segments
    ]
    return replace(whole, segments=tuple(segments))


def test_that_one_of_several_looks_suspicious_is_not_explained_away(card):
    """Chance is told as what may be, with how often, and by no message as a fact."""
    shown = banner(told_of(five_looks(), card, LIMITS))
    assert "one may look suspicious by chance" in shown and "one looks suspicious by chance" not in shown
    told = re.search(r"one of them gets this far in up to about (\d+) of 100 films", shown)
    share = card.calibration.reals_reaching(0.85)
    assert int(told[1]) == round(100 * 5 * share) and 0 < 5 * share < 1
    for texts in messages().values():
        assert not re.search(r"(one|it) (gets|looks|does)\b[^.]* by chance", texts["en"])
        assert not re.search(r"(fällt|kommt) einer zufällig", texts["de"])


def test_where_chance_bounds_nothing_no_number_is_told(card):
    shown = banner(told_of(replace(five_looks(), looks=500), card, LIMITS))
    assert "may look suspicious by chance" in shown and "of 100 films" not in shown


@pytest.mark.parametrize(
    ("language", "headline"),
    [("en", "One stretch looks suspicious by itself"), ("de", "Ein Abschnitt fällt")],
)
def test_the_headline_counts_what_stands_out_and_one_time_is_cited(card, language, headline):
    shown = banner(told_of(five_looks(), card, LIMITS, language=language))
    assert headline in shown
    comma = "," if language == "de" else "."
    first, own = shown.split("<small>", 2)[0] + shown.split("</small>", 1)[1].rpartition("<p><small>")[0], ""
    spans = set(re.findall(r"[\d.,]+ - [\d.,]+ s", first + own))
    assert spans == {f"16{comma}0 - 20{comma}0 s"}


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
        said = (
            "Fakes are often missed: of 2 kinds that the model had not learned from, it called at least half "
            "of the fakes manipulated in only 1."
        )
        assert (said in banner(told_of(verdict, measured, LIMITS))) == (outcome is not Outcome.FAKE)
        worse = replace(measured, scores={"strangers_a_found": few})
        none = "of the fakes manipulated in none." in banner(told_of(verdict, worse, LIMITS))
        assert none == (outcome is not Outcome.FAKE)
        assert "often missed" not in banner(told_of(verdict, card, LIMITS))
        own = ScanSettings(threshold=0.9)  # the card's figures are of its own threshold
        assert "often missed" not in banner(told_of(verdict, measured, LIMITS, settings=own))


@pytest.mark.parametrize(("language", "word"), [("en", "suspicious by itself"), ("de", "für sich auffällig")])
def test_who_stands_out_comes_first_and_the_others_by_number_without_a_ranking(card, language, word):
    told = tell(told_of(five_looks(), card, LIMITS, language=language))
    assert [one.id for one in told.people] == [4, 0, 1, 2, 3]
    assert [one.stands_out for one in told.people] == [True] + 4 * [False]
    first, *others = told.people
    assert (first.kind, first.mark, first.word) == ("alone", "△", word) and first.why
    assert {one.mark for one in others} == {"◆"} and not any(one.why for one in others)
    assert (told.real_at_most, told.fake_at_least) == (0.2, 0.8)
    assert told.light == "" and tell(told_of(five_looks(), card, LIMITS, seen=Seen(brightness=9.0))).light
