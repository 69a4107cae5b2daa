"""Take pictures of the page that `unmask serve` shows, with the two example clips.

python examples/draw_serve.py -o docs/images
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright

EXAMPLES = Path(__file__).parent
CLIPS = [EXAMPLES / name for name in ("portrait_real.mp4", "portrait_swapped.mp4")]
PATIENCE_MS = 90_000
SHOWN = ("running_desktop", "list_phone", "scan_desktop", "compare_dark")  # what the documents show
SIZES = {"desktop": (1180, 860, "light"), "phone": (360, 740, "light"), "dark": (1180, 860, "dark")}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--browser", default="/usr/bin/chromium")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as address, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=options.browser, args=["--no-sandbox"])
        for name, (width, height, scheme) in SIZES.items():
            page = open_page(browser, address, width, height, scheme)
            draw(page, options.output, name, first=name == "desktop")
            page.context.close()
        browser.close()


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """A server on a free port; gives its address."""
    command = [sys.executable, "-m", "unmask", "serve", "--port", "0", "--folder", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        try:
            yield server.stdout.readline().split()[-1]
        finally:
            server.terminate()


def open_page(browser: Browser, address: str, width: int, height: int, scheme: str) -> Page:
    size = {"width": width, "height": height}
    context = browser.new_context(viewport=size, color_scheme=scheme, locale="en-GB", device_scale_factor=1)
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(address)
    return page


def draw(page: Page, output: Path, name: str, *, first: bool) -> None:
    """The list, one scan with its report, and both side by side."""
    if first:
        page.set_input_files("#files", CLIPS)
        page.locator(".partial").first.wait_for()
        keep(page, output, f"running_{name}")
    page.locator("#scans [data-state=done]").nth(1).wait_for()
    keep(page, output, f"list_{name}")
    page.get_by_role("link", name="portrait_swapped.mp4").click()
    page.get_by_role("button", name="Show the report here").click()
    page.frame_locator("iframe").locator("h2").first.wait_for()
    keep(page, output, f"scan_{name}", whole=True)
    page.goto(re.sub("#.*", "", page.url))
    for number in range(2):
        page.get_by_role("checkbox").nth(number).check()
    page.get_by_role("link", name="Compare the two selected scans").click()
    for number in range(2):
        page.frame_locator("iframe").nth(number).locator("h2").first.wait_for()
    keep(page, output, f"compare_{name}")


def keep(page: Page, output: Path, name: str, *, whole: bool = False) -> None:
    """Write what is seen, small, if a document shows it."""
    if name in SHOWN:
        pixels = np.frombuffer(page.screenshot(full_page=whole), np.uint8)
        target = output / f"serve_{name}.webp"
        cv2.imwrite(str(target), cv2.imdecode(pixels, cv2.IMREAD_COLOR), [cv2.IMWRITE_WEBP_QUALITY, 80])


if __name__ == "__main__":
    main()
