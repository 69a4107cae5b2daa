import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

import unmask
from example_reasons import example
from unmask.errors import DataError
from unmask.judge.stored import read_verdict, verdict_schema
from unmask.judge.verdict import unreadable
from unmask.quantities import SCHEMA
from unmask.reasons import because, wordings
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
        ({"damaged": 1}, r"verdict\.damaged: .*boolean, got 1"),
        ({"p_fake": "0.5"}, r"verdict\.p_fake: .*number, got '0.5'"),
        ({"reasons": [{"values": {}}]}, r"verdict\.reasons\[0\] lacks: code"),
        ({"people": {}}, "people"),
        ({"people": [{"id": 0}]}, "people"),
        ({"shots": [{"start_seconds": 1e300, "end_seconds": 0, "frames": 1, "people": 0}]}, "start_seconds"),
        ({"seconds": [1]}, "seconds"),
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


def test_every_reason_comes_back_as_it_was():
    reasons = tuple(example(code) for code in wordings())
    left_out = replace(VERDICT.people[0], p_fake=None, kept=False, dropped=reasons[0])
    told = replace(
        VERDICT, reasons=reasons, people=(left_out,), shots=(Shot(0.0, 3.0, 8, 0, "x", reasons[1]),)
    )
    assert read_verdict(json.dumps(told.to_dict())) == told


def test_what_a_later_version_added_is_passed_over():
    later = values(schema="1.99", loudness=3, reasons=[{"code": "loud", "values": {"level": 3}, "url": ""}])
    later["people"][0]["frames"][0]["ears"] = 2
    read = read_verdict(json.dumps(later))
    assert (read.reason, read.people, read.schema) == (VERDICT.reason, VERDICT.people, SCHEMA)
    assert read.reasons[0].code == "loud" and not read.reasons[0].is_known


def test_a_form_that_means_something_else_is_refused_with_the_way_out():
    with pytest.raises(DataError, match=r"must be of schema 1, .* got 2\.0; read it with a later unmask"):
        read_verdict(json.dumps(values(schema="2.0")))
    for strange in (1, None, "", "one", "9" * 5000):
        with pytest.raises(DataError, match="schema must be a version such as"):
            read_verdict(json.dumps(values(schema=strange)))


def test_what_was_stored_before_there_was_a_schema_is_read():
    old = values()
    del old["schema"], old["reasons"], old["people"][0]["dropped"], old["shots"][0]["unjudged"]
    assert read_verdict(json.dumps(old)) == VERDICT


def test_a_reason_within_reasons_without_end_is_refused():
    deep = {"code": "a", "values": {}}
    for _ in range(300):
        deep = {"code": "a", "values": {"why": deep}}
    with pytest.raises(DataError, match="not a verdict"):
        read_verdict(json.dumps(values(reasons=[deep])))


def test_the_schema_that_ships_is_that_of_the_types():
    shipped = Path(unmask.__file__).with_name("verdict.schema.json").read_text(encoding="utf-8")
    assert json.loads(shipped) == verdict_schema(), "benchmarks/documents.py writes it"


@pytest.mark.parametrize("changes", [{}, {"p_fake": 1.5}, {"people": [{"id": 0}]}, {"damaged": 1}])
def test_the_schema_and_the_reader_agree(changes):
    found = json.loads(json.dumps(values(**changes)))
    fits = not list(jsonschema.Draft202012Validator(verdict_schema()).iter_errors(found))
    assert fits is (not changes)
