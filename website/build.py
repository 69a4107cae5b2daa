"""Builds the documentation site: a folder of pages that needs no network.

    pip install '.[docs]'
    python website/build.py -o site

Every link and every heading that a link names must be there, or nothing is written. Open
``site/index.html``, or serve the folder with ``python -m http.server -d site``.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import unquote

from stage import stage

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
# The theme has this one script fetched where pages are opened as files, so that search works there too.
WORKER = re.compile(r"https://unpkg\.com/iframe-worker/shim")
FETCHED = re.compile(
    r"""<(?:script|img|iframe|source|video)[^>]*\ssrc=["']?(https?:[^"'\s>]+)|"""
    r"""<link[^>]*rel=["']?(?:stylesheet|preload|preconnect)[^>]*href=["']?(https?:[^"'\s>]+)"""
)

LOCAL = re.compile(r"""<[^>]*\s(?:src|href)="(?![a-z]+:|//)([^"]*)["]""")


def build(target: Path) -> None:
    """Make the site.

    Args:
        target: The folder; what is there is replaced.

    Raises:
        SystemExit: A link leads nowhere, a page is in no menu, or a page would fetch something.
    """
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        stage(ROOT, work / "docs")
        shutil.copy(HERE / "zensical.toml", work)
        shutil.copytree(HERE / "offline", work / "docs" / "offline")
        done = subprocess.run(
            [sys.executable, "-m", "zensical", "build", "--strict", "--clean"],
            cwd=work,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr))
        make_offline(work / "site")
        check_files(work / "site")
        lost = sorted(set(pages(work / "docs")) - set(named(HERE / "zensical.toml")))
        if lost:
            raise SystemExit(f"every page must be in the menu (website/zensical.toml), got {', '.join(lost)}")
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(work / "site", target)


def pages(docs: Path) -> list[str]:
    """Pages that a menu should name; what was brought along from elsewhere need not be there."""
    found = [page.relative_to(docs).as_posix() for page in docs.rglob("*.md")]
    return [page for page in found if not page.startswith("files/")]


def named(config: Path) -> list[str]:
    """Pages that the menu names."""
    return re.findall(r'"([\w/-]+\.md)"', config.read_text(encoding="utf-8"))


def make_offline(site: Path) -> None:
    """Point the theme's one foreign script to the copy that comes along, and refuse any other."""
    for page in site.rglob("*.html"):
        up = "../" * len(page.parent.relative_to(site).parts)
        text = WORKER.sub(f"{up}offline/iframe-worker.js", page.read_text(encoding="utf-8"))
        page.write_text(text, encoding="utf-8")
        foreign = [first or second for first, second in FETCHED.findall(text)]
        if foreign:
            raise SystemExit(f"{page.name}: must fetch nothing, got {', '.join(foreign)}")


def check_files(site: Path) -> None:
    """Refuse a page that names a file, such as a picture, that is not on the site."""
    for page in site.rglob("*.html"):
        if page.name == "404.html":  # a server's, whose links begin at its top
            continue
        for link in LOCAL.findall(page.read_text(encoding="utf-8")):
            path = unquote(link.partition("#")[0].partition("?")[0])
            if path and not (page.parent / path).exists():
                raise SystemExit(f"{page.relative_to(site).as_posix()}: leads nowhere: {link}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Build the documentation site.")
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "site")
    build(parser.parse_args().output)


if __name__ == "__main__":
    main()
