"""Every reason has words in every language, made of the same values, and is told in both where it is read."""

import ast
import json
import re
from pathlib import Path

import pytest

import unmask
from example_reasons import example
from unmask.reasons import LANGUAGES, Reason, because, gaps, in_short, sentence, sentences, wordings

PACKAGE = Path(unmask.__file__).parent


@pytest.mark.parametrize("code", wordings())
def test_every_reason_has_words_in_every_language_with_the_same_values(code):
    assert set(wordings()[code]) == set(LANGUAGES)
    assert len({gaps(code, language) for language in LANGUAGES}) == 1
    told = {language: sentence(example(code), language) for language in LANGUAGES}
    assert all(told.values()) and not any(re.search(r"[{}#|]", text) for text in told.values())
    bare = {" ".join(re.findall(r"[^\W\d]{3,}", text)) for text in told.values()}
    assert len(bare) == len(LANGUAGES) or code == "agree"  # no language has the words of another one


def given_in_the_sources():
    """Every code that the package gives as a reason; what is left out of a computed one is a star."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "because":
                yield from codes_in(call.args[0])


def codes_in(value):
    match value:
        case ast.Constant(value=str(code)):
            yield code
        case ast.JoinedStr(values=[ast.Constant(value=start), _]):
            yield f"{start}*"
        case ast.IfExp(body=one, orelse=other):
            yield from (*codes_in(one), *codes_in(other))
        case _:
            pytest.fail(f"which reason this is cannot be told: {ast.unparse(value)}")


def test_no_reason_lacks_and_none_is_left_over():
    given = set(given_in_the_sources())
    stems = tuple(code.rstrip("*") for code in given if code.endswith("*"))
    assert set(stems) == {"says_", "turns_"}
    assert {code for code in given if not code.endswith("*")} <= set(wordings())
    assert not [code for code in wordings() if code not in given and not code.startswith(stems)]


def test_numbers_are_written_as_in_the_language():
    reason = because("doubtful", confidence=0.5, least=0.86)
    assert sentence(reason) == "mean detection confidence 0.50, at least 0.86 needed"
    assert sentence(reason, "de").endswith("(im Mittel 0,50), mindestens 0,86 nötig")
    assert in_short(reason) == "mean detection confidence 0.50"


def test_people_are_counted_from_one_in_words_only():
    reason = because("manipulated", person=0, start_seconds=1.0, end_seconds=2.0)
    assert str(reason) == "person 1 looks manipulated, most clearly at 1.0-2.0 s"
    assert sentence(reason, "de") == "Person 1 wirkt manipuliert, am deutlichsten bei 1,0-2,0 s"
    assert reason.values["person"] == 0


@pytest.mark.parametrize(
    ("faces", "told"), [(1, "the only look at a face is neither"), (3, "3 looks at a face are")]
)
def test_a_single_look_is_told_as_one(faces, told):
    reason = because("between_among", faces=faces, person=0, start_seconds=1.0, end_seconds=2.0)
    assert told in str(reason)


def test_several_are_told_in_a_row():
    told = (because("nobody_found", frames=30), because("dark"))
    assert sentences(told, "de") == (
        "in keinem der 30 angesehenen Bilder wurde ein Gesicht gefunden; "
        "wahrscheinlich liegt es daran, dass das Bild dunkel ist"
    )


@pytest.mark.parametrize(
    ("code", "values", "rule"),
    [
        ("seldomly", {}, "unknown reason 'seldomly'; choose from: seldom"),
        ("seldom", {"seen": 1}, "must have the values ['frames', 'least', 'seen'], got ['seen']"),
        ("dark", {"level": 1}, "must have the values [], got ['level']"),
    ],
)
def test_what_is_not_in_the_table_is_refused(code, values, rule):
    with pytest.raises(ValueError, match=re.escape(rule)):
        because(code, **values)


def test_a_reason_of_a_later_version_is_told_by_its_code():
    later = Reason("too_loud", {"level": 3})
    assert not later.is_known and str(later) == "too_loud (level 3)"
    around = Reason("nobody_credible", {"frames": 3, "candidates": 1, "longest": later})
    assert not around.is_known


def test_the_table_is_plain_json_without_a_code_twice():
    pairs = json.loads(
        (PACKAGE / "reasons.json").read_text(encoding="utf-8"), object_pairs_hook=lambda found: found
    )
    codes = [code for code, _ in pairs]
    assert len(codes) == len(set(codes))
