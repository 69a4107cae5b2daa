"""The benchmark of long videos: its footage, and that the document shows the table of its figures."""

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import av
import pytest

from portraits import moving_views, write_clip

ROOT = Path(__file__).resolve().parents[1]
FIGURES = ROOT / "docs" / "long.json"
DOCUMENT = ROOT / "docs" / "performance.md"


@pytest.fixture
def long(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import long

    return long


def test_footage_is_repeated_without_a_gap(long, tmp_path):
    minute = write_clip(tmp_path / "talk_1.mp4", moving_views(20), bf="2")
    film = long.make(tmp_path, "talk", 3)
    with av.open(str(film)) as container:
        times = sorted(float(p.pts * p.time_base) for p in container.demux(video=0) if p.pts is not None)
    assert len(times) == 60 and film.stat().st_size > 2 * minute.stat().st_size
    steps = [later - earlier for earlier, later in pairwise(times)]
    assert min(steps) == pytest.approx(0.1, abs=0.01) and max(steps) == pytest.approx(0.1, abs=0.01)


def test_what_is_drawn_has_cuts_or_none(long):
    edited = long.FOOTAGE["edited"]()
    first = next(edited)
    assert first.shape == (1080, 1920, 3) and next(long.FOOTAGE["talk"]()).shape == first.shape


def test_a_missed_target_is_called_missed(long):
    runs = [
        {
            "file": "edited_10",
            "way": way,
            "round": 0,
            "cpu_seconds": seconds,
            "wall_seconds": 1.0,
            "peak_mb": 1,
        }
        for way, seconds in (("ffmpeg", 10.0), ("shots", 12.0), ("scan", 21.0))
    ]
    assert "| edited, 10 min, up to crops | ≤ 1.3 | 1.20 | yes |" in long.goals(runs)
    assert "| edited, 10 min, scan | ≤ 2.0 | 2.10 | **no** |" in long.goals(runs)


def test_the_document_shows_the_figures(tmp_path):
    copy = tmp_path / "performance.md"
    copy.write_text(DOCUMENT.read_text(encoding="utf-8"), encoding="utf-8")
    command = [sys.executable, ROOT / "benchmarks" / "long.py", "--read", FIGURES, "--into", copy]
    subprocess.run(command, check=True, capture_output=True)
    assert copy.read_text(encoding="utf-8") == DOCUMENT.read_text(encoding="utf-8")
