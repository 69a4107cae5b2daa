"""A stretch that was chosen is judged as one of the looks that it was chosen from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from portraits import moving_views, write_clip
from tiny_model import write_tiny_model
from unmask.config import ScanSettings
from unmask.errors import DataError, SettingsError
from unmask.judge.calibration import Calibration, Thresholds, from_log_odds
from unmask.judge.card import SHIPPED, WEIGHTS, read_card
from unmask.judge.chosen import as_chosen, examining, looks_of
from unmask.judge.verdict import Ruling
from unmask.pipeline import load_scanner
from unmask.reasons import because
from unmask.verdicts import Outcome, Shot

FPS = 12
CALIBRATION, THRESHOLDS = Calibration(real_mean=-0.6, real_std=1.0), Thresholds(0.81, 0.19)
FAKE = because("manipulated", person=2, start_seconds=48.4, end_seconds=53.6)


def ruling(p_fake, looks=1):
    outcome = THRESHOLDS.outcome(p_fake)
    return Ruling(outcome, p_fake, (FAKE,) if outcome is Outcome.FAKE else (), looks)


def test_the_same_seconds_count_the_same_however_they_were_cut_out():
    """Within the film, within half a minute of six looks, or alone: one of the same 58 looks each time."""
    p_fake, others = 0.985, [0.2] * 5
    alone = as_chosen(ruling(p_fake), CALIBRATION, THRESHOLDS, among=58)
    within = CALIBRATION.among_many([p_fake, *others])
    part = as_chosen(ruling(within, looks=6), CALIBRATION, THRESHOLDS, among=58)
    film = CALIBRATION.among_many([p_fake] + [0.2] * 57)
    assert THRESHOLDS.outcome(p_fake) is Outcome.FAKE
    assert [one.outcome for one in (alone, part)] == [Outcome.UNSURE] * 2
    assert [alone.p_fake, part.p_fake] == pytest.approx([film] * 2, abs=1e-4)
    assert (alone.looks, part.looks) == (58, 58)
    assert alone.reasons[0].code == "by_chance" and alone.reasons[0].values["faces"] == 58
    assert alone.reasons[-1].values == {"looks": 58, "p_fake": 0.985}


def test_what_stands_out_among_all_looks_stays_fake():
    found = as_chosen(ruling(0.9999), CALIBRATION, THRESHOLDS, among=58)
    assert found.outcome is Outcome.FAKE and found.reasons[0] == FAKE


@pytest.mark.parametrize("p_fake", [0.02, 0.19, 0.2, 0.5, 0.8])
def test_a_choice_makes_nothing_real_and_nothing_fake(p_fake):
    before = ruling(p_fake)
    found = as_chosen(before, CALIBRATION, THRESHOLDS, among=500)
    assert found.outcome is before.outcome is THRESHOLDS.outcome(found.p_fake)
    assert found.p_fake <= p_fake


def test_real_stretches_are_called_fake_no_more_often_than_the_single_clips_of_the_calibration():
    """The most suspicious of 40 looks at real faces, whose frames are looked at once more and agree."""
    draw = np.random.default_rng(7)
    odds = CALIBRATION.real_mean + CALIBRATION.real_std * draw.standard_t(5, (4000, 40))
    closer = odds.max(axis=1) + 0.05 * draw.standard_normal(4000)  # the same face: no independent look

    def fakes(among):
        return np.mean(
            [
                as_chosen(ruling(from_log_odds(x)), CALIBRATION, THRESHOLDS, among=among).outcome
                is Outcome.FAKE
                for x in closer.tolist()
            ]
        )

    single = np.mean([THRESHOLDS.outcome(from_log_odds(x)) is Outcome.FAKE for x in odds[:, 0].tolist()])
    assert fakes(among=1) > 0.4  # as if nobody had chosen it
    assert fakes(among=40) <= single + 0.01


@pytest.mark.parametrize("name", sorted(set(SHIPPED.values())))
def test_the_shipped_cards_keep_a_choice_unsure_rather_than_real(name):
    card = read_card(WEIGHTS / f"{name}.json")
    p_fake = card.thresholds.fake_at_least + 0.01
    found = as_chosen(
        Ruling(Outcome.FAKE, p_fake, (FAKE,), 1), card.calibration, card.thresholds, among=10_000
    )
    assert found.outcome is Outcome.UNSURE


def test_no_number_no_choice():
    nobody = Ruling(Outcome.NO_FACE, None, (because("nobody_found", frames=3),))
    assert as_chosen(nobody, CALIBRATION, THRESHOLDS, among=9) is nobody


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return ScanSettings(model=str(write_tiny_model(tmp_path_factory.mktemp("model"))), embedder="none")


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """Four shots of two seconds; the third is bright, which the tiny model takes for a fake."""
    shots = [moving_views(24, brightness=level) for level in (0, 10, 70, 5)]
    shots[1::2] = [[np.ascontiguousarray(view[:, ::-1]) for view in shot] for shot in shots[1::2]]
    images = [view for shot in shots for view in shot]
    return write_clip(tmp_path_factory.mktemp("film") / "film.mp4", images, fps=FPS)


def test_a_stretch_of_a_film_is_looked_at_more_closely_and_no_more_sure(settings, film):
    whole = load_scanner(settings).scan(film)
    first = whole.segments[0]
    assert whole.looks == 4 and first.shot == 2
    stretch = first.start_seconds, first.end_seconds
    among = looks_of(whole, *stretch)
    closer = load_scanner(examining(settings, *stretch, among=among)).scan(film)
    decode = replace(settings.decode, start_seconds=stretch[0], end_seconds=stretch[1])
    alone = load_scanner(replace(settings, decode=decode)).scan(film)
    assert among == closer.looks == 4 and alone.looks == 1
    assert sum(shot.frames for shot in closer.shots) > whole.shots[2].frames
    assert closer.p_fake < alone.p_fake and closer.p_fake == pytest.approx(whole.p_fake, abs=0.02)
    assert closer.stability is not None and closer.stability.p_fake
    assert {reason.code for reason in alone.reasons} >= {"part"}
    assert {reason.code for reason in closer.reasons} >= {"chosen"}
    with pytest.raises(DataError, match="on a part"):
        looks_of(alone, *stretch)
    assert looks_of(closer, 0.0, 1.0) == 4  # another stretch of the same film


def test_second_by_second_takes_more_looks(settings, film):
    whole = load_scanner(settings).scan(film)
    assert [looks_of(whole, 4.0, 4.0 + seconds) for seconds in (2.0, 1.0, 0.5, 0.25)] == [4, 8, 16, 32]
    one = replace(whole, looks=1, shots=(Shot(0.0, 10.0, 30, 1),))
    assert [looks_of(one, 0.0, seconds) for seconds in (10.0, 9.5, 5.0)] == [1, 1, 2]


def test_verdicts_that_cannot_tell_how_many_looks_are_refused(settings, film):
    whole = load_scanner(settings).scan(film)
    with pytest.raises(DataError, match="scan all of it"):
        looks_of(replace(whole, partial=True), 0.0, 2.0)
    with pytest.raises(SettingsError, match="must end after it begins"):
        looks_of(whole, 2.0, 2.0)
    old = replace(whole, looks=0, reasons=())
    with pytest.raises(DataError, match="scan the file again"):
        looks_of(old, 0.0, 2.0)
    told = because("no_sign_among", faces=58, person=1, start_seconds=0.0, end_seconds=1.0)
    assert looks_of(replace(old, reasons=(told,)), 0.0, 2.0) == 58
