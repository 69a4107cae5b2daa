import os
import re
import stat
import time
from pathlib import Path

import pytest

from unmask.errors import SettingsError
from unmask.report.pdf import BROWSERS, print_page

TWO_PAGES = "<!doctype html><style>p{break-after:page}</style><p>first<p>second"


@pytest.fixture
def page(tmp_path):
    page = tmp_path / "a page.html"
    page.write_text(TWO_PAGES, encoding="utf-8")
    return page


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """Put a shell script in the browser's place."""
    folder = tmp_path / "bin"
    folder.mkdir()

    def put(script):
        program = folder / BROWSERS[0]
        program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)

    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}/bin{os.pathsep}/nowhere")
    return put


def count_pages(pdf: Path) -> int:
    return len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf.read_bytes()))


def test_a_page_is_printed_whole(page, tmp_path, chromium):
    pdf = tmp_path / "out.pdf"
    print_page(page, pdf)
    assert pdf.read_bytes().startswith(b"%PDF-")
    assert count_pages(pdf) == 2
    assert {file.name for file in tmp_path.iterdir()} == {page.name, pdf.name}


def test_without_a_browser_it_says_what_to_do(page, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SettingsError, match=r"chromium.*found none; install Chromium, or write \.html"):
        print_page(page, tmp_path / "out.pdf")


@pytest.mark.parametrize(
    ("script", "told"),
    [("echo no display >&2; exit 3", r"code 3 \(no display\)"), ("exit 0", "wrote no PDF")],
)
def test_a_browser_that_fails_leaves_the_old_file(page, tmp_path, stand_in, script, told):
    stand_in(script)
    pdf = tmp_path / "out.pdf"
    pdf.write_bytes(b"old")
    with pytest.raises(SettingsError, match=told):
        print_page(page, pdf)
    assert pdf.read_bytes() == b"old"


def test_a_browser_that_hangs_is_ended_with_its_children(page, tmp_path, stand_in):
    alive = tmp_path / "alive"
    stand_in(f"(while :; do echo >> '{alive}'; sleep 0.1; done) & wait")
    with pytest.raises(SettingsError, match=r"longer than 0\.5 s"):
        print_page(page, tmp_path / "out.pdf", time_limit_seconds=0.5)
    before = alive.stat().st_size
    time.sleep(0.5)
    assert alive.stat().st_size == before
