"""Take the pictures of docs/report.md and docs/long-videos.md: reports of the example clips, in a browser.

python examples/draw_report.py -o docs/images

Needs playwright and Chromium.
"""

from __future__ import annotations

import argparse
import tempfile
from fractions import Fraction
from pathlib import Path

import av
from playwright.sync_api import Browser, sync_playwright

import unmask
from make_examples import make_original
from unmask.report import ReportOptions, write_report, write_reports
from unmask.report.pdf import find_browser
from unmask.verdicts import Verdict

CLIPS = ("portrait_swapped.mp4", "portrait_real.mp4")
ORIGINAL = "original.mp4"
CUT = "cut_together.mp4"
FILM = "film.mp4"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-o", "--output", type=Path, required=True)
    output: Path = parser.parse_args().output
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_reports(folder)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=find_browser(), args=["--no-sandbox"])
            take_pictures(browser, folder, output)
            browser.close()


def make_reports(folder: Path) -> None:
    """Of the swap, in German of both cut together, of a film of three shots, and the overview."""
    here = Path(__file__).parent
    make_original(folder / ORIGINAL)  # the examples show one face twice, and would be taken for one person
    swapped, original = here / CLIPS[0], folder / ORIGINAL
    files = [*(here / name for name in CLIPS), cut_together([swapped, original], folder / CUT)]
    pairs = [(named(unmask.scan(file)), file) for file in files]
    write_reports(
        pairs, folder / "all", options=ReportOptions(command="unmask scan examples --report all"), jobs=1
    )
    film = cut_together([original, swapped, original], folder / FILM)
    shown = ReportOptions(command=f"unmask scan {FILM} --report film.html", heat_map=False)
    write_report(named(unmask.scan(film)), film, folder / "film.html", options=shown)
    german = ReportOptions(language="de", command=f"unmask scan {CUT} --report {CUT}.html --language de")
    write_report(*pairs[2], folder / "german.html", options=german)


def named(verdict: Verdict) -> Verdict:
    """The verdict without the folders of whoever takes the pictures."""
    from dataclasses import replace

    return replace(verdict, path=Path(verdict.path).name)


def cut_together(files: list[Path], target: Path) -> Path:
    """The clips one after the other, with a hard cut between them."""
    with av.open(str(target), "w") as output:
        stream = output.add_stream("libx264", rate=25, options={"crf": "18"})
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuv420p"
        number = 0
        for file in files:
            with av.open(str(file)) as source:
                for frame in source.decode(video=0):
                    frame.pts, frame.time_base, number = number, Fraction(1, 25), number + 1
                    output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return target


def take_pictures(browser: Browser, folder: Path, output: Path) -> None:
    """Desktop, phone in the dark, as printed, and the overview."""
    swapped, both = (
        folder / "all" / "001-portrait-swapped-mp4.html",
        folder / "all" / "003-cut-together-mp4.html",
    )
    take(browser, swapped, output / "report.jpg", size=(1000, 2180))
    take(browser, swapped, output / "report_top.jpg", size=(1000, 900))
    take(browser, both, output / "report_phone.jpg", size=(360, 900), look="dark", start="article")
    take(browser, folder / "film.html", output / "long_videos.jpg", size=(900, 980), start="article")
    take(browser, folder / "german.html", output / "report_print.jpg", size=(690, 980), look="print")
    take(browser, folder / "all" / "index.html", output / "report_overview.jpg", size=(760, 420))


def take(
    browser: Browser,
    page: Path,
    picture: Path,
    *,
    size: tuple[int, int],
    look: str = "light",
    start: str = "body",
) -> None:
    """One picture of a page from where ``start`` stands on; ``look`` is light, dark or print."""
    width, height = size
    shown = browser.new_page(viewport={"width": width, "height": height})
    shown.emulate_media(
        media="print" if look == "print" else "screen", color_scheme="dark" if look == "dark" else "light"
    )
    shown.goto(page.as_uri())
    shown.evaluate(f"document.querySelector('{start}').scrollIntoView()")
    shown.wait_for_timeout(2000)
    shown.screenshot(path=picture, type="jpeg", quality=82)
    shown.close()


if __name__ == "__main__":
    main()
