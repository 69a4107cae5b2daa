from dataclasses import replace

import pytest

from films import LIMITS, film, person
from judged_files import told_of
from unmask.report.banner import banner
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
