import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unmask.config import JudgeSettings
from unmask.errors import SettingsError
from unmask.judge.calibration import Calibration, Thresholds
from unmask.judge.reasons import most_suspicious
from unmask.judge.verdict import judge_person, rule, too_little, unreadable
from unmask.reasons import because, sentences
from unmask.types import Face, Track
from unmask.verdicts import Outcome, Person, PersonFrame

THRESHOLDS = Thresholds(fake_at_least=0.7, real_at_most=0.3)
SELDOM = because("seldom", seen=2, frames=30, least=4)
SETTINGS = JudgeSettings(min_frames=3, min_face_px=40)


def person(id, p_fake, *, frames=10, side=100.0, dropped=None, values=None):
    values = values or [p_fake] * frames
    box = (0.0, 0.0, side, side * 1.2)
    shown = tuple(PersonFrame(0.5 * i, box, ((0.0, 0.0),) * 5, 0.99, p) for i, p in enumerate(values))
    return Person(id, p_fake, dropped is None, None, shown, dropped=dropped)


def judged(*people, sampled_frames=10):
    thin = [too_little(one, SETTINGS, sampled_frames=sampled_frames) for one in people]
    return rule(people, Calibration(), THRESHOLDS, thin=thin, sampled_frames=sampled_frames)


def track(frames=3, dropped=None):
    face = Face(np.array([10, 20, 110.123, 140], np.float32), np.zeros((5, 2), np.float32), 0.98765)
    return Track(4, tuple(range(1, frames + 1)), (face,) * frames, dropped)


class TestAmongMany:
    @given(st.lists(st.floats(0, 1), min_size=1, max_size=50))
    def test_is_never_above_the_most_suspicious(self, values):
        assert 0 <= Calibration().among_many(values) <= max(values) + 1e-6

    def test_faces_that_are_alike_stay_as_they_are(self):
        assert Calibration().among_many([0.8] * 60) == pytest.approx(0.8, abs=1e-6)

    def test_one_that_stands_out_counts_less_among_more(self):
        found = [Calibration().among_many([0.95] + [0.2] * others) for others in (0, 2, 13, 59)]
        assert found == sorted(found, reverse=True) and found[-1] < 0.9

    @pytest.mark.parametrize("faces", [3, 4, 9, 14, 60])
    @pytest.mark.parametrize("shared", [0.0, 0.7])
    @pytest.mark.parametrize("freedom", [5, 1000])
    def test_false_alarms_stay_at_or_below_those_of_a_single_clip(self, faces, shared, freedom):
        # A scorer of known error rate: log odds of reals lie around -2, by Student's distribution or, with
        # many degrees of freedom, a normal one; faces of a file may be alike.
        scale = Calibration(real_mean=-2.0, real_std=2.0)
        rng = np.random.default_rng(faces)
        alike = rng.random((4000, 1)) < shared
        own, common = rng.standard_t(freedom, (4000, faces)), rng.standard_t(freedom, (4000, 1))
        odds = np.exp(-2 + 2 * np.where(alike, common, own))
        called = [scale.among_many(list(p)) >= 0.7 for p in odds / (1 + odds)]
        single = float((odds > 7 / 3).mean())
        assert 0.06 < single < 0.13
        assert np.mean(called) <= single + 2 * math.sqrt(single / 4000)
        assert shared or freedom > 5 or np.mean(called) > single / 2  # and it is no use to be far below

    def test_three_people_of_one_clip_are_many_and_two_are_not(self):
        two, three = ([person(i, p) for i, p in enumerate(ps)] for ps in ([0.71, 0.1], [0.71, 0.1, 0.1]))
        assert judged(*two).p_fake == 0.71
        found = judged(*three)
        assert found.outcome == Outcome.UNSURE and found.p_fake == Calibration().among_many([0.71, 0.1, 0.1])
        assert "by itself looks manipulated" in sentences(found.reasons)

    def test_a_face_may_be_so_sure_that_it_counts_among_many(self):
        assert judged(*(person(i, p) for i, p in enumerate([0.9999] + [0.1] * 200))).outcome == Outcome.FAKE
        assert judged(*(person(i, p) for i, p in enumerate([0.99] + [0.1] * 200))).outcome == Outcome.UNSURE


class TestCalibration:
    def test_is_a_sigmoid_of_the_shifted_and_cooled_logit(self):
        found = Calibration(temperature=3.0, bias=-0.5).probability(2.0)
        assert found == pytest.approx(1 / (1 + math.exp(-(2.0 - 0.5) / 3.0)), abs=1e-6)

    @given(st.floats(-1e30, 1e30), st.floats(1e-3, 1e3), st.floats(-1e3, 1e3))
    def test_always_gives_a_probability(self, logit, temperature, bias):
        assert 0 <= Calibration(temperature, bias).probability(logit) <= 1

    @pytest.mark.parametrize("temperature", [0.0, -1.0, math.nan, math.inf])
    def test_refuses_a_useless_temperature(self, temperature):
        with pytest.raises(SettingsError, match="temperature must be a number above 0"):
            Calibration(temperature, 0.0)

    def test_refuses_a_bias_that_is_no_number(self):
        with pytest.raises(SettingsError, match="bias must be a finite number"):
            Calibration(1.0, math.nan)


class TestThresholds:
    @pytest.mark.parametrize(
        ("p_fake", "outcome"),
        [
            (1.0, "fake"),
            (0.7, "fake"),
            (0.699999, "unsure"),
            (0.300001, "unsure"),
            (0.3, "real"),
            (0.0, "real"),
        ],
    )
    def test_limits_belong_to_the_words(self, p_fake, outcome):
        assert THRESHOLDS.outcome(p_fake) == outcome

    @pytest.mark.parametrize(
        "values", [(0.3, 0.7), (1.1, 0.3), (0.7, -0.1), (math.nan, 0.3), (0.7, math.nan)]
    )
    def test_refuses_what_does_not_rise_within_0_and_1(self, values):
        with pytest.raises(SettingsError, match="0 <= real_at_most <= fake_at_least <= 1"):
            Thresholds(*values)

    def test_a_moved_fake_threshold_keeps_real(self):
        assert THRESHOLDS.with_fake_at_least(0.9) == Thresholds(0.9, 0.3)

    def test_a_fake_threshold_below_real_leaves_no_unsure(self):
        moved = THRESHOLDS.with_fake_at_least(0.1)
        assert [moved.outcome(p) for p in (0.09, 0.1, 0.11)] == ["real", "fake", "fake"]

    @pytest.mark.parametrize("threshold", [-0.1, 1.1, math.nan])
    def test_refuses_a_threshold_outside(self, threshold):
        with pytest.raises(SettingsError, match="threshold must be 0 to 1"):
            THRESHOLDS.with_fake_at_least(threshold)


class TestJudgePerson:
    times = (0.0, 1.0, 2.0, 3.0)

    def test_averages_logits_not_probabilities(self):
        found = judge_person(track(), self.times, {1: -2.0, 2: 0.0, 3: 4.0}, Calibration())
        assert found.p_fake == Calibration().probability(2 / 3)
        assert [f.p_fake for f in found.frames] == [Calibration().probability(v) for v in (-2.0, 0.0, 4.0)]

    def test_shows_its_evidence_in_plain_numbers(self):
        frame = judge_person(track(), self.times, {1: 0.0, 2: 0.0, 3: 0.0}, Calibration()).frames[0]
        assert frame == PersonFrame(1.0, (10.0, 20.0, 110.12, 140.0), ((0.0, 0.0),) * 5, 0.9877, 0.5)
        assert {type(v) for v in (*frame.box, frame.confidence, frame.time_seconds)} == {float}

    def test_counts_only_frames_that_were_scored(self):
        found = judge_person(track(), self.times, {2: 1.0}, Calibration())
        assert found.p_fake == Calibration().probability(1.0)
        assert [f.p_fake is None for f in found.frames] == [True, False, True]

    def test_a_dropped_track_keeps_its_reason_and_gets_no_number(self):
        found = judge_person(track(dropped=SELDOM), self.times, {}, Calibration())
        assert (found.kept, found.dropped, found.p_fake) == (False, SELDOM, None)

    def test_a_person_without_any_score_is_dropped(self):
        found = judge_person(track(), self.times, {}, Calibration())
        assert (found.kept, found.why_dropped) == (False, "none of its frames could be scored")

    def test_refuses_logits_that_are_no_numbers(self):
        with pytest.raises(ValueError, match="finite"):
            judge_person(track(), self.times, {1: math.nan}, Calibration())


class TestRule:
    def test_fake_says_who_and_when(self):
        values = [0.5, 0.5, 0.9, 0.95, 0.9, 0.5]
        found = judged(person(0, 0.1), person(1, 0.8, values=values))
        assert (found.outcome, found.p_fake) == (Outcome.FAKE, 0.8)
        assert sentences(found.reasons) == "person 2 looks manipulated, most clearly at 1.0-2.0 s"

    def test_real_says_how_much_was_seen(self):
        found = judged(person(0, 0.2))
        assert (found.outcome, found.p_fake) == (Outcome.REAL, 0.2)
        assert sentences(found.reasons) == "person 1 shows no clear sign of manipulation in 10 frames"

    def test_real_needs_everyone(self):
        found = judged(person(0, 0.1), person(1, 0.2))
        assert found.p_fake == 0.2
        assert sentences(found.reasons).startswith(
            "none of 2 people shows a clear sign of manipulation; person 2 comes"
        )

    def test_unsure_names_the_limits(self):
        found = judged(person(0, 0.5))
        assert (found.outcome, found.p_fake) == (Outcome.UNSURE, 0.5)
        assert "person 1 is neither" in sentences(found.reasons)
        assert "between 0.3 and 0.7" in sentences(found.reasons)

    def test_nobody_is_no_face_without_a_number(self):
        found = judged(sampled_frames=30)
        assert (found.outcome, found.p_fake) == (Outcome.NO_FACE, None)
        assert sentences(found.reasons) == "no face was found in any of the 30 sampled frames"

    def test_only_dropped_is_no_face_with_the_reason(self):
        found = judged(person(0, None, frames=2, dropped=SELDOM))
        assert (found.outcome, found.p_fake) == (Outcome.NO_FACE, None)
        assert "1 candidate dropped, the longest because seen in 2 of 30 frames" in sentences(found.reasons)

    def test_too_few_frames_are_unsure_and_keep_the_number(self):
        found = judged(person(0, 0.9, frames=2))
        assert (found.outcome, found.p_fake) == (Outcome.UNSURE, 0.9)
        assert sentences(found.reasons) == "too little to judge by: person 1 was seen in only 2 of 10 frames"

    def test_a_still_picture_can_be_judged(self):
        assert judged(person(0, 0.9, frames=1), sampled_frames=1).outcome == Outcome.FAKE

    def test_too_small_faces_are_unsure(self):
        found = judged(person(0, 0.1, side=30))
        assert (found.outcome, found.p_fake) == (Outcome.UNSURE, 0.1)
        assert sentences(found.reasons) == "too little to judge by: person 1 has a face of only 30 pixels"

    def test_a_large_face_without_detail_is_unsure(self):
        blown_up = replace(person(0, 0.9, side=128), detail_px=34.0)
        found = judged(blown_up)
        assert (found.outcome, found.p_fake) == (Outcome.UNSURE, 0.9)
        assert "person 1 has a face of 128 pixels with the detail of only 34" in sentences(found.reasons)
        assert judged(replace(blown_up, detail_px=60.0)).outcome == Outcome.FAKE

    @pytest.mark.parametrize("p_fake", [0.05, 0.95])
    def test_of_a_drawn_face_nothing_is_said(self, p_fake):
        found = judged(replace(person(0, p_fake), drawn=True))
        assert (found.outcome, found.p_fake) == (Outcome.UNSURE, p_fake)
        assert sentences(found.reasons).startswith("person 1 may not be a photographed person")

    def test_a_drawn_face_beside_a_person_hides_and_makes_no_fake(self):
        drawn = replace(person(1, 0.95), drawn=True)
        assert judged(person(0, 0.9), drawn).outcome == Outcome.FAKE
        found = judged(person(0, 0.1), drawn)
        assert found.outcome == Outcome.UNSURE and found.reasons[0].code == "drawn"
        assert judged(person(0, 0.1), replace(drawn, p_fake=0.2)).outcome == Outcome.REAL

    def test_someone_thin_who_looks_real_changes_nothing(self):
        assert judged(person(0, 0.2), person(1, 0.25, frames=2)).outcome == Outcome.REAL

    def test_someone_thin_who_looks_fake_makes_a_real_clip_unsure(self):
        found = judged(person(0, 0.2), person(1, 0.9, frames=2))
        assert (found.outcome, found.p_fake) == (Outcome.UNSURE, 0.9)

    def test_someone_thin_does_not_hide_a_credible_fake(self):
        found = judged(person(0, 0.8), person(1, 0.9, frames=2))
        assert (found.outcome, found.p_fake) == (Outcome.FAKE, 0.8)

    @given(st.lists(st.tuples(st.floats(0, 1), st.integers(1, 12), st.floats(10, 200)), max_size=4))
    def test_a_number_comes_exactly_with_three_outcomes(self, people):
        found = judged(
            *(person(i, p, frames=n, side=s) for i, (p, n, s) in enumerate(people)), sampled_frames=12
        )
        assert found.outcome.has_number == (found.p_fake is not None)
        assert sentences(found.reasons) and "\n" not in sentences(found.reasons)


class TestMostSuspicious:
    def test_frames_that_were_not_scored_say_nothing_of_when(self):
        frames = person(0, 0.5, values=[0.2, 0.9, 0.9, 0.2]).frames
        gaps = [replace(frames[0], time_seconds=t, p_fake=None) for t in (0.25, 0.75, 1.25)]
        mixed = sorted([*frames, *gaps], key=lambda frame: frame.time_seconds)
        assert most_suspicious(mixed) == most_suspicious(frames) == (0.5, 1.0)

    @pytest.mark.parametrize(
        ("values", "span"),
        [
            ([0.5], (0.0, 0.0)),
            ([0.5] * 4, (0.0, 1.5)),
            ([0.1, 0.1, 0.9, 0.1], (1.0, 1.0)),
            ([0.9, 0.9, 0.1, 0.1], (0.0, 0.5)),
            ([0.1, 0.8, 0.6, 0.9, 0.1], (0.5, 1.5)),
        ],
    )
    def test_finds_the_run_above_average(self, values, span):
        assert most_suspicious(person(0, 0.5, values=values).frames) == span

    @given(st.lists(st.floats(0, 1), min_size=1, max_size=7))
    def test_no_other_run_stands_out_more(self, values):
        first, last = (round(2 * t) for t in most_suspicious(person(0, 0.5, values=values).frames))
        excess = np.array(values) - np.mean(values)
        best = max(excess[i:j].sum() for i in range(len(values)) for j in range(i + 1, len(values) + 1))
        assert excess[first : last + 1].sum() >= best - 1e-5


def test_unreadable_carries_no_number():
    from unmask.verdicts import ModelName

    found = unreadable(
        "x.mp4", because("unreadable", text="empty file"), ModelName("tiny", "0" * 64), damaged=True
    )
    assert (found.outcome, found.p_fake, found.damaged, found.people) == ("unreadable", None, True, ())
    assert found.to_dict()["seconds"] == {"decode": 0.0, "detect": 0.0, "score": 0.0, "total": 0.0}
