"""An original and a copy in step, in a real browser against a real server."""

from __future__ import annotations

import cv2
import pytest

from browsed import PATIENCE_MS, check_accessible, opened
from portraits import moving_views, write_clip


@pytest.fixture(scope="module")
def pair(server, tmp_path_factory):
    """Scans of a film of four seconds, and of a smaller copy that lacks its second second."""
    folder = tmp_path_factory.mktemp("pair")
    there = moving_views(24)
    images = there + there[::-1]
    small = [cv2.resize(image, None, fx=0.8, fy=0.8) for image in (*images[:12], *images[24:])]
    made = {"copy": small, "film": images}
    clips = [write_clip(folder / f"{name}.mp4", views, fps=12) for name, views in made.items()]
    return [server.wait(server.send(clip)["id"])["id"] for clip in clips]


def test_both_play_in_step_and_either_timeline_moves_both(browser, axe, server, pair):
    options = {"bypass_csp": True, "viewport": {"width": 1100, "height": 900}}
    for page in opened(browser, server.address, **options):
        page.goto(f"{server.address}/#/compare/{'/'.join(pair)}")
        page.get_by_role("button", name="Play both in step").click()
        frame = page.frame_locator("#step iframe")
        # It waits for its turn behind the two reports of the page.
        heading = frame.get_by_role("heading", name="film.mp4 and copy.mp4 in step")
        heading.wait_for(timeout=4 * PATIENCE_MS)
        video = frame.locator("video")
        video.wait_for()  # it stands below the heading, and a page is shown while it is still read
        assert video.count() == 1  # one play button
        video.evaluate("video => video.readyState || new Promise(r => { video.onloadedmetadata = r; })")
        assert video.evaluate("video => video.duration") == pytest.approx(3, abs=0.2)
        film, copy = (frame.locator(f"[data-clock={clock}]") for clock in ("original", "copy"))
        size = film.bounding_box()
        film.click(position={"x": size["width"] * 0.75, "y": 20})  # 3 s of the film are 2 s of the copy
        video.evaluate("video => new Promise(r => setTimeout(r, 300))")
        assert video.evaluate("video => video.currentTime") == pytest.approx(2, abs=0.2)
        assert float(copy.get_attribute("aria-valuenow")) == pytest.approx(2, abs=0.2)
        assert float(film.get_attribute("aria-valuenow")) == pytest.approx(3, abs=0.2)
        copy.press("Home")
        video.evaluate("video => new Promise(r => setTimeout(r, 300))")
        assert float(film.get_attribute("aria-valuenow")) == pytest.approx(0, abs=0.1)
        text = frame.locator("main").inner_text()
        assert "of copy.mp4 shows pictures of film.mp4" in text
        assert film.locator(".gone").count() == 1 and copy.locator(".gone").count() == 0
        check_accessible(page, axe)
        page.goto(f"{server.address}/api/scans/{pair[0]}/comparison/{pair[1]}")
        page.set_viewport_size({"width": 360, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        check_accessible(page, axe)
        page.goto(server.address)


def test_what_cannot_be_compared_says_so(server, pair):
    status, _, told = server.ask("GET", f"/api/scans/{pair[0]}/comparison/{'0' * 32}")
    assert status == 404 and told["code"] == "not_found"
