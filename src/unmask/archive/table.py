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
    arrow, parquet = import_arrow()
    data = io.BytesIO()
    parquet.write_table(table_of([_row(record) for record in records], _schema(arrow)), data)
    release_unused()  # of a million files there are a thousand tables
    return data.getvalue()


def table_of(rows: Sequence[dict[str, Any]], schema: Any) -> Any:
    """Plain rows as a table of arrow.

    It goes through JSON, since arrow's way from Python's lists imports pandas and with it 50 MB.

    Args:
        rows: What JSON can say, at least one.
        schema: Of arrow, with all that rows may hold.
    """
    from pyarrow import json as arrow_json

    data = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    # One block, and one thread, so that the same rows give the same bytes.
    whole = arrow_json.ReadOptions(use_threads=False, block_size=len(data) + 1)
    strict = arrow_json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="error")
    return arrow_json.read_json(io.BytesIO(data), whole, strict)


def import_arrow() -> tuple[Any, Any]:
    """Arrow, and its module for Parquet.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ModuleNotFoundError as error:
        raise MissingExtraError("pyarrow", extra="data") from error
    return pyarrow, parquet


def release_unused() -> None:
    """Give memory back that arrow keeps for its next table."""
    import_arrow()[0].default_memory_pool().release_unused()


def _row(record: dict[str, Any]) -> dict[str, Any]:
    people = [person | {"dropped": _reason(person["dropped"])} for person in record["people"]]
    row = record | {"people": people, "reasons": [_reason(reason) for reason in record["reasons"]]}
    model = row.pop("model")
    return row | {"model_name": model["name"], "model_sha256": model["sha256"]}


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
