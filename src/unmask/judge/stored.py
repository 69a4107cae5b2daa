"""Verdicts that were written as JSON, read back: what no scan could have written is refused.

Fields that are not known are passed over, so that a later version may add some; those that came
later may lack.
"""

from __future__ import annotations

import json
from functools import cache
from inspect import getdoc
from typing import TYPE_CHECKING, Any

from unmask import verdicts
from unmask.errors import DataError, SettingsError
from unmask.judge.fields import no_constant, once_each
from unmask.quantities import SCHEMA
from unmask.reasons import Reason
from unmask.verdicts import Verdict
from unmask.version import __version__

if TYPE_CHECKING:
    from pydantic import TypeAdapter, ValidationError

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
        values = json.loads(text, object_pairs_hook=once_each, parse_constant=no_constant)
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
    from pydantic import ValidationError  # not needed by a scan

    _check_schema(values)
    try:
        return _adapter().validate_python(values)
    except ValidationError as error:
        raise DataError(f"not a verdict: {_first(error)}") from error


def verdict_schema() -> dict[str, Any]:
    """The JSON Schema of a stored verdict, made from the types."""
    return describe_kinds(_adapter(), "Verdict")


def describe_kinds(adapter: TypeAdapter[Any], title: str, *more: type) -> dict[str, Any]:
    """The JSON Schema of what is stored, with what its dataclasses say of themselves.

    Args:
        adapter: Of what is stored.
        title: Its name.
        more: Dataclasses that occur in it and are not those of verdicts.
    """
    made = adapter.json_schema(mode="serialization") | {"title": title}
    found = (*vars(verdicts).values(), Reason, *more)
    kinds = {kind.__name__: kind for kind in found if isinstance(kind, type)}
    for part in (made, *made["$defs"].values()):  # not every pydantic tells what a dataclass says of itself
        part["description"] = (getdoc(kinds[part["title"]]) or "").partition("\n\n>>>")[0]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | made


@cache
def _adapter() -> TypeAdapter[Verdict]:
    from pydantic import TypeAdapter

    return TypeAdapter(Verdict)


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


def _first(error: ValidationError) -> str:
    """Rule and value of the first field that breaks one."""
    found = error.errors(include_url=False)[0]
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in found["loc"])
    rule = found["msg"].removeprefix("Value error, ")
    return f"verdict{place}: {rule[0].lower()}{rule[1:]}, got {found['input']!r:.80}"
