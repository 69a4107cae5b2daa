"""The code in docs/python.md runs, from the top to the bottom, as it stands there."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "python.md"
FILES = ("clip.mp4", "film.mkv", "a.mp4", "b.mp4")


@pytest.fixture(scope="module")
def names(tmp_path_factory):
    """What all of the page's code leaves behind."""
    folder = tmp_path_factory.mktemp("page")
    for name in FILES:
        shutil.copy(ROOT / "examples" / "portrait_swapped.mp4", folder / name)
    found: dict[str, object] = {}
    code = "\n".join(re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        exec(compile(code, str(PAGE), "exec"), found)
    return found


def test_the_parts_of_ones_own_judged(names):
    verdict = names["verdict"]
    assert verdict.outcome.has_number and verdict.model.name == "blur" and len(verdict.people) == 1


def test_the_table_tells_the_worst_frame_of_each_person(names):
    (found,) = names["verdicts"][0].people
    worst = max(frame.p_fake for frame in found.frames if frame.p_fake is not None)
    assert worst == pytest.approx(names["worst"][found.id], abs=0.2)
