"""JSON from outside, taken strictly: keys that come twice, NaN and values of wrong types are refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Never, TypeVar

from unmask.errors import SettingsError

if TYPE_CHECKING:
    from pydantic import TypeAdapter
    from pydantic_core import ErrorDetails

T = TypeVar("T")


def read_json(text: str | bytes) -> Any:
    """What a text in JSON says.

    Raises:
        SettingsError: A key comes twice in an object, or a number is none.
        ValueError: It is no JSON.
        RecursionError: It is nested too deeply.

    >>> read_json('{"a": 1, "a": 2}')
    Traceback (most recent call last):
    unmask.errors.SettingsError: a is given twice
    """
    return json.loads(text, object_pairs_hook=_once_each, parse_constant=_no_constant)


def of_type(kind: Callable[..., T], values: object, name: str) -> T:
    """Values as a dataclass, checked by its types.

    Args:
        kind: Of the dataclass.
        values: Plain JSON types.
        name: What messages call it.

    Raises:
        SettingsError: They break a rule; the message has the place, the rule and the value.
    """
    from pydantic import ValidationError  # slow to load, and not needed by import unmask

    try:
        checked: T = adapter(kind).validate_python(values)
    except ValidationError as error:
        raise SettingsError(_first(error.errors(include_url=False)[0], name)) from error
    return checked


@cache
def adapter(kind: Any) -> TypeAdapter[Any]:
    """What checks values by a type, and makes its JSON Schema."""
    from pydantic import TypeAdapter

    return TypeAdapter(kind)


def _first(found: ErrorDetails, name: str) -> str:
    """Place, rule and value of the first field that breaks one."""
    *inside, last = found["loc"] or ("",)
    if found["type"] == "missing" and isinstance(last, int):
        return f"{_place(name, inside)} lacks item {last + 1}, got {found['input']!r:.80}"
    if found["type"] == "missing":
        return f"{_place(name, inside)} lacks: {last}"
    if found["type"] == "unexpected_keyword_argument":
        return f"{_place(name, inside)} has unknown fields: {last}"
    place = _place(name, found["loc"])
    if found["type"] == "value_error":  # by a rule of ours, which tells the value
        return f"{place}: {found['ctx']['error']}"
    rule = found["msg"]
    return f"{place}: {rule[0].lower()}{rule[1:]}, got {found['input']!r:.80}"


def _place(name: str, inside: Sequence[int | str]) -> str:
    return name + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in inside)


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise SettingsError(f"{key} is given twice")
        result[key] = value
    return result


def _no_constant(name: str) -> Never:
    raise SettingsError(f"numbers must be finite, got {name}")
