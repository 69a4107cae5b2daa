"""Groups of clips: what is told of each, and whether one is called fake far more often."""

from dataclasses import replace
from itertools import chain

import numpy as np
import pytest

from unmask.errors import DataError
from unmask.judge.verdict import Ruling
from unmask.lab.evaluate.clips import LabelledClip, read_clips
from unmask.lab.evaluate.examine import Findings
from unmask.lab.evaluate.slices import ENOUGH_REALS, find_uneven, share_of, slice_scores
from unmask.verdicts import Outcome

scipy_stats = pytest.importorskip("scipy.stats")


def people(group, reals, called):
    """Clips of a group, so many of them real and so many of these called fake, and one fake."""
    clips = [LabelledClip(f"{group}{n}", "", False, f"{group}{n}", {"group": group}) for n in range(reals)]
    fake = LabelledClip(f"{group}f", "", True, f"{group}0", {"group": group})
    numbers = [0.9] * called + [0.1] * (reals - called) + [0.9]
    return [*clips, fake], [Ruling(Outcome.UNSURE, p, ()) for p in numbers]


def slices(*groups):
    parts = [people(*group) for group in groups]
    clips, rulings = (list(chain.from_iterable(part)) for part in zip(*parts, strict=True))
    rows = slice_scores(clips, [Findings()] * len(clips), rulings, threshold=0.5)
    return [row for row in rows if row["kind"] == "group"]


def test_a_group_that_is_called_fake_far_more_often_is_named():
    rows = slices(("a", ENOUGH_REALS, 2), ("b", ENOUGH_REALS, 14), ("c", 4 * ENOUGH_REALS, 8))
    assert {row["value"]: row["false_alarms"]["value"] for row in rows} == {"a": 0.02, "b": 0.14, "c": 0.02}
    (found,) = find_uneven(rows)
    assert found["value"] == "b" and found["times"] == pytest.approx(0.14 / (24 / 600), abs=0.01)


def test_a_group_of_few_is_not_held_against_a_model():
    rows = slices(("a", 10 * ENOUGH_REALS, 10), ("b", ENOUGH_REALS - 1, 50))
    assert find_uneven(rows) == []


def test_numbers_of_many_values_come_in_bands_in_order():
    clips, rulings = [], []
    for age in range(60):
        one, said = people(f"{age}", 2, 0)
        clips += [replace(clip, name=f"{age} {clip.name}", facts={"age": f"{age}"}) for clip in one]
        rulings += said
    rows = slice_scores(clips, [Findings()] * len(clips), rulings, threshold=0.5)
    bands = [row["value"] for row in rows if row["kind"] == "age"]
    assert bands == ["0 to 11", "12 to 23", "24 to 35", "36 to 47", "48 to 59"]


@pytest.mark.parametrize(("count", "of"), [(0, 100), (3, 195), (50, 50), (1, 2)])
def test_the_interval_of_a_share_is_that_of_scipy(count, of):
    want = scipy_stats.binomtest(count, of).proportion_ci(method="wilson")
    got = share_of(count, of)
    assert np.allclose([got["low"], got["high"]], [want.low, want.high], atol=1e-5)


def test_facts_come_from_columns_and_from_attributes(tmp_path):
    table = tmp_path / "labels.csv"
    table.write_text("path,label,tone,attributes\na.mp4,REAL,light,age=4;sex=f\nb.mp4,FAKE,dark,\n")
    one, other = read_clips([table], by=["tone", "age"])
    assert one.facts == {"tone": "light", "age": "4"} and other.facts == {"tone": "dark"}
    with pytest.raises(DataError, match="--by must name a column or one of the attributes, got 'race'"):
        read_clips([table], by=["race"])
