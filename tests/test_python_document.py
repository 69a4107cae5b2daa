"""The code in docs/python.md runs, from the top to the bottom, as it stands there."""

from __future__ import annotations

import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "python.md"
try:
    from supervision import Detections
except ModuleNotFoundError:

    @dataclass
    class Detections:
        """Takes and checks what supervision's own does."""

        xyxy: np.ndarray
        confidence: np.ndarray
        class_id: np.ndarray
        tracker_id: np.ndarray
        data: dict[str, np.ndarray]

        def __post_init__(self):
            count = len(self.xyxy)
            assert self.xyxy.shape == (count, 4)
            rest = (self.confidence, self.class_id, self.tracker_id, *self.data.values())
            assert all(isinstance(values, np.ndarray) and values.shape == (count,) for values in rest)

        def __len__(self):
            return len(self.xyxy)


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
        patch.setitem(sys.modules, "supervision", SimpleNamespace(Detections=Detections))
        exec(compile(code, str(PAGE), "exec"), found)
    return found


def test_the_parts_of_ones_own_judged(names):
    verdict = names["verdict"]
    assert verdict.outcome.has_number and verdict.model.name == "blur" and len(verdict.people) == 1


def test_the_table_tells_the_worst_frame_of_each_person(names):
    (found,) = names["verdicts"][0].people
    worst = max(frame.p_fake for frame in found.frames if frame.p_fake is not None)
    assert worst == pytest.approx(names["worst"][found.id], abs=0.2)


def test_boxes_become_detections_frame_by_frame(names):
    verdict = names["verdicts"][0]
    (person,) = verdict.people
    found = names["detections"](verdict)
    assert list(found) == [frame.time_seconds for frame in person.frames]
    for frame in person.frames:
        faces = found[frame.time_seconds]
        assert len(faces) == 1 and list(faces.tracker_id) == [person.id]
        np.testing.assert_allclose(faces.xyxy[0], frame.box, rtol=1e-6)
        p_fake = np.nan if frame.p_fake is None else frame.p_fake
        np.testing.assert_equal(faces.data["p_fake"], [p_fake])
