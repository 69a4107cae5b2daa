"""The words of the page: every language has all of them, and every word that the page asks for is there."""

import json
import re
from importlib.resources import files

import pytest

from unmask.reasons import LANGUAGES
from unmask.report.words import messages
from unmask.verdicts import Outcome
from unmask.web.pages import STATIC

FOLDER = files("unmask.web") / "static"
MESSAGES = json.loads((FOLDER / "messages.json").read_text(encoding="utf-8"))
SOURCES = "".join(
    (FOLDER / name).read_text(encoding="utf-8")
    for name in (*STATIC, "index.html", "api.html")
    if name != "messages.json"
)


@pytest.mark.parametrize("key", MESSAGES)
def test_each_message_is_there_in_each_language_with_the_same_gaps(key):
    said = MESSAGES[key]
    assert list(said) == list(LANGUAGES)
    assert all(text.strip() for text in said.values())
    assert len({tuple(sorted(re.findall(r"\{\w+\}", text))) for text in said.values()}) == 1


def test_every_word_that_the_page_asks_for_is_there():
    asked = set(re.findall(r"word\('([a-z_0-9]+)'", SOURCES)) | set(
        re.findall(r'data-(?:word|label)="(\w+)"', SOURCES)
    )
    asked |= {f"word_{outcome}" for outcome in Outcome}  # headline and advice come from the server
    asked |= {f"headline_{state}" for state in ("running", "failed", "interrupted")}
    asked |= {
        f"state_{state}"
        for state in ("uploading", "queued", "decoding", "faces", "scoring", "done", "failed", "interrupted")
    }
    assert len(asked) > 40
    assert not asked - set(MESSAGES)


def test_nothing_is_loaded_from_elsewhere_and_no_script_is_in_the_page():
    assert not re.findall(r"(?:src|href)=\"(?!/static/|/api-docs|#|/\")", SOURCES)
    assert not re.findall(r"https?://(?!www\.w3\.org/2000/svg)", SOURCES)
    assert not re.findall(
        r"<script(?! type=\"module\" src=)|\son\w+=\"|style=\"|innerHTML|insertAdjacent|eval\(", SOURCES
    )


def test_one_number_has_one_wording_in_list_page_and_report():
    assert MESSAGES["probability"] == messages()["estimate"]
    assert MESSAGES["next_step"] == messages()["next_step"] and MESSAGES["look"] == messages()["look"]
    assert MESSAGES["fact_bytes"] == messages()["file_bytes"]
    assert MESSAGES["fact_took"] == messages()["method_time"]


def test_the_page_is_small():
    assert sum((FOLDER / name).stat().st_size for name in (*STATIC, "index.html", "api.html")) < 300_000


def test_what_could_not_be_judged_does_not_look_real():
    for outcome in ("no_face", "unreadable", "error", "unsure"):
        for text in messages()[f"headline_{outcome}"].values():
            assert "No sign" not in text and "Kein Anzeichen" not in text
        assert MESSAGES[f"word_{outcome}"] != MESSAGES["word_real"]
