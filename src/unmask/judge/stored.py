"""Verdicts that were written as JSON, read back: what no scan could have written is refused.

Fields that are not known are passed over, so that a later version may add some; those that came
later may lack.
"""

from __future__ import annotations

from inspect import getdoc
from typing import Any

from unmask import verdicts
from unmask.errors import DataError, SettingsError
from unmask.judge.strict import adapter, of_type, read_json
from unmask.quantities import SCHEMA
from unmask.reasons import Reason
from unmask.verdicts import Verdict
from unmask.version import __version__

MAX_BYTES = 256 * 2**20
"""Longest text that is read; ten thousand frames of one person take about 3 MB."""


def read_verdict(text: str | bytes) -> Verdict:
    """A verdict from a line of ``unmask scan --json``, or `Verdict.to_dict` as JSON.

    Args:
        text: JSON of one verdict.

    Raises:
        DataError: It is too long, no JSON, no verdict, or of a later version that changed what fields
            mean; the message names the field.
    """
    if len(text) > MAX_BYTES:
        raise DataError(f"a verdict must be at most {MAX_BYTES} bytes, got {len(text)}")
    try:
        values = read_json(text)
    except SettingsError as error:
        raise DataError(f"not a verdict: {error}") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"not a verdict in JSON ({error})") from error
    return verdict_of(values)


def verdict_of(values: object) -> Verdict:
    """A verdict from what `Verdict.to_dict` gives, or JSON made of it.

    Raises:
        DataError: It is none; the message names the field.
    """
    _check_schema(values)
    try:
        return of_type(Verdict, values, "verdict")
    except SettingsError as error:
        raise DataError(f"not a verdict: {error}") from error


def verdict_schema() -> dict[str, Any]:
    """The JSON Schema of a stored verdict, made from the types."""
    return describe_kinds(Verdict, "Verdict")


def describe_kinds(stored: type, title: str, *more: type) -> dict[str, Any]:
    """The JSON Schema of what is stored, with what its dataclasses say of themselves.

    Args:
        stored: The dataclass that is stored.
        title: Its name.
        more: Dataclasses that occur in it and are not those of verdicts.
    """
    made = adapter(stored).json_schema(mode="serialization") | {"title": title}
    found = (*vars(verdicts).values(), Reason, *more)
    kinds = {kind.__name__: kind for kind in found if isinstance(kind, type)}
    for part in (made, *made["$defs"].values()):  # not every pydantic tells what a dataclass says of itself
        part["description"] = (getdoc(kinds[part["title"]]) or "").partition("\n\n>>>")[0]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | made


def _check_schema(values: object) -> None:
    given = values.get("schema", SCHEMA) if isinstance(values, dict) else SCHEMA
    major = given.partition(".")[0] if isinstance(given, str) else ""
    if not major.isdecimal() or len(major) > 9:
        raise DataError(f"not a verdict: schema must be a version such as {SCHEMA}, got {given!r:.80}")
    known = SCHEMA.partition(".")[0]
    if int(major) > int(known):
        raise DataError(
            f"a verdict must be of schema {known}, which unmask {__version__} knows, got {given:.80}; "
            "read it with a later unmask"
        )
