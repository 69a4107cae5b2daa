"""What a report says of a closer look, and how it offers one."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from html import unescape

import pytest

from judged_files import judged_file
from unmask.judge.chosen import examining
from unmask.reasons import because
from unmask.report.examining import closer, command, examined
from unmask.report.page import report_page, tell_story
from unmask.report.seen import Seen
from unmask.verdicts import Outcome, Segment, Stability


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    return judged_file(tmp_path_factory.mktemp("judged"))


@pytest.fixture
def film(judged):
    """A film of 58 looks in which two stretches stand out; the file's first frame is at 10 s."""
    verdict, _, options = judged
    segments = tuple(
        Segment(number, number, at, at + 5.2, 0.9, Outcome.FAKE) for number, at in ((1, 58.4), (0, 12.0))
    )
    told = replace(
        verdict, path="a film.mkv", looks=58, segments=segments, start_seconds=10.0, end_seconds=190.0
    )
    return tell_story(told, Seen(), options)


def test_a_film_offers_its_stretches_with_the_command_that_examines_them(film):
    page = closer(film)
    assert "one of all 58 looks at a face that this film took" in page and "A look is one face" in page
    typed = [unescape(one) for one in re.findall(r"<code>(.*?)</code>", page)]
    assert len(typed) == 2 and re.findall(r'data-examine="([\d. ]+)"', page)[0] == "58.400 63.600"
    words = shlex.split(typed[0])
    assert words[:3] == ["unmask", "scan", "a film.mkv"]
    # From the first frame, as the command counts; the page counts as the file does.
    assert words[words.index("--examine") + 1] == "48.40-53.60" and words[words.index("--looks") + 1] == "58"
    assert typed[0] == command(film, film.verdict.segments[0])


def test_a_closer_look_says_from_how_many_it_was_chosen_and_how_worse_versions_do(judged, film):
    among = examining(film.options.settings, 48.4, 53.6, among=58)
    stability = Stability(False, {"jpeg 30": Outcome.REAL}, {"jpeg 30": 0.1})
    told = replace(
        film.verdict,
        outcome=Outcome.UNSURE,
        p_fake=0.52,
        reasons=(because("chosen", looks=58, p_fake=0.94),),
        stability=stability,
    )
    story = tell_story(told, Seen(), replace(film.options, settings=among))
    assert not closer(story)
    page = report_page(story, judged[1], folder=None)
    assert examined(story) in page
    text = re.sub(r"<[^>]*>", " ", examined(story)).replace("\u00a0", " ")
    assert "chosen from 58 looks" in text and "as one of them: 52 %" in text and "would be 94 %" in text
    assert re.search(r"compressed as JPEG \(30\)\s+● no sign found\s+10 %", text)
    assert re.search(r"as it is\s+◆ cannot tell\s+52 %", text)


def test_where_all_of_a_clip_is_one_look_nothing_is_to_be_chosen(film):
    whole = Segment(0, 0, 10.0, 190.0, 0.5, Outcome.UNSURE)
    one = replace(film.verdict, looks=1, segments=(whole,))
    assert not closer(tell_story(one, Seen(), film.options))
    part = replace(one, segments=(replace(whole, start_seconds=20.0),))
    assert closer(tell_story(part, Seen(), film.options))
    assert closer(tell_story(replace(one, looks=2), Seen(), film.options))


def test_a_picture_and_a_film_without_looks_offer_none(film):
    for told in (replace(film.verdict, looks=0), replace(film.verdict, end_seconds=10.0)):
        assert not closer(tell_story(told, Seen(), film.options))
