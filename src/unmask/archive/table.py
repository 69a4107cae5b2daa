"""Records as a Parquet table, with one schema for all shards."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from typing import Any

from unmask.errors import MissingExtraError


def records_table(records: Sequence[dict[str, Any]]) -> bytes:
    """A Parquet file of a shard's records.

    Its columns are the fields of `unmask.archive.record.Record`, with ``model_name`` and ``model_sha256`` for
    ``model``, and the values of reasons as JSON.

    Raises:
        MissingExtraError: pyarrow is not installed.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ModuleNotFoundError as error:
        raise MissingExtraError("pyarrow", extra="data") from error
    schema = _schema(pyarrow)
    rows = [_row(record) for record in records]
    data = io.BytesIO()
    parquet.write_table(pyarrow.Table.from_pylist(rows, schema), data)
    return data.getvalue()


def _row(record: dict[str, Any]) -> dict[str, Any]:
    people = [person | {"dropped": _reason(person["dropped"])} for person in record["people"]]
    model = record["model"]
    told = {"model_name": model["name"], "model_sha256": model["sha256"], "people": people}
    return record | told | {"reasons": [_reason(reason) for reason in record["reasons"]]}


def _reason(reason: dict[str, Any] | None) -> dict[str, str] | None:
    return reason and {"code": reason["code"], "values": json.dumps(reason["values"])}


def _schema(arrow: Any) -> Any:
    text, number, whole, flag = arrow.string(), arrow.float64(), arrow.int64(), arrow.bool_()
    reason = arrow.struct([("code", text), ("values", text)])
    when = [("start_seconds", number), ("end_seconds", number)]
    person = [
        ("id", whole),
        ("p_fake", number),
        ("kept", flag),
        ("frames", whole),
        *when,
        ("dropped", reason),
    ]
    segment = [("person", whole), ("shot", whole), *when, ("p_fake", number), ("outcome", text)]
    return arrow.schema(
        [
            ("schema", text),
            ("name", text),
            ("size_bytes", whole),
            ("sha256", text),
            ("duplicate_of", text),
            ("outcome", text),
            ("p_fake", number),
            ("log_odds", number),
            ("reason_code", text),
            ("reason", text),
            ("reasons", arrow.list_(reason)),
            ("damaged", flag),
            ("partial", flag),
            *when,
            ("shots", whole),
            ("people", arrow.list_(arrow.struct(person))),
            ("segments", arrow.list_(arrow.struct(segment))),
            ("model_name", text),
            ("model_sha256", text),
            ("settings", text),
            ("unmask", text),
        ]
    )
