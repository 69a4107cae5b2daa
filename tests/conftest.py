"""Fixtures that all tests share."""

from __future__ import annotations

import os
import signal
from importlib import import_module
from pathlib import Path

import pytest

# Torch on tiny networks is fastest on one thread, and two wait for each other on a busy machine.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# What a script starts as `pytest &` ignores Ctrl-C, and so would all that the tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

CHROMIUM = Path("/usr/bin/chromium")
SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def chromium():
    """Where the system's Chromium is; skips where it is absent, but never in CI."""
    if not CHROMIUM.exists():
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI must have {CHROMIUM}")
        pytest.skip(f"no browser at {CHROMIUM}")
    return CHROMIUM


@pytest.fixture(scope="module")
def browser(chromium):
    """The system's Chromium, driven by playwright."""
    sync_api = _import("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=str(chromium), args=["--no-sandbox", "--disable-gpu"]
        )
        yield launched
        launched.close()


@pytest.fixture
def axe():
    """Looks for what keeps people from using a page."""
    return _import("axe_playwright_python.sync_playwright").Axe()


def _import(name):
    """A module of the extra ``test``; skips where it is absent, but never in CI."""
    return import_module(name) if os.environ.get("CI") == "true" else pytest.importorskip(name)


@pytest.fixture
def faults_folder(tmp_path, monkeypatch) -> Path:
    """Where the details of unmask's own faults go in this test."""
    monkeypatch.setenv("UNMASK_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "faults"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real clips; skips where it is absent, but never in CI."""
    if not SHARED_DATA.is_dir():
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI must have the shared data, and {SHARED_DATA} is absent")
        pytest.skip(f"no shared data at {SHARED_DATA}")
    return SHARED_DATA
