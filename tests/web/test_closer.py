"""Examining a stretch and making a case file, in a real browser against a real server."""

from __future__ import annotations

import re
import zipfile

import numpy as np
import pytest

from browsed import PATIENCE_MS, check_accessible, opened
from portraits import moving_views, write_clip
from unmask.report.case_folder import check_case


@pytest.fixture(scope="module")
def film(server, tmp_path_factory):
    """A finished scan of three shots; the second is bright, which the tiny model takes for a fake."""
    bright = [np.ascontiguousarray(view[:, ::-1]) for view in moving_views(24, brightness=70)]
    images = [*moving_views(24), *bright, *moving_views(24, brightness=10)]
    source = write_clip(tmp_path_factory.mktemp("film") / "film.mp4", images, fps=12)
    return server.wait(server.send(source)["id"])


@pytest.fixture
def page(browser, server):
    yield from opened(browser, server.address, bypass_csp=True)


def test_a_stretch_is_examined_within_its_film(page, axe, server, film):
    page.goto(f"{server.address}/#/scan/{film['id']}")
    page.get_by_role("button", name=re.compile("2.0 - 4.0 s, person")).click()
    assert page.get_by_label("From (seconds)").input_value() == "2"
    assert page.get_by_label("To (seconds)").input_value() == "4"
    check_accessible(page, axe)
    page.get_by_role("button", name="Examine", exact=True).click()
    page.get_by_text("judged as one of its 3 looks at a face").wait_for()
    page.locator(".verdict[data-state=done]").wait_for()
    key = page.url.rpartition("/")[2]
    scan = server.get(f"/api/scans/{key}")
    verdict = scan["verdict"]
    assert scan["examined"] == {"of": film["id"], "start_seconds": 2.0, "end_seconds": 4.0, "looks": 3}
    assert verdict["looks"] == film["verdict"]["looks"] == 3
    assert verdict["p_fake"] <= film["verdict"]["segments"][0]["p_fake"]
    page.get_by_role("button", name="Show the report here").click()
    report = page.frame_locator("iframe")
    report.get_by_role("heading", name="When the video is made worse").wait_for()
    assert "was chosen from 3 looks" in report.locator("main").inner_text()
    check_accessible(page, axe)
    page.get_by_role("link", name="To the film").click()
    page.get_by_role("button", name="Show the report here").click()
    page.get_by_label("From (seconds)").fill("0")
    page.frame_locator("iframe").get_by_role("button", name=re.compile("^Examine 2.0")).click()
    page.wait_for_function("document.querySelector('#examine-form').elements.from.value === '2'")
    page.get_by_label("To (seconds)").fill("1")
    page.get_by_role("button", name="Examine", exact=True).click()
    page.locator("#problem", has_text="must end after it begins").wait_for()
    page.troubles[:] = [one for one in page.troubles if "400" not in one]  # the browser notes the refusal


@pytest.mark.parametrize(
    ("language", "todo", "asked"),
    [("en", "What to do:", "Take this"), ("de", "Was zu tun ist:", "Das heißt")],
)
def test_the_page_alone_says_what_to_do_the_limits_and_how_each_person_stands(
    page, axe, server, film, language, todo, asked
):
    page.goto(f"{server.address}/#/scan/{film['id']}")
    page.get_by_label("Language").select_option(language)
    box = page.locator("#verdict")
    box.get_by_text(todo).wait_for()
    told = server.get(f"/api/scans/{film['id']}?language={language}")["told"]
    shown = box.inner_text()
    assert all(one in shown for one in (told["headline"], told["estimate"], told["scale"], *told["findings"]))
    assert " ".join(told["advice"]) in shown and (film["outcome"] != "unsure" or asked in shown)
    places = box.locator(".meter i").evaluate_all("all => all.map(one => one.style.left)")
    assert places == [f"{100 * told[name]:g}%" for name in ("real_at_most", "fake_at_least")]
    cards = page.locator(".people li").all_inner_texts()
    assert len(cards) == len(film["verdict"]["people"]) > 0
    for card, one in zip(cards, told["people"], strict=False):
        assert (
            f"{one['id'] + 1}" in card and f"{one['word']}, {one['percent']}" in card and one["mark"] in card
        )
    check_accessible(page, axe)
    page.get_by_label("Language" if language == "en" else "Sprache").select_option("en")


def test_page_and_report_have_one_form_for_sizes_and_times(page, server):
    from unmask.report.words import Words

    page.locator("#drop").wait_for()
    seconds = [0.04, 59.94, 59.96, 75.5, 348.1, 3599.0, 3725.4]
    sizes = [0, 999, 999_700, 52_300, 3_482_099, 12_345_678, 2_048_000_000, 472 * 10**9, 1_234 * 10**12]
    for language in ("en", "de"):
        told = page.evaluate(
            "async ([times, sizes, language]) => { const words = await import('/static/words.js');"
            " words.useLanguage(language); return [times.map(words.clock), sizes.map(words.size),"
            " words.span(2, 17.1), words.span(50, 75), words.when(1796038380)]; }",
            [seconds, sizes, language],
        )
        words = Words(language)
        spans = [words.span(2, 17.1), words.span(50, 75)]
        assert told[:4] == [[*map(words.seconds, seconds)], [*map(words.size, sizes)], *spans]
        assert told[4] == "2026-11-30 11:33 UTC"


def test_either_of_film_and_stretch_can_be_deleted(server, film):
    source = server.folder / "scans" / film["id"] / "source"
    other = server.wait(server.send(source, name="other.mp4")["id"])
    body = b'{"start_seconds": 2, "end_seconds": 4}'
    headers = {"Content-Type": "application/json"}
    status, _, stretch = server.ask("POST", f"/api/scans/{other['id']}/examinations", body, headers)
    assert status == 201
    assert server.ask("DELETE", f"/api/scans/{other['id']}")[0] == 204
    found = server.wait(stretch["id"])
    assert found["state"] == "done" and found["verdict"]["looks"] == 3
    assert server.ask("POST", f"/api/scans/{other['id']}/examinations", body, headers)[0] == 404
    late = b'{"start_seconds": 99, "end_seconds": 100}'
    status, _, told = server.ask("POST", f"/api/scans/{film['id']}/examinations", late, headers)
    assert (status, told["code"]) == (400, "bad_request") and "within the video" in told["detail"]


def test_a_case_file_is_made_from_a_form(page, axe, server, film, tmp_path):
    page.goto(f"{server.address}/#/scan/{film['id']}")
    page.get_by_text("Case file", exact=True).click()
    page.get_by_label("Examiner").fill("Desk 3")
    page.get_by_label("Request").fill("Was <it> changed?")
    check_accessible(page, axe)
    with page.expect_download(timeout=PATIENCE_MS) as waiting:
        page.get_by_role("button", name="Make the case file").click()
    page.get_by_text("The case file was made.").wait_for()
    target = tmp_path / "case.zip"
    waiting.value.save_as(target)
    with zipfile.ZipFile(target) as pack:
        pack.extractall(tmp_path)
    found = check_case(tmp_path / "case")
    assert not found.problems and found.files == 4
    report = (tmp_path / "case" / "report.html").read_text(encoding="utf-8")
    assert "Was &lt;it&gt; changed?" in report and "film.mp4" in report
    assert str(server.folder / "scans") not in "".join(
        file.read_text(encoding="utf-8") for file in (tmp_path / "case").iterdir()
    )
