"""Values of a JSON file, taken strictly: what is of a wrong kind, lacking or not finite is refused by name.

Every function here raises `SettingsError`, with the name that it was given in the message.
"""

from __future__ import annotations

import math
from typing import Any, Never

from unmask.errors import SettingsError


def once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a key that comes twice; for ``object_pairs_hook``."""
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise SettingsError(f"{key} is given twice")
        result[key] = value
    return result


def no_constant(name: str) -> Never:
    """Refuse NaN and infinity; for ``parse_constant``."""
    raise SettingsError(f"numbers must be finite, got {name}")


def as_object(
    raw: object, name: str, keys: set[str], *, optional: set[str] | frozenset[str] = frozenset()
) -> dict[str, Any]:
    """An object that has all of ``keys`` and else only what is optional."""
    if not isinstance(raw, dict):
        raise SettingsError(f"{name} must be an object, got {type(raw).__name__}")
    if missing := sorted(keys - raw.keys()):
        raise SettingsError(f"{name} lacks: {', '.join(missing)}")
    if unknown := sorted(raw.keys() - keys - optional):
        raise SettingsError(f"{name} has unknown fields: {', '.join(unknown)}")
    return raw


def as_text(value: object, name: str) -> str:
    """A text."""
    if not isinstance(value, str):
        raise SettingsError(f"{name} must be a text, got {value!r}")
    return value


def as_texts(value: object, name: str) -> tuple[str, ...]:
    """A list of one text or more."""
    if not isinstance(value, list) or not value:
        raise SettingsError(f"{name} must be a list of one text or more, got {value!r}")
    return tuple(as_text(item, name) for item in value)


def as_number(value: object, name: str) -> float:
    """A finite number; true and false are none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SettingsError(f"{name} must be a number, got {value!r}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):  # 1e999 passes JSON as infinity
        raise SettingsError(f"{name} must be a finite number")
    return number


def as_whole(value: object, name: str) -> int:
    """A whole number of 0 or more."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise SettingsError(f"{name} must be a whole number of 0 or more, got {value!r}")
    return value


def as_rgb(value: object, name: str) -> tuple[float, float, float]:
    """Three numbers."""
    if not isinstance(value, list) or len(value) != 3:
        raise SettingsError(f"{name} must be three numbers, got {value!r}")
    red, green, blue = (as_number(item, name) for item in value)
    return red, green, blue


def as_pairs(value: object, name: str) -> tuple[tuple[float, float], ...]:
    """A list, which may be empty, of pairs of numbers."""
    if not isinstance(value, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in value):
        raise SettingsError(f"{name} must be a list of pairs of numbers, got {value!r}")
    return tuple((as_number(first, name), as_number(second, name)) for first, second in value)
