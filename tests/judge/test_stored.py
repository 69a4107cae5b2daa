import json

import pytest

from unmask.errors import DataError
from unmask.judge.stored import read_verdict
from unmask.judge.verdict import unreadable
from unmask.reasons import because
from unmask.verdicts import (
    Appearance,
    ModelName,
    Outcome,
    Person,
    PersonFrame,
    Segment,
    Shot,
    Stability,
    Verdict,
)

FRAME = PersonFrame(0.5, (1.0, 2.0, 3.0, 4.0), ((1.0, 2.0),) * 5, 0.9, None, lightened=True)
VERDICT = Verdict(
    path="a\udcff.mp4",
    sha256="0" * 64,
    outcome=Outcome.FAKE,
    p_fake=0.9,
    reason="person 0 looks manipulated",
    damaged=False,
    people=(Person(0, 0.9, True, None, (FRAME,), False, (Appearance(0, 0.0, 1.0, 0.9, 8),)),),
    model=ModelName("m", "1" * 64),
    unmask="0.1",
    seconds={"total": 1.5},
    stability=Stability(True, {"jpeg 50": Outcome.UNSURE}, {"jpeg 50": None}),
    end_seconds=3.0,
    partial=True,
    shots=(Shot(0.0, 3.0, 8, 1),),
    segments=(Segment(0, 0, 0.0, 1.0, 0.9, Outcome.FAKE),),
)


def values(**changes):
    return VERDICT.to_dict() | changes


def test_a_verdict_comes_back_as_it_was():
    assert read_verdict(json.dumps(VERDICT.to_dict())) == VERDICT


def test_a_failure_of_unmask_comes_back_without_a_number():
    failed = unreadable(
        "a.mp4", because("failed", text="unmask failed on it"), ModelName("m", "1" * 64), ours=True
    )
    assert failed.outcome is Outcome.ERROR and failed.p_fake is None
    assert read_verdict(json.dumps(failed.to_dict())) == failed


def test_fields_that_came_later_may_lack():
    old = values()
    for name in ("shots", "segments", "partial", "start_seconds", "end_seconds", "stability"):
        del old[name]
    read = read_verdict(json.dumps(old).encode())
    assert read.outcome is Outcome.FAKE and read.shots == () and read.partial is False


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"outcome": "true"}, "outcome"),
        ({"outcome": []}, "outcome"),
        ({"p_fake": 1.5}, "p_fake"),
        ({"p_fake": True}, "p_fake"),
        ({"p_fake": None}, "do not go together"),
        ({"outcome": "no_face"}, "do not go together"),
        ({"sha256": "x" * 64}, "sha256"),
        ({"people": {}}, "people"),
        ({"people": [{"id": 0}]}, "people"),
        ({"shots": [{"start_seconds": 1e300, "end_seconds": 0, "frames": 1, "people": 0}]}, "start_seconds"),
        ({"seconds": [1]}, "seconds"),
        ({"extra": 1}, "extra"),
    ],
)
def test_what_no_scan_could_have_written_is_refused_by_name(changes, named):
    with pytest.raises(DataError, match=named):
        read_verdict(json.dumps(values(**changes)))


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", '{"p_fake": NaN}', '{"path": 1, "path": 2}', "[" * 100_000, b"\xff\xfe", "1" * 5000],
)
def test_what_is_no_verdict_is_refused_in_a_sentence(text):
    with pytest.raises(DataError, match="not a verdict"):
        read_verdict(text)
