import pytest

from unmask.judge.together import join_rulings
from unmask.judge.verdict import Ruling
from unmask.reasons import because, sentences
from unmask.verdicts import Outcome

FAKE = Ruling(Outcome.FAKE, 0.9, (because("manipulated", person=0, start_seconds=0.0, end_seconds=1.0),))
REAL = Ruling(Outcome.REAL, 0.1, (because("no_sign", person=0, frames=9),))
UNSURE = Ruling(Outcome.UNSURE, 0.5, (because("too_little", person=0, why=because("small_face", px=9)),))
NOBODY = Ruling(Outcome.NO_FACE, None, (because("nobody_found", frames=9),))


@pytest.mark.parametrize("ruling", [FAKE, REAL, UNSURE])
def test_where_all_agree_the_first_ones_ruling_stands_and_the_others_are_named(ruling):
    other = Ruling(ruling.outcome, 0.55, ())
    joined = join_rulings({"a": ruling, "b": other})
    assert (joined.outcome, joined.p_fake) == (ruling.outcome, ruling.p_fake)
    assert sentences(joined.reasons) == f"{sentences(ruling.reasons)}; b says {ruling.outcome} (p_fake 0.55)"


@pytest.mark.parametrize(("first", "second"), [(FAKE, REAL), (REAL, FAKE), (FAKE, UNSURE), (UNSURE, REAL)])
def test_any_disagreement_is_unsure_with_what_each_says(first, second):
    joined = join_rulings({"a": first, "b": second})
    assert joined.outcome is Outcome.UNSURE and joined.p_fake == first.p_fake
    for name, ruling in (("a", first), ("b", second)):
        assert f"{name} says {ruling.outcome} (p_fake {ruling.p_fake:.2f})" in sentences(joined.reasons)


def test_one_of_three_is_enough_to_disagree():
    assert join_rulings({"a": FAKE, "b": FAKE, "c": REAL}).outcome is Outcome.UNSURE


def test_a_failure_never_becomes_a_number():
    assert join_rulings({"a": NOBODY, "b": NOBODY}) == NOBODY
    assert join_rulings({"a": FAKE}) == FAKE
