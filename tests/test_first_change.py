"""The walk-through for a first change works as it is written."""

import re
import textwrap
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from footage import moving_views
from unmask.video import clip_from_arrays, distort

GUIDE = Path(__file__).resolve().parents[1] / "docs" / "first-change.md"


def test_the_distortion_of_the_guide_passes_what_the_guide_promises(monkeypatch):
    function, entry, line = re.findall("```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    inside = vars(distort)
    monkeypatch.setitem(inside, "_fog", None)  # and so it is gone again afterwards
    exec(function, inside)
    monkeypatch.setitem(distort.DISTORTIONS, *eval(f"{{{entry}}}", inside).popitem())
    clip = clip_from_arrays(moving_views(2))

    def images(clip):
        return np.stack([frame.picture.rgb() for frame in clip.frames]).astype(float)

    levels = [images(distort.distort_clip(clip, "fog", level=n)) for n in range(1, distort.LEVELS + 1)]
    gaps = [np.abs(one - images(clip)).mean() for one in levels]
    assert all(later > earlier for earlier, later in pairwise(gaps))
    told = {"images": images, "distort_clip": distort.distort_clip, "CLIP": clip, "pytest": pytest}
    exec(textwrap.dedent(line), told)
