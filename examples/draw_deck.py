"""Make a deck from the example clips, and draw four of its slides.

    pip install -e '.[test]'
    python examples/draw_deck.py -o docs/images/present.png

Two more clips are made of the real one: the same in the dark, and its lower edge, where nobody is. The
numbers on such slides say nothing: they come from four clips of one portrait. Needs /usr/bin/chromium.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
from playwright.sync_api import sync_playwright

import unmask
from make_examples import make_original
from unmask.video.encoding import encode_video

EXAMPLES = Path(__file__).resolve().parent
CHROMIUM = "/usr/bin/chromium"
DARK_SHARE = 0.1
SHOWN = ("and its fake", "A face in", "From a video", "Stated probabilities")
WIDTH, HEIGHT, GAP = 1280, 720, 16


def write_set(folder: Path) -> Path:
    """A real clip, its fake, and two clips that are hard to find a face in."""
    for kind in ("real", "fake"):
        (folder / kind).mkdir(parents=True)
    make_original(folder / "real" / "portrait.mp4")
    shutil.copyfile(EXAMPLES / "portrait_swapped.mp4", folder / "fake" / "portrait.mp4")
    clip = unmask.read_clip(folder / "real" / "portrait.mp4")
    images = np.stack([frame.picture.rgb() for frame in clip.frames])
    rate = len(images) / clip.duration_seconds
    dark = (images * DARK_SHARE).astype(np.uint8)
    (folder / "real" / "dark.mp4").write_bytes(encode_video(dark, fps=rate))
    edge = np.ascontiguousarray(images[:, -128:, :320])
    (folder / "real" / "nobody.mp4").write_bytes(encode_video(edge, fps=rate))
    return folder


def run(*arguments: object) -> None:
    """One command of unmask, as a user gives it."""
    subprocess.run([sys.executable, "-m", "unmask", *map(str, arguments)], check=True)


def make_deck(folder: Path) -> Path:
    """From the clips to the slides."""
    run("data", "index", write_set(folder / "set"), "-o", folder / "index.parquet")
    run("extract", folder / "index.parquet", "-o", folder / "crops", "--workers", 1)
    run("evaluate", folder / "index.parquet", "-o", folder / "report", "--jobs", 1)
    made = [folder / name for name in ("index.parquet", "crops", "report")]
    run("present", *made, "-o", folder / "slides.html")
    return folder / "slides.html"


def draw(deck: Path, picture: Path) -> None:
    """Four slides in a square."""
    shots = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, reduced_motion="reduce")
        page.goto(deck.as_uri())
        titles = page.locator(".slide h2").all_text_contents()
        for words in SHOWN:
            number = next(n for n, title in enumerate(titles, start=1) if words in title)
            page.goto(f"{deck.as_uri()}#{number}")
            page.wait_for_timeout(800)
            data = np.frombuffer(page.screenshot(), np.uint8)
            shots.append(cv2.imdecode(data, cv2.IMREAD_COLOR))
        browser.close()
    sheet = np.full((2 * HEIGHT + 3 * GAP, 2 * WIDTH + 3 * GAP, 3), 200, np.uint8)
    for place, shot in enumerate(shots):
        top, left = GAP + place // 2 * (HEIGHT + GAP), GAP + place % 2 * (WIDTH + GAP)
        sheet[top : top + HEIGHT, left : left + WIDTH] = shot
    cv2.imwrite(str(picture), cv2.resize(sheet, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-o", "--output", type=Path, required=True, help="the picture")
    parser.add_argument("--keep", type=Path, help="an empty folder for the project and its slides.html")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        draw(make_deck(options.keep or Path(folder)), options.output)


if __name__ == "__main__":
    main()
