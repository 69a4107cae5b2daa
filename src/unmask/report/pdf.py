"""A page as PDF, printed by the Chromium that is installed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from unmask.errors import SettingsError
from unmask.files import whole_file

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
"""Programs that can print, by the name that they are started with; the first that is found is taken."""
_TIME_LIMIT_SECONDS = 120.0
_OPTIONS = (
    "--headless",
    "--disable-gpu",
    "--disable-dev-shm-usage",  # small in containers
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--host-resolver-rules=MAP * ~NOTFOUND",  # a page asks nothing from anywhere, and could not
    "--no-pdf-header-footer",
)


def can_print() -> bool:
    """Whether a program that prints is installed."""
    return any(map(shutil.which, BROWSERS))


def find_browser() -> str:
    """The program that prints.

    Raises:
        SettingsError: None is installed.
    """
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        raise SettingsError(
            f"a PDF needs one of {', '.join(BROWSERS)} on the PATH, found none; install Chromium, or write "
            ".html and print it from any browser"
        )
    return found


def print_page(html: Path, pdf: Path, *, time_limit_seconds: float = _TIME_LIMIT_SECONDS) -> None:
    """Print an HTML file; its ``@page`` and ``@media print`` rules say how.

    Args:
        html: The page; it needs nothing but itself, for there is no network.
        pdf: Where to; it is there as a whole or not at all.
        time_limit_seconds: How long the browser may take.

    Raises:
        SettingsError: No browser is installed, or it wrote no PDF in time.
        OSError: The PDF cannot be written.
    """
    browser = find_browser()
    # Not the user's own profile: its extensions could change the page, and an open window would take over.
    with tempfile.TemporaryDirectory(prefix="unmask-", ignore_cleanup_errors=True) as profile:
        draft = Path(profile) / "page.pdf"
        command = [browser, *_OPTIONS, f"--user-data-dir={profile}/profile", f"--print-to-pdf={draft}"]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            command.append("--no-sandbox")  # Chromium refuses to start as root with it
        problem = _run([*command, html.resolve().as_uri()], Path(profile), time_limit_seconds)
        if not problem and not (draft.is_file() and draft.read_bytes()[:5] == b"%PDF-"):
            problem = "wrote no PDF"
        if problem:
            raise SettingsError(
                f"{browser} must print the page, but {problem}; write .html and print it by hand"
            )
        with whole_file(pdf) as target:
            shutil.copyfile(draft, target)


def print_text(html: str, pdf: Path) -> None:
    """Print HTML that is in no file yet; the rest as `print_page`."""
    with tempfile.TemporaryDirectory(prefix="unmask-", ignore_cleanup_errors=True) as folder:
        page = Path(folder) / "page.html"
        page.write_text(html, encoding="utf-8")
        print_page(page, pdf)


def _run(command: list[str], folder: Path, time_limit_seconds: float) -> str:
    """Run a browser with all its children to the end; what went wrong, or nothing."""
    log = folder / "log"
    # A file rather than a pipe, which a child that outlives the browser would hold open.
    with log.open("wb") as errors:
        try:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=errors, stderr=errors, start_new_session=True
            )
        except OSError as error:
            return f"it could not be started ({error.strerror})"
        try:
            code = process.wait(time_limit_seconds)
        except subprocess.TimeoutExpired:
            return f"it took longer than {time_limit_seconds:g} s"
        finally:
            _end(process)
    last = log.read_text(encoding="utf-8", errors="replace").strip().rpartition("\n")[2]
    return f"it ended with code {code} ({last[:200]})" if code else ""


def _end(process: subprocess.Popen[bytes]) -> None:
    """Leave nothing running, whether it ended, took too long or the user stopped us."""
    if process.poll() is None:
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)  # the group that start_new_session made
        else:
            process.kill()
        process.wait()
