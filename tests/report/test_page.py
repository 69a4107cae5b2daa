import re
from dataclasses import replace
from html import escape
from pathlib import Path

import pytest

from example_reasons import example
from judged_files import judged_file, page_of
from unmask.config import DecodeSettings
from unmask.judge.calibration import Thresholds
from unmask.judge.card import read_card
from unmask.reasons import Reason, sentence, wordings
from unmask.report import marks
from unmask.report.cards import false_alarms
from unmask.report.cautions import cautions
from unmask.report.page import printed_margins, report_page, tell_story
from unmask.report.seen import Facts, Seen
from unmask.report.standing import Film
from unmask.report.words import Words, short_percent
from unmask.verdicts import ModelName, Outcome, Segment, Shot, Stability, Verdict
from unmask.video import read_clip

NOBODY = Verdict(
    "a.mp4", "0" * 64, Outcome.NO_FACE, None, "no face was found", False, (), ModelName("m", "1" * 64), "1"
)
HOSTILE = "<img src=x onerror=document.title=1>" + "\u202egpm.4pm" + "'\"&{}<script>document.title=2"


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    return judged_file(tmp_path_factory.mktemp("judged"))


@pytest.fixture(scope="module")
def page(judged):
    return page_of(*judged)


def _text(page):
    return re.sub(r"<[^>]*>", " ", re.sub(r"<(style|script)>.*?</\1>", "", page, flags=re.DOTALL))


def test_the_page_says_what_was_found_and_what_that_means(page):
    text = _text(page)
    assert "A face in it looks manipulated" in text and "98\u00a0%" in text
    assert "about 5 would be called manipulated as well (measured on 78 real videos" in text
    assert "It only knows bright from dark." in text  # the card's limit


def test_all_of_the_page_is_in_its_language(judged):
    german = page_of(*judged, language="de")
    assert '<html lang="de">' in german and "Ein Gesicht darin wirkt manipuliert" in german
    for words in ("Most suspicious", "The file", "Person by person", "What drove"):
        assert words not in _text(german)


@pytest.mark.parametrize("code", wordings())
def test_a_german_report_tells_every_reason_in_german(judged, code):
    verdict, source, options = judged
    reason = example(code)
    left_out = replace(verdict.people[0], id=1, kept=False, why_dropped=str(reason), dropped=reason)
    told = replace(verdict, reason=str(reason), reasons=(reason,), people=(*verdict.people, left_out))
    seen = Seen(problem="media_unreadable", detail=reason)
    story = tell_story(told, seen, replace(options, language="de"))
    page = report_page(story, source, folder=None)
    german = escape(sentence(reason, "de"))
    assert page.count(german) >= 3 and f'lang="en">{german}' not in page
    english = escape(str(reason))
    assert english in german or english not in page


def test_a_reason_without_words_stays_english_and_is_marked_so(judged):
    verdict, source, options = judged
    for reasons in ((), (Reason("too_loud", {"level": 3}),)):  # of an earlier version, and of a later one
        story = tell_story(
            replace(verdict, reason="it is <loud>", reasons=reasons), Seen(), replace(options, language="de")
        )
        assert '<span lang="en">it is &lt;loud&gt;</span>' in report_page(story, source, folder=None)


def test_people_are_numbered_from_1_in_all_that_is_read(judged):
    verdict, source, options = judged
    assert [person.id for person in verdict.people] == [0] and verdict.reason.startswith("person 1 looks")
    left_out = replace(verdict.people[0], id=1, p_fake=None, kept=False, why_dropped="seen in 1 of 9 frames")
    cut = replace(
        verdict,
        people=(*verdict.people, left_out),
        segments=(Segment(0, 0, 0.0, 1.0, 0.9, Outcome.FAKE), Segment(1, 0, 0.0, 1.0, 0.8, Outcome.FAKE)),
        shots=(Shot(0.0, 1.0, 9, 1), Shot(1.0, 2.0, 9, 0)),
    )
    for language, word in (("en", "[Pp]erson"), ("de", "Person")):
        page = page_of(cut, source, options, heat_map=False, language=language)
        numbers = {int(number) for number in re.findall(word + r" (\d+)", page)}
        assert numbers == {1, 2}, numbers  # in words and in what screen readers are told
        cells = re.findall(r"<td[^>]*>(\d)</td>", page)
        assert "0" not in cells and "2" in cells


def test_the_box_in_the_video_has_the_number_of_the_report(judged, monkeypatch):
    told = []
    monkeypatch.setattr(marks, "write_label", lambda image, lines, **_: told.extend(lines))
    verdict, source, _ = judged
    frame = read_clip(source, DecodeSettings(frames=3)).frames[0]
    film = Film(verdict, Thresholds(fake_at_least=0.7, real_at_most=0.3), None, Words("en"))
    marker = marks.Marker(verdict, film, Words("en"))
    marker.draw(frame, width=200, height=160)
    assert told == [f"person 1  {short_percent(verdict.people[0].p_fake)}"]


def test_what_has_no_path_is_told_by_its_name(judged):
    for language, path in (("en", "Path"), ("de", "Pfad")):
        assert f"<dt>{path}</dt>" in page_of(*judged, heat_map=False, language=language)
        named = page_of(*judged, heat_map=False, language=language, name_only=True)
        assert "<dt>Name</dt>" in named and f"<dt>{path}</dt>" not in named


def test_figures_of_a_german_report_have_german_names(judged):
    page = page_of(*judged, heat_map=False, language="de")
    assert "Fehlalarme bei echten Clips" in page and "false alarms on reals" not in _text(page)


def test_the_page_is_small_without_its_video(page):
    assert len(re.sub(r'src="data:video[^"]*"', "", page)) < 300_000


@pytest.mark.parametrize("outcome", [Outcome.NO_FACE, Outcome.UNREADABLE, Outcome.ERROR])
def test_a_file_in_which_nobody_was_judged_is_not_called_clean(outcome):
    verdict = replace(NOBODY, outcome=outcome)
    options = tell_story(verdict, Seen(), _options()).options
    text = _text(report_page(tell_story(verdict, Seen(), options), Path("a.mp4"), folder=None))
    assert "not a sign that the recording is genuine" in text
    assert "No sign of a manipulated face" not in text and "%" not in text.split("How it was judged")[0]


def _options():
    from unmask.report import ReportOptions

    return ReportOptions()


def test_false_alarms_are_the_worst_figure_of_the_card_and_only_where_it_holds(judged, tmp_path):
    _, _, options = judged
    card = read_card(options.settings.model)
    score = next(iter(card.scores.values()))
    worse = replace(score, value=0.12)
    both = replace(
        card, scores={"false_alarms_on_seen": score, "false_alarms_on_unseen": worse, "auc": score}
    )
    assert false_alarms(both, options.settings) == worse
    assert false_alarms(both, replace(options.settings, threshold=0.9)) is None
    assert false_alarms(both, replace(options.settings, beside=("b.json",))) is None
    assert false_alarms(replace(card, scores={"auc": score}), options.settings) is None
    silent = page_of(
        judged[0], judged[1], replace(options, settings=replace(options.settings, threshold=0.9))
    )
    assert "Of 100 real videos" not in silent


def test_footage_outside_what_was_measured_is_told(judged):
    verdict, _, options = judged
    card = read_card(options.settings.model)
    facts = Facts("0" * 64, 1, "mp4", "h264", 200, 160, bits_per_pixel=0.01)
    worse = replace(
        verdict,
        damaged=True,
        partial=True,
        start_seconds=1.0,
        shots=(Shot(1.0, 2.0, 9, 1), Shot(2.0, 3.0, 9, 0)),
        stability=Stability(False, {}, {}),
    )
    found = cautions(worse, Seen(facts=facts, brightness=20.0), None, Words("en"))
    for part in (
        "Only 1.0",
        "began at 1.0",
        "damaged",
        "turns",
        "pixels wide",
        "is dark",
        "compressed",
        "cut",
        "not at hand",
    ):
        assert sum(part in one for one in found) == 1, part
    plain = replace(facts, bits_per_pixel=0.2)
    calm = cautions(verdict, Seen(facts=plain, brightness=120.0), card, Words("en"))
    assert len(calm) == 1 and "pixels wide" in calm[0]  # the portrait's face is that small


def test_settings_and_command_are_told(judged):
    verdict, source, options = judged
    changed = replace(options.settings, decode=replace(options.settings.decode, frames=60))
    page = page_of(verdict, source, options, settings=changed, command="unmask scan '<b>.mp4'")
    assert "decode.frames = 60" in page and "unmask scan &#x27;&lt;b&gt;.mp4&#x27;" in page


def _open(browser, path, *, width=1000):
    page = browser.new_page(viewport={"width": width, "height": 800})
    troubles, requests = [], []
    page.on("console", lambda message: troubles.append(message.text))
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("dialog", lambda dialog: troubles.append(dialog.message))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(path.as_uri())
    _wait_until(page, "!document.querySelector('video') || document.querySelector('video').readyState > 0")
    return page, troubles, [url for url in requests if not url.startswith(("data:", path.as_uri()))]


def _wait_until(page, condition, *, seconds=30):
    """As playwright's own, which the policy of the page forbids once the condition is not met at once."""
    for _ in range(seconds * 20):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"not within {seconds} s: {condition}")


@pytest.mark.parametrize("how", ["click", "keys", "strip", "film", "face"])
def test_a_chosen_time_moves_the_video(browser, judged, page, tmp_path, how):
    if how in ("film", "face"):  # a single shot has no strip to choose from
        verdict, source, options = judged
        shots = tuple(Shot(1.2 * place, 1.2 * place + 1.2, 12, 1) for place in range(2))
        page = page_of(replace(verdict, shots=shots), source, options)
    (tmp_path / "report.html").write_text(page, encoding="utf-8")
    shown, troubles, requests = _open(browser, tmp_path / "report.html")
    whole, until = ("Most suspicious face", 2.4) if how == "film" else ("Person 1: score", 2.3)
    plot = shown.get_by_role("slider", name=re.compile(whole))
    if how in ("click", "film"):
        box = plot.bounding_box()
        plot.click(position={"x": box["width"] * 0.75, "y": 20})
        wanted = 0.75 * until
    elif how == "keys":
        plot.focus()
        for key in ("End", "ArrowLeft", "ArrowLeft"):
            shown.keyboard.press(key)
        wanted = until - 0.05 - 0.2
    else:
        strip = shown.locator(f"{'.along' if how == 'face' else '.strip'} [data-at]").nth(2)
        strip.click()
        wanted = float(strip.get_attribute("data-at"))
    _wait_until(shown, f"Math.abs(document.querySelector('video').currentTime - {wanted}) < 0.06")
    _wait_until(shown, f"Math.abs(document.querySelector('.plot').ariaValueNow - {wanted}) < 0.06")
    assert not troubles and not requests


@pytest.mark.parametrize("width", [360, 1400])
def test_the_page_fits_its_width_and_every_picture_has_words(browser, page, tmp_path, width):
    (tmp_path / "report.html").write_text(page, encoding="utf-8")
    shown, troubles, _ = _open(browser, tmp_path / "report.html", width=width)
    assert shown.evaluate("document.documentElement.scrollWidth") <= width
    assert shown.evaluate("[...document.images].every(i => i.alt && i.complete && i.naturalWidth > 0)")
    assert not troubles


def test_a_hostile_name_is_inert(browser, tmp_path):
    name = (HOSTILE + "x" * 300).encode()[:245].decode(errors="ignore") + ".mp4"
    verdict, source, options = judged_file(tmp_path, name)
    page = page_of(verdict, source, options, command=f"unmask scan '{name}'")
    assert "\u202e" not in page and "<img src=x" not in page
    (tmp_path / "report.html").write_text(page, encoding="utf-8")
    shown, troubles, requests = _open(browser, tmp_path / "report.html", width=360)
    assert not troubles and not requests
    assert shown.title().startswith("What unmask found in <img src=x onerror=")
    assert shown.evaluate("document.documentElement.scrollWidth") <= 360
    assert shown.evaluate("document.scripts.length") == 1


def test_a_video_too_large_for_the_page_is_played_from_its_file(browser, tmp_path):
    verdict, source, options = judged_file(tmp_path, "a #1 <b>%41?.mp4")
    page = page_of(verdict, source, options, preview_mb=0.005)
    assert "data:video" not in page
    (tmp_path / "report.html").write_text(page, encoding="utf-8")
    shown, troubles, requests = _open(browser, tmp_path / "report.html")
    assert shown.evaluate("document.querySelector('video').duration") == pytest.approx(2.4, abs=0.1)
    assert not troubles and set(requests) == {source.as_uri()}


def test_a_server_may_have_the_video_and_the_script(judged):
    verdict, source, options = judged
    page = page_of(verdict, source, options, media_url="/media/1?a=b&c", script_url="/static/report.js")
    assert 'src="/media/1?a=b&amp;c"' in page and "<script>" not in page
    assert '<script src="/static/report.js"></script>' in page and "script-src 'self'" in page


@pytest.mark.parametrize(("scheme", "language"), [("light", "en"), ("dark", "de")])
def test_axe_finds_nothing_serious(browser, axe, judged, tmp_path, scheme, language):
    (tmp_path / "page.html").write_text(page_of(*judged, language=language), encoding="utf-8")
    shown = browser.new_context(color_scheme=scheme, bypass_csp=True).new_page()
    shown.goto((tmp_path / "page.html").as_uri())
    found = axe.run(shown).response["violations"]
    assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []


def test_a_report_says_when_it_was_made_on_screen_and_below_each_printed_page(judged):
    verdict, source, options = judged
    fixed = replace(options, made_at="2026-05-01T12:00:59Z", heat_map=False)
    page = page_of(verdict, source, fixed)
    text = " ".join(_text(page).split())
    assert "Report made on 2026-05-01 12:00 UTC" in text and "on 2026-05-01 12:00 UTC. An estimate" in text
    assert '@bottom-left{content:"What unmask found in clip.mp4 · made on 2026-05-01 12:00 UTC";' in page
    assert 'counter(page) " / " counter(pages)' in page
    assert page_of(verdict, source, fixed) == page


def test_no_name_of_a_file_ends_the_style(judged):
    css = printed_margins(f"found in {HOSTILE}", "2026-05-01 12:00 UTC", Words("en"))
    assert "<" not in css and css.count('"') == 2 + 2 and css.count("{") == css.count("}") == 4
