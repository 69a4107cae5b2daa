"""Whoever opens a stranger's file for a command is closed in, seen from outside, as the kernel tells it."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from portraits import moving_views, write_clip
from served import Server
from tiny_model import write_tiny_model
from unmask.work.sandbox import why_no_sandbox

pytestmark = pytest.mark.skipif(bool(why_no_sandbox()), reason=why_no_sandbox() or "it can")
MEMORY_MB = 3000
LIMITED = ["--memory-mb", str(MEMORY_MB)]
CLOSED_IN = {
    "Seccomp": "2",
    "NoNewPrivs": "1",
    "Max data size": str(MEMORY_MB << 20),
    "Max core file size": "0",
}
OPEN = {"Seccomp": "0", "NoNewPrivs": "0"}


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return write_clip(tmp_path_factory.mktemp("media") / "a.mp4", moving_views(6))


@pytest.fixture(scope="module")
def card(tmp_path_factory):
    return write_tiny_model(tmp_path_factory.mktemp("model"))


def workers(parent):
    """Child processes but the one that Python keeps for itself, with what the kernel says of each."""
    for listed in Path(f"/proc/{parent}/task").glob("*/children"):
        for pid in listed.read_text().split():
            place = Path(f"/proc/{pid}")
            try:
                status, limits = (place / "status").read_text(), (place / "limits").read_text()
                own = b"resource_tracker" in (place / "cmdline").read_bytes()
            except OSError:
                continue  # it ended just now
            if not own:
                told = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
                yield pid, told | {line[:26].strip(): line[26:47].strip() for line in limits.splitlines()}


def seen_of(parent, is_over):
    """Of each child process what was seen last, before it ended; at its begin it has no limits yet."""
    seen = {}
    until = time.monotonic() + 120
    while not is_over() and time.monotonic() < until:
        seen |= dict(workers(parent))
        time.sleep(0.02)
    assert is_over() and seen
    return seen.values()


def seen_in(*arguments):
    command = [sys.executable, "-m", "unmask", *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        return seen_of(process.pid, lambda: process.poll() is not None)


def held_by(found, wanted):
    return {name: found[name] for name in wanted}


def test_a_scan_and_its_report(card, clip, tmp_path):
    given = ["scan", "--model", card, clip, "--report", tmp_path / "a.html", "--sandbox", "require", *LIMITED]
    found = seen_in(*given)
    assert len(found) == 2  # one scans, one reads the file again for the report
    for one in found:
        assert held_by(one, CLOSED_IN) == CLOSED_IN and one["Max cpu time"].isdecimal()


def test_off_is_off(card, clip):
    for one in seen_in("scan", "--model", card, clip, "--sandbox", "off", "--memory-mb", "0"):
        assert held_by(one, OPEN) == OPEN and one["Max data size"] == "unlimited"


def test_the_page_and_its_reports(clip, tmp_path):
    with Server(tmp_path / "folder", "--sandbox", "require", *LIMITED) as server:
        scan = server.wait(server.send(clip)["id"])
        (warm,) = [told for _, told in workers(server.process.pid)]
        assert held_by(warm, CLOSED_IN) == CLOSED_IN and warm["Max cpu time"].isdecimal()
        asked = subprocess.Popen(
            [
                sys.executable,
                "-c",
                f"import urllib.request as r; r.urlopen('{server.address}/api/scans/{scan['id']}/report')",
            ]
        )
        with asked:
            found = seen_of(server.process.pid, lambda: asked.poll() is not None)
        assert asked.returncode == 0 and len(found) == 2
        for one in found:
            assert held_by(one, CLOSED_IN) == CLOSED_IN
