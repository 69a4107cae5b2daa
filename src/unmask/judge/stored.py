"""Verdicts that were written as JSON, read back strictly: what no scan could have written is refused."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import MISSING, fields
from typing import Any, TypeVar

from unmask.errors import DataError, SettingsError
from unmask.judge.fields import as_number, as_object, as_text, as_whole, no_constant, once_each
from unmask.reasons import Reason, Value
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

MAX_BYTES = 256 * 2**20
"""Longest text that is read; ten thousand frames of one person take about 3 MB."""

One = TypeVar("One")
Take = Callable[[object, str], Any]


def read_verdict(text: str | bytes) -> Verdict:
    """A verdict from a line of ``unmask scan --json``, or `Verdict.to_dict` as JSON.

    Args:
        text: JSON of one verdict.

    Raises:
        DataError: It is too long, no JSON, or no verdict; the message names the field.
    """
    if len(text) > MAX_BYTES:
        raise DataError(f"a verdict must be at most {MAX_BYTES} bytes, got {len(text)}")
    try:
        return verdict_of(json.loads(text, object_pairs_hook=once_each, parse_constant=no_constant))
    except SettingsError as error:
        raise DataError(f"not a verdict: {error}") from error
    except DataError:
        raise
    except (ValueError, RecursionError) as error:
        raise DataError(f"not a verdict in JSON ({error})") from error


def verdict_of(values: object) -> Verdict:
    """A verdict from what `Verdict.to_dict` gives, or JSON made of it.

    Raises:
        DataError: It is none; the message names the field.
    """
    try:
        return _verdict(values)
    except (SettingsError, ValueError) as error:
        raise DataError(f"not a verdict: {error}") from error


def _verdict(raw: object) -> Verdict:
    return _build(
        Verdict,
        raw,
        "verdict",
        path=as_text,
        sha256=_or_none(_sha256),
        outcome=_outcome,
        p_fake=_or_none(_share),
        reason=as_text,
        damaged=_flag,
        people=_list_of(_person),
        model=_model,
        unmask=as_text,
        seconds=_dict_of(_time),
        stability=_or_none(_stability),
        start_seconds=_time,
        end_seconds=_time,
        partial=_flag,
        shots=_list_of(_shot),
        segments=_list_of(_segment),
        log_odds=_or_none(as_number),
        reasons=_list_of(_reason),
    )


def _person(raw: object, name: str) -> Person:
    return _build(
        Person,
        raw,
        name,
        id=as_whole,
        p_fake=_or_none(_share),
        kept=_flag,
        why_dropped=_or_none(as_text),
        frames=_list_of(_frame),
        picture=_flag,
        appearances=_list_of(_appearance),
        dropped=_or_none(_reason),
    )


def _frame(raw: object, name: str) -> PersonFrame:
    return _build(
        PersonFrame,
        raw,
        name,
        time_seconds=_time,
        box=_numbers(4),
        points=_points,
        confidence=_share,
        p_fake=_or_none(_share),
        lightened=_flag,
    )


def _appearance(raw: object, name: str) -> Appearance:
    return _build(
        Appearance,
        raw,
        name,
        shot=as_whole,
        start_seconds=_time,
        end_seconds=_time,
        p_fake=_or_none(_share),
        frames=as_whole,
    )


def _shot(raw: object, name: str) -> Shot:
    return _build(
        Shot,
        raw,
        name,
        start_seconds=_time,
        end_seconds=_time,
        frames=as_whole,
        people=as_whole,
        why_not=_or_none(as_text),
        unjudged=_or_none(_reason),
    )


def _segment(raw: object, name: str) -> Segment:
    return _build(
        Segment,
        raw,
        name,
        person=as_whole,
        shot=as_whole,
        start_seconds=_time,
        end_seconds=_time,
        p_fake=_share,
        outcome=_outcome,
    )


def _model(raw: object, name: str) -> ModelName:
    return _build(ModelName, raw, name, name=as_text, sha256=_sha256)


def _stability(raw: object, name: str) -> Stability:
    return _build(
        Stability,
        raw,
        name,
        stable=_flag,
        outcomes=_dict_of(_outcome),
        p_fake=_dict_of(_or_none(_share)),
    )


def _reason(raw: object, name: str) -> Reason:
    values = as_object(raw, name, {"code", "values"})
    given = as_object(values["values"], f"{name}.values", set(), optional=set(values["values"]))
    return Reason(
        as_text(values["code"], name), {key: _value(one, f"{name}.{key}") for key, one in given.items()}
    )


def _value(raw: object, name: str) -> Value:
    if isinstance(raw, dict):
        return _reason(raw, name)
    if isinstance(raw, list):
        return tuple(_reason(one, name) for one in raw)
    return raw if isinstance(raw, str | int) else as_number(raw, name)


def _build(kind: type[One], raw: object, place: str, **takes: Take) -> One:
    """An object of these fields; those that have a default may lack, as in verdicts of earlier versions."""
    needed: set[str] = set()
    optional: set[str] = set()
    for one in fields(kind):  # type: ignore[arg-type]
        plain = one.default is MISSING and one.default_factory is MISSING
        (needed if plain else optional).add(one.name)
    values = as_object(raw, place, needed, optional=optional)
    return kind(**{key: takes[key](value, f"{place}.{key}") for key, value in values.items()})


def _or_none(take: Take) -> Take:
    return lambda value, name: None if value is None else take(value, name)


def _list_of(take: Take) -> Take:
    def take_all(value: object, name: str) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise SettingsError(f"{name} must be a list, got {type(value).__name__}")
        return tuple(take(item, f"{name}[{place}]") for place, item in enumerate(value))

    return take_all


def _dict_of(take: Take) -> Take:
    def take_all(value: object, name: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise SettingsError(f"{name} must be an object, got {type(value).__name__}")
        return {key: take(item, f"{name}.{key}") for key, item in value.items()}

    return take_all


def _numbers(count: int) -> Take:
    def take_all(value: object, name: str) -> tuple[float, ...]:
        if not isinstance(value, list) or len(value) != count:
            raise SettingsError(f"{name} must be {count} numbers")
        return tuple(as_number(item, name) for item in value)

    return take_all


def _points(value: object, name: str) -> tuple[tuple[float, ...], ...]:
    points: tuple[tuple[float, ...], ...] = _list_of(_numbers(2))(value, name)
    if len(points) != 5:
        raise SettingsError(f"{name} must be five points, got {len(points)}")
    return points


def _outcome(value: object, name: str) -> Outcome:
    words = [one.value for one in Outcome]
    if value not in words:
        raise SettingsError(f"{name} must be one of {', '.join(words)}, got {value!r}")
    return Outcome(value)


def _share(value: object, name: str) -> float:
    number = as_number(value, name)
    if not 0 <= number <= 1:
        raise SettingsError(f"{name} must be 0 to 1, got {number}")
    return number


def _time(value: object, name: str) -> float:
    number = as_number(value, name)
    if not math.fabs(number) < 1e9:
        raise SettingsError(f"{name} must be a time in seconds, got {number}")
    return number


def _flag(value: object, name: str) -> bool:
    if not isinstance(value, bool):
        raise SettingsError(f"{name} must be true or false, got {value!r}")
    return value


def _sha256(value: object, name: str) -> str:
    text = as_text(value, name)
    if len(text) != 64 or set(text) - set("0123456789abcdef"):
        raise SettingsError(f"{name} must be 64 hex digits, got {text[:80]!r}")
    return text
