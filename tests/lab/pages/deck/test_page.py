"""The deck in a browser."""

import re
import time
from html.parser import HTMLParser

import pytest

from command_line import run
from unmask.lab.pages.deck.page import deck_page
from unmask.lab.pages.deck.parts import Slide

TITLES = [
    "The <b>end</b>",
    "As many fakes as reals|reals for each|fakes for each",
    "real0.mp4 and",
    "A face in 4 of 6 videos, none in 1",
    "From a video to a tensor",
    "No better than chance on val after 8 steps in 2 runs",
    "What the levers did in 2 runs",
    r"AUC 1\.00",
    "Stated probabilities are off by",
    "Worst mistakes",
    "6 videos in",
    "What this does not show",
]


@pytest.fixture
def page(browser, deck):
    """The deck, open, with whatever the browser complained of."""
    opened = browser.new_page(viewport={"width": 1280, "height": 720})
    opened.complaints = []
    opened.on("console", lambda message: opened.complaints.append(message.text))
    opened.on("pageerror", lambda error: opened.complaints.append(str(error)))
    opened.on("request", lambda request: opened.complaints.append(request.url))
    opened.goto(deck.as_uri())
    opened.wait_for_selector("body.live")
    yield opened
    outside = [text for text in opened.complaints if not text.startswith(("data:", deck.as_uri()))]
    assert not outside


def place(page):
    return page.locator("#place").inner_text()


def test_every_slide_is_there_and_says_what_it_shows(page):
    titles = page.locator(".slide h2").all_text_contents()
    assert len(titles) == len(TITLES)
    for told, wanted in zip(titles, TITLES, strict=True):
        assert re.search(wanted, told), told


def test_keys_move_and_the_focus_goes_along(page):
    assert place(page) == "1 / 12"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("PageDown")
    assert place(page) == "3 / 12"
    assert page.locator(".slide.now").count() == 1
    assert page.evaluate("document.activeElement.id") == "title-3"
    assert page.locator("#said").inner_text() == "Slide 3 of 12"
    page.keyboard.press("ArrowLeft")
    assert place(page) == "2 / 12"
    page.keyboard.press("End")
    page.keyboard.press("ArrowRight")
    assert place(page) == "12 / 12" and page.locator("#on").is_disabled()
    page.keyboard.press("Home")
    assert place(page) == "1 / 12" and page.url.endswith("#1")


def test_notes_and_overview_open_by_key(page):
    page.keyboard.press("ArrowRight")
    notes = page.locator(".slide.now .notes")
    assert not notes.is_visible()
    page.keyboard.press("n")
    assert notes.is_visible() and page.locator("#notes").get_attribute("aria-pressed") == "true"
    page.keyboard.press("o")
    assert page.locator(".slide .open:visible").count() == 12
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert place(page) == "3 / 12" and not page.evaluate("document.body.classList.contains('overview')")


def test_keys_within_the_player_do_not_leave_the_slide(page):
    page.goto(page.url.partition("#")[0] + "#3")
    page.locator(".slide.now input[type=range]").focus()
    page.keyboard.press("ArrowRight")
    assert place(page) == "3 / 12"


def test_the_real_one_plays_beside_its_fake(page):
    page.goto(page.url.partition("#")[0] + "#3")
    ends = time.monotonic() + 20
    while page.evaluate("document.querySelector('video').currentTime") < 0.1:
        assert time.monotonic() < ends, "it does not play"
        page.wait_for_timeout(50)
    opaque = "c => c.getContext('2d').getImageData(9, 9, 1, 1).data[3]"
    drawn = page.evaluate(f"[...document.querySelectorAll('canvas')].map({opaque})")
    assert len(drawn) >= 3 and set(drawn) == {255}


def test_a_swipe_moves(browser, deck):
    page = browser.new_context(has_touch=True, viewport={"width": 375, "height": 740}).new_page()
    page.goto(deck.as_uri())
    swipe = """([from, to]) => { for (const [kind, x] of [['touchstart', from], ['touchend', to]]) {
      const touch = new Touch({identifier: 1, target: document.body, clientX: x, clientY: 300});
      const told = {bubbles: true, touches: kind === 'touchstart' ? [touch] : [], changedTouches: [touch]};
      document.body.dispatchEvent(new TouchEvent(kind, told)); } }"""
    page.evaluate(swipe, [300, 100])
    assert place(page) == "2 / 12"
    page.evaluate(swipe, [100, 300])
    assert place(page) == "1 / 12"


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1920, 1080), (360, 740)])
def test_no_slide_is_wider_than_the_window(page, width, height):
    page.set_viewport_size({"width": width, "height": height})
    for _ in TITLES:
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.keyboard.press("ArrowRight")


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1920, 1080)])
def test_a_slide_fits_on_a_wide_screen(page, width, height):
    page.set_viewport_size({"width": width, "height": height})
    for _ in TITLES:
        room = page.evaluate("(m => m.scrollHeight - m.clientHeight)(document.querySelector('main'))")
        assert room <= 1, page.locator(".slide.now h2").inner_text()
        page.keyboard.press("ArrowRight")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(browser, axe, deck, scheme):
    context = browser.new_context(color_scheme=scheme, bypass_csp=True, reduced_motion="reduce")
    page = context.new_page()
    page.goto(deck.as_uri())
    for _ in TITLES:
        found = axe.run(page).response["violations"]
        serious = [one["id"] for one in found if one["impact"] in ("serious", "critical")]
        assert not serious, (page.locator(".slide.now h2").inner_text(), found)
        page.keyboard.press("ArrowRight")


def test_a_pdf_has_a_page_a_slide_that_holds_all_of_it(project, page, tmp_path):
    pdf = tmp_path / "slides.pdf"
    assert run("present", *project.all, "-o", pdf, "--no-videos") == 0
    pages = re.findall(rb"/Type\s*/Page\b(?!s)", pdf.read_bytes())
    assert len(pages) == 12 - 2  # without videos nothing plays and no tensor is made
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 1280, "height": 720})
    heights = page.evaluate(
        "[...document.querySelectorAll('.slide')].map(s => [s.clientHeight, s.scrollHeight])"
    )
    fading = "s => getComputedStyle(s).animationName"  # a browser prints what it shows in that instant
    assert set(page.evaluate(f"[...document.querySelectorAll('.slide')].map({fading})")) == {"none"}
    assert [high for high, _ in heights] == [720] * 12
    assert [full for _, full in heights] == [720] * 12
    whole = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b(?!s)", whole)) == 12


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def test_texts_cannot_become_markup_and_nothing_is_inline():
    bad = '<script>alert(1)</script>"><img src=x onerror=alert(1)>'
    page = deck_page(bad, [Slide(bad, "<p>fine</p>", (bad,))])
    tags = Tags()
    tags.feed(page)
    assert [tag for tag, _ in tags.found].count("script") == 1
    assert "img" not in {tag for tag, _ in tags.found}
    assert not any(name.startswith("on") or name == "style" for _, attrs in tags.found for name in attrs)
    policy = next(attrs["content"] for _, attrs in tags.found if attrs.get("http-equiv"))
    assert "unsafe" not in policy and "default-src 'none'" in policy
