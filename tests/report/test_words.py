import re
import string
from pathlib import Path

import pytest

import unmask.report
from unmask.reasons import LANGUAGES
from unmask.report.words import Words, messages
from unmask.shown import visible
from unmask.verdicts import Outcome

SOURCES = Path(unmask.report.__file__).parent


def gaps(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_every_message_is_there_in_every_language_with_the_same_gaps():
    for key, texts in messages().items():
        assert set(texts) == set(LANGUAGES), key
        assert all(texts.values()), key
        assert len({frozenset(gaps(text)) for text in texts.values()}) == 1, key


def test_no_message_is_missing_and_none_is_left_over():
    code = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES.glob("*.py"))
    named = set(re.findall(r'"([a-z0-9_]+)"', code)) | set(re.findall(r"'([a-z0-9_]+)'", code))
    built = {stem for stem in re.findall(r'f["\']([a-z0-9]+_)\{', code)}
    unused = [key for key in messages() if key not in named and not any(key.startswith(b) for b in built)]
    assert not unused
    missing = [key for key in re.findall(r'words\(\s*["\']([a-z0-9_]+)["\']', code) if key not in messages()]
    assert not missing


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_outcome_has_words_and_only_real_says_that_no_sign_was_found(language):
    words = Words(language)
    for outcome in Outcome:
        assert words(f"headline_{outcome}") and words(f"word_{outcome}") and words(f"meaning_{outcome}")
    assert words("word_no_face") != words("word_real") and words("headline_no_face") != words("headline_real")
    warning = {
        "en": "not a sign that the recording is genuine",
        "de": "kein Zeichen dafür, dass die Aufnahme echt",
    }
    for outcome in (Outcome.NO_FACE, Outcome.UNREADABLE, Outcome.ERROR):
        assert warning[language] in words(f"meaning_{outcome}")


def test_no_probability_is_told_as_certain():
    assert Words("en").percent(1.0) == "99\u00a0%" and Words("de").percent(0.0) == "1\u00a0%"
    assert Words("en").percent(0.77) == "77\u00a0%"


def test_a_threshold_is_told_as_it_was_set():
    assert Words("en").limit(1.0) == "100\u00a0%" and Words("de").limit(0.995) == "99,5\u00a0%"


def test_times_read_as_people_write_them():
    assert Words("de").seconds(3.14) == "3,1 s" and Words("en").seconds(3725) == "1:02:05"
    assert Words("en").seconds(59.97) == "1:00.0"


def test_what_cannot_be_seen_is_spelt_out():
    assert visible("a\u202eb\x1b[0m\udcff\n") == "a\\u202eb\\x1b[0m\\udcff\\n"
    assert visible("Müller & Söhne 東京") == "Müller & Söhne 東京"


@pytest.mark.parametrize(
    ("p_fake", "told"),
    [
        (0.19, "19"),
        (0.1923, "19.2"),
        (0.19004, "19.00"),
        (0.81, "81"),
        (0.8097, "80.97"),
        (0.5, "50"),
        (1.0, "99"),
    ],
)
def test_a_rounded_number_lies_on_the_side_of_a_limit_that_the_number_lies_on(p_fake, told):
    assert Words("en").percent(p_fake, [0.19, 0.81]) == f"{told}\u00a0%"
