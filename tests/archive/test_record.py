"""Records: what is kept of a verdict, and the promise that goes with it."""

import io
import json
from pathlib import Path

import jsonschema
import pyarrow.parquet
import pytest

import unmask
from portraits import moving_views, write_clip
from tiny_model import write_tiny_model
from unmask.archive.record import digest_settings, read_record, record_of, record_schema
from unmask.archive.table import records_table
from unmask.config import DecodeSettings, ScanSettings
from unmask.errors import DataError


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return ScanSettings(model=str(write_tiny_model(tmp_path_factory.mktemp("model"))))


@pytest.fixture(scope="module")
def verdict(settings, tmp_path_factory):
    path = write_clip(tmp_path_factory.mktemp("clip") / "a.mp4", moving_views(20))
    return unmask.scan(path, settings=settings)


def record_for(verdict, settings):
    return record_of(verdict, "2026/a.mp4", size_bytes=5, settings=digest_settings(settings))


def test_a_record_says_what_the_verdict_says(verdict, settings):
    record = record_for(verdict, settings)
    assert (record.outcome, record.p_fake, record.sha256) == (verdict.outcome, verdict.p_fake, verdict.sha256)
    assert record.reason_code == verdict.reasons[0].code and record.segments == verdict.segments
    (person,), (seen,) = record.people, verdict.people
    assert (person.p_fake, person.frames, person.kept) == (seen.p_fake, len(seen.frames), True)
    assert person.end_seconds == seen.frames[-1].time_seconds and "seconds" not in record.to_dict()
    assert read_record(json.dumps(record.to_dict())) == record


def test_the_schema_that_ships_is_that_of_the_types(verdict, settings):
    shipped = Path(unmask.__file__).with_name("record.schema.json").read_text(encoding="utf-8")
    assert json.loads(shipped) == record_schema(), "benchmarks/documents.py writes it"
    plain = json.loads(json.dumps(record_for(verdict, settings).to_dict()))
    validator = jsonschema.Draft202012Validator(record_schema())
    assert not list(validator.iter_errors(plain)) and list(validator.iter_errors(plain | {"p_fake": 1.5}))


@pytest.mark.parametrize("changes", [{"p_fake": 1.5}, {"p_fake": None}, {"size_bytes": -1}, {"sha256": "x"}])
def test_what_is_no_record_is_refused(verdict, settings, changes):
    with pytest.raises(DataError, match="not a record"):
        read_record(json.dumps(record_for(verdict, settings).to_dict() | changes))


def test_the_digest_is_of_settings_and_weights_and_not_of_where_they_lie(settings, tmp_path):
    elsewhere = ScanSettings(model=str(write_tiny_model(tmp_path / "elsewhere")))
    assert digest_settings(elsewhere) == digest_settings(settings)
    other = write_tiny_model(tmp_path / "other", thresholds={"fake_at_least": 0.8, "real_at_most": 0.3})
    assert digest_settings(ScanSettings(model=str(other))) != digest_settings(settings)
    fewer = ScanSettings(model=settings.model, decode=DecodeSettings(frames=5))
    assert digest_settings(fewer) != digest_settings(settings)


def test_the_table_says_the_same_as_the_lines(verdict, settings, tmp_path):
    missing = unmask.scan(tmp_path / "gone.mp4", settings=settings)
    plain = [record_for(one, settings).to_dict() for one in (verdict, missing)]
    data = records_table(plain)
    assert data == records_table(plain)
    rows = pyarrow.parquet.read_table(io.BytesIO(data)).to_pylist()
    for row, record in zip(rows, plain, strict=True):
        model = record.pop("model")
        assert (row.pop("model_name"), row.pop("model_sha256")) == (model["name"], model["sha256"])
        reasons = row.pop("reasons")
        told = [{"code": one["code"], "values": json.dumps(one["values"])} for one in record.pop("reasons")]
        assert reasons == told
        assert row == json.loads(json.dumps(record))
