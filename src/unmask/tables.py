"""Settings classes from the tables of a TOML file: every key known, every value of its kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from unmask.errors import SettingsError

Settings = TypeVar("Settings")
_WORDS = {
    float: ("a number", "numbers"),
    int: ("a whole number", "whole numbers"),
    str: ("a text", "texts"),
    bool: ("true or false", "true or false"),
    Path: ("a path", "paths"),
}


def build_settings(kind: type[Settings], table: object, *, where: str) -> Settings:
    """An object of a settings class from a table.

    Args:
        kind: A dataclass.
        table: Its fields as TOML has them; a list stands for a tuple, a text for a path, and a whole number
            may stand for a fraction. Nothing else stands for something else.
        where: What the table is called in messages, such as ``[loop]``.

    Raises:
        SettingsError: A key is unknown or missing, a value is of another kind, or the class refuses it.
    """
    if not isinstance(table, dict):
        raise SettingsError(f"{where} must be a table, got {table!r}")
    known = {item.name: item for item in fields(kind)}  # type: ignore[arg-type]  # a TypeVar has no bound for it
    for key in table:
        if key not in known:
            raise SettingsError(f"{where} has an unknown key {key!r}; choose from: {', '.join(known)}")
    for key, item in known.items():
        if key not in table and item.default is MISSING and item.default_factory is MISSING:
            raise SettingsError(f"{where} must have a key {key!r}")
    hints = get_type_hints(kind)
    values = {key: _as_kind(value, hints[key]) for key, value in table.items()}
    for key, value in values.items():
        if not _fits(value, hints[key]):
            raise SettingsError(f"{where} {key} must be {_describe(hints[key])}, got {table[key]!r}")
    return kind(**values)


def _as_kind(value: object, hint: Any) -> object:
    if isinstance(value, list) and get_origin(hint) is tuple:
        return tuple(value)
    if isinstance(value, dict) and get_origin(hint) is dict:
        return {key: _as_kind(item, get_args(hint)[1]) for key, item in value.items()}
    return Path(value) if hint is Path and isinstance(value, str) else value


def _fits(value: object, hint: Any) -> bool:
    origin, parts = get_origin(hint), get_args(hint)
    if origin is tuple and isinstance(value, tuple):
        each = parts[:1] * len(value) if parts[-1] is ... else parts
        return len(each) == len(value) and all(map(_fits, value, each))
    if origin is dict and isinstance(value, Mapping):
        return all(_fits(key, parts[0]) and _fits(item, parts[1]) for key, item in value.items())
    if origin in (Union, UnionType):
        return any(_fits(value, part) for part in parts)
    if hint is float:
        return type(value) in (int, float)
    return type(value) is hint if hint in (int, bool) else isinstance(value, origin or hint)


def _describe(hint: Any) -> str:
    origin, parts = get_origin(hint), get_args(hint)
    if origin is tuple:
        number = "" if parts[-1] is ... else f"{len(parts)} "
        return f"a list of {number}{_WORDS.get(parts[0], ('', 'such'))[1]}"
    if origin is dict:
        return f"a table of {_WORDS.get(parts[1], ('', 'such'))[1]}"
    if parts:  # one of several, of which the last is nothing
        return _describe(parts[0])
    return _WORDS.get(hint, ("a table", ""))[0]
