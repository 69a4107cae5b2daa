"""The page in a real browser, against a real server."""

from __future__ import annotations

import re
import shutil
import time
from dataclasses import asdict
from pathlib import Path

import pytest

from browsed import PATIENCE_MS, check_accessible, opened
from example_reasons import example
from served import REAL, SWAPPED, Server
from unmask.reasons import LANGUAGES, because, sentence, wordings


@pytest.fixture
def page(browser, server):
    """The page, which must leave no error in the console and ask nothing from anywhere else."""
    yield from opened(browser, server.address)


@pytest.fixture(scope="module")
def key(server):
    """A finished scan."""
    return server.wait(server.send(REAL)["id"])["id"]


def item(page, name):
    return page.locator("#scans > li").filter(has_text=name).first


def _hold(page, address):
    """Hold back what the page asks of an address; gives who waits for the first of it, to let it go on."""
    waiting = []
    page.route(address, lambda route: waiting.append(route))

    def first():
        until = time.monotonic() + PATIENCE_MS / 1000
        while not waiting:
            assert time.monotonic() < until, f"the page never asked for {address}"
            page.wait_for_timeout(20)  # requests are heard of only while Playwright waits
        return waiting[0]

    return first


def _wait_pictures(page, count):
    there = "[...document.querySelectorAll('main img.face')].filter(image => image.naturalWidth > 0).length"
    page.wait_for_function(f"count => {there} >= count", arg=count)


def test_a_clip_from_upload_to_report_to_deletion(page, server, tmp_path):
    clip = Path(shutil.copy(SWAPPED, tmp_path / "uploaded.mp4"))
    page.locator("#drop").wait_for()
    page.evaluate(
        "() => { window.states = new Set(); new MutationObserver(() => window.states.add("
        "document.querySelector('#scans > li').dataset.state))"
        ".observe(document.querySelector('#scans'), { childList: true }); }"
    )
    page.set_input_files("#files", clip)
    row = item(page, clip.name)
    row.and_(page.locator("[data-state=done]")).wait_for()
    assert set(page.evaluate("[...window.states]")) & {"decoding", "faces", "scoring"}
    key = row.get_attribute("data-id")
    scan = server.get(f"/api/scans/{key}")
    words = {"fake": "looks manipulated", "real": "no sign found", "unsure": "cannot tell"}
    assert words[scan["outcome"]] in row.inner_text()
    row.get_by_role("link").click()
    page.get_by_role("heading", name=clip.name).wait_for()
    assert scan["sha256"] in page.inner_text("main")
    people = page.locator(".people b").all_inner_texts()
    assert people == [f"Person {number}" for number in range(1, len(people) + 1)] and people
    _wait_pictures(page, len(people))  # faces are there before any report
    page.get_by_role("button", name="Show the report here").click()
    report = page.frame_locator("iframe")
    video = report.locator("video").first
    video.wait_for()
    for said in (".headline", ".estimate", ".worth"):  # by the page already
        assert report.locator(f".banner {said}").is_hidden()
    assert report.locator(".banner").inner_text().startswith("What to do: ")
    timeline = report.locator("[data-pieces]").first
    for share in (0.25, 0.75):  # a click on the person's timeline makes the video jump there
        size = timeline.bounding_box()
        timeline.click(position={"x": size["width"] * share, "y": size["height"] / 2})
        time = video.evaluate("video => video.currentTime")
        assert abs(time - 3.2 * share) < 0.6
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Keep").click()
    server.get(f"/api/scans/{key}")
    page.get_by_role("button", name="Delete").click()
    page.locator("#ask-yes").click()
    page.locator("#drop").wait_for()
    assert page.locator(f"[data-id='{key}']").count() == 0
    server.get(f"/api/scans/{key}", status=404)


def test_two_at_once_and_side_by_side(page, tmp_path):
    clips = [Path(shutil.copy(one, tmp_path / f"beside_{one.name}")) for one in (REAL, SWAPPED)]
    page.set_input_files("#files", clips)
    for clip in clips:
        row = item(page, clip.name)
        row.and_(page.locator("[data-state=done]")).wait_for()
        row.get_by_role("checkbox").check()
    page.get_by_role("link", name="Compare the two selected scans").click()
    page.get_by_role("heading", name="Two scans side by side").wait_for()
    assert "different" in page.inner_text("main table")
    for number, clip in enumerate(clips):
        page.frame_locator("iframe").nth(number).locator("h2").first.wait_for()
        assert page.locator("article").nth(number).get_by_role("link", name=clip.name).count() == 1


def test_what_cannot_be_judged_says_so_and_does_not_look_real(page, tmp_path):
    text = tmp_path / "notes.txt"
    text.write_text("only words " * 100)
    large, empty = tmp_path / "large.mp4", tmp_path / "empty.mp4"
    large.write_bytes(bytes(2**21 + 1))
    empty.touch()
    page.set_input_files("#files", [text, large, empty])
    told = page.locator("#uploads [role=alert]").all_inner_texts()
    assert len(told) == 2 and "too large" in told[0] and "at most 2 MB" in told[0] and "empty" in told[1]
    row = item(page, "notes.txt").and_(page.locator("[data-state=done]"))
    row.wait_for()
    assert "not readable" in row.inner_text() and "%" not in row.inner_text()
    assert "no sign" not in row.inner_text()
    for _ in range(2):
        page.get_by_role("button", name="Dismiss").first.click()
    assert page.locator("#uploads > li").count() == 0


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_reason_is_told_in_the_language_of_the_page_as_reports_tell_it(page, language):
    page.locator("#drop").wait_for()
    found = [example(code) for code in wordings()]
    found += [
        because("nobody_found", frames=1),
        because(
            "between",
            person=3,
            start_seconds=1.25,
            end_seconds=1.25,
            p_fake=0.5,
            real_at_most=0.00012,
            fake_at_least=0.875,
        ),
    ]
    told = page.evaluate(
        "async ([reasons, language]) => { const words = await import('/static/words.js');"
        " words.useLanguage(language); return reasons.map(words.sentence); }",
        [[asdict(one) for one in found], language],
    )
    assert told == [sentence(one, language) for one in found]


def test_why_a_file_was_not_judged_is_told_in_german(page, server, tmp_path):
    clip = Path(shutil.copy(SWAPPED, tmp_path / "short.mp4"))
    clip.write_bytes(clip.read_bytes()[:3000])
    key = server.wait(server.send(clip)["id"])["id"]
    page.goto(f"{page.url}#/scan/{key}")
    page.get_by_label("Language").select_option("de")
    page.locator("#verdict", has_text="Grund: ihr Index lässt sich nicht lesen").wait_for()
    assert page.locator("#verdict [lang=en]").count() == 0


def test_a_path_is_scanned_and_a_wrong_one_explained(page, tmp_path):
    clip = shutil.copy(REAL, tmp_path / "named.mp4")
    page.get_by_label("path of a file").fill(str(clip))
    page.get_by_role("button", name="Scan", exact=True).click()
    item(page, "named.mp4").and_(page.locator("[data-state=done]")).wait_for()
    page.troubles.clear()
    page.get_by_label("path of a file").fill("/no/such/file.mp4")
    page.get_by_role("button", name="Scan", exact=True).click()
    page.locator("#problem", has_text="leads to no file").wait_for()
    page.troubles[:] = [one for one in page.troubles if "404" not in one]  # the browser notes the refusal


def test_files_can_be_dropped_anywhere(page):
    page.locator("#drop").wait_for()
    files = page.evaluate_handle(
        "() => { const some = new DataTransfer(); some.items.add(new File(['x'], 'dropped.mp4')); "
        "return some; }"
    )
    page.dispatch_event("footer", "drop", {"dataTransfer": files})
    item(page, "dropped.mp4").and_(page.locator("[data-state=done]")).wait_for()


def test_a_token_is_asked_for_and_then_all_works(browser, tmp_path):
    with Server(tmp_path / "folder", environment={"UNMASK_TOKEN": "correct-horse-battery"}) as one:
        for page in opened(browser, one.address):
            page.get_by_label("Token").fill("wrong-horse-wrong-battery")
            page.get_by_role("button", name="Go on").click()
            page.get_by_text("That is not the token.").wait_for()
            page.get_by_label("Token").fill("correct-horse-battery")
            page.keyboard.press("Enter")
            page.locator("#drop").wait_for()
            page.troubles[:] = [said for said in page.troubles if "401" not in said]  # notes of the refusals
            page.set_input_files("#files", REAL)
            item(page, REAL.name).and_(page.locator("[data-state=done]")).wait_for()
            item(page, REAL.name).get_by_role("link").click()
            page.get_by_role("button", name="Show the report here").click()
            page.frame_locator("iframe").locator("video").first.wait_for()
            page.reload()
            page.get_by_role("heading", name=REAL.name).wait_for()


def test_a_hostile_name_is_inert(page, tmp_path):
    name = "<img src=x onerror=alert(1)>\u202egpm.mp4"
    file = tmp_path / name
    file.write_bytes(b"nothing")
    page.on("dialog", lambda dialog: pytest.fail("a name ran"))
    page.set_input_files("#files", file)
    row = item(page, "onerror").and_(page.locator("[data-state=done]"))
    row.wait_for()
    row.get_by_role("link").click()
    page.get_by_role("heading", name="could not be read").wait_for()
    assert page.locator("main img").count() == 0


def test_faces_are_shown_before_any_report_and_it_can_be_printed(page, key):
    row = page.locator(f"#scans > li[data-id='{key}']")
    row.wait_for()
    assert row.locator("img.face").evaluate("image => image.decode().then(() => image.naturalWidth)") == 128
    row.get_by_role("link").click()
    page.locator(".people img.face").first.wait_for()
    with page.expect_download(timeout=180_000) as sent:  # a report, and a browser that prints it
        page.get_by_role("button", name="Report as PDF").click()
        page.locator(".actions .partial").filter(has_text=re.compile("read again|printed|written")).wait_for()
    assert Path(sent.value.path()).read_bytes().startswith(b"%PDF-")
    assert sent.value.suggested_filename == f"{REAL.name}.pdf"


def test_a_refusal_is_told_in_german(page):
    page.get_by_label("Language").select_option("de")
    page.get_by_label("Pfad einer Datei").fill("/no/such/file.mp4")
    with page.expect_console_message(lambda message: "404" in message.text):  # it may come after the words
        page.get_by_role("button", name="Prüfen", exact=True).click()
    page.locator("#problem", has_text="Diese Datei oder Prüfung gibt es nicht.").wait_for()
    page.troubles[:] = [one for one in page.troubles if "404" not in one]
    page.get_by_label("Sprache").select_option("en")


def test_nothing_is_drawn_before_the_page_knows_what_it_needs_nor_twice(browser, server, key):
    """Language and address may change at once after a click on a link; what was opened then stays open."""
    context = browser.new_context(locale="en-GB")
    page = context.new_page()
    troubles = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    limits = _hold(page, "**/api/limits")
    page.goto(server.address)
    limits()
    page.get_by_label("Language").select_option("de")
    page.evaluate("key => { location.hash = `#/scan/${key}`; }", key)
    limits().continue_()
    page.get_by_role("button", name="Bericht hier anzeigen").click()
    page.locator("iframe.report").wait_for()
    assert page.locator("html").get_attribute("lang") == "de"
    one = re.compile(rf"/api/scans/{key}\?")
    scan = _hold(page, one)
    page.evaluate("location.hash = '#/'")  # and before the scan has come, back to the list
    page.locator("#drop").wait_for()
    page.evaluate("key => { location.hash = `#/scan/${key}`; }", key)
    scan()
    page.evaluate("location.hash = '#/'")
    page.locator("#drop").wait_for()
    with page.expect_response(one):
        scan().continue_()
    page.wait_for_timeout(200)
    assert page.locator("#drop").count() == 1
    assert not troubles
    context.close()


def test_what_is_typed_while_the_page_begins_stays(browser, server):
    context = browser.new_context(locale="en-GB")
    page = context.new_page()
    scans = _hold(page, "**/api/scans?limit=1")
    page.goto(server.address)
    page.locator("#retention:not(:empty)").wait_for()
    page.get_by_label("Language").select_option("de")
    field = page.get_by_label("Pfad einer Datei")
    field.fill("typed")
    scans().continue_()
    page.wait_for_timeout(300)
    assert field.input_value() == "typed"
    context.close()


@pytest.mark.usefixtures("key")
def test_it_can_be_searched_and_speaks_german(page):
    page.locator("#scans > li").first.wait_for()
    page.get_by_label("Search by name").fill("no such name")
    page.get_by_text("No scan fits the search.").wait_for()
    page.get_by_label("Language").select_option("de")
    page.get_by_text("Keine Prüfung passt zur Suche.").wait_for()
    page.get_by_label("Nach Namen suchen").fill("")
    page.locator("#scans > li").first.wait_for()
    assert page.locator("html").get_attribute("lang") == "de"
    page.get_by_label("Sprache").select_option("en")


@pytest.mark.usefixtures("key")
def test_the_keyboard_is_enough(page):
    page.locator("#scans > li").first.wait_for()
    page.keyboard.press("Tab")
    assert page.evaluate_handle("document.activeElement").inner_text() == "Skip to content"
    seen = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        seen.add(page.evaluate("document.activeElement.id || document.activeElement.textContent"))
    assert {"files", "path", "search", "outcome", "language", "Delete"} <= seen


@pytest.mark.parametrize(("scheme", "width"), [("light", 360), ("dark", 1280)])
def test_it_is_accessible_and_fits(browser, axe, server, key, scheme, width):
    options = {"color_scheme": scheme, "viewport": {"width": width, "height": 800}, "bypass_csp": True}
    for page in opened(browser, server.address, **options):
        for place, there in (
            ("#/", "#scans > li"),
            (f"#/scan/{key}", "#report"),
            (f"#/compare/{key}/{key}", ".sides"),
        ):
            page.goto(f"{server.address}/{place}")
            page.locator(there).first.wait_for()
            assert page.evaluate("document.documentElement.scrollWidth") <= width, place
            check_accessible(page, axe)
        page.goto(f"{server.address}/api-docs")
        page.locator(".operation").first.wait_for()
        check_accessible(page, axe)
        page.goto(server.address)


def test_a_server_that_is_killed_and_comes_back(browser, tmp_path):
    with Server(tmp_path / "folder") as first:
        port = first.port
        pages = opened(browser, first.address)
        page = next(pages)
        page.set_input_files("#files", [SWAPPED, REAL])
        page.locator("#scans > li").nth(1).wait_for()
        first.kill()
        page.locator("#problem", has_text="does not answer").wait_for()
    with Server(tmp_path / "folder", "--port", port):
        page.locator("#scans [data-state=interrupted]").or_(page.locator("#scans [data-state=done]")).nth(
            1
        ).wait_for()
        assert "Interrupted" in page.inner_text("#scans")
        page.troubles[:] = [
            one for one in page.troubles if not re.search("ERR_CONNECTION|ERR_INCOMPLETE|net::", one)
        ]
        assert next(pages, None) is None
