"""Kinds of values that verdicts and cards are stored with, and the version of the form in which they are.

Checks and JSON Schema are made from these by pydantic, which asks each for a method of a known name; so
nothing here needs pydantic, and ``import unmask`` stays quick.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import isclose
from typing import Annotated, Any

SCHEMA = "1.1"
"""Of a stored verdict. The second number grows when fields or reasons are added, which readers pass over; the
first when a field changes its meaning or goes, which they refuse."""

ONLY_KNOWN = {"extra": "forbid"}
"""The ``__pydantic_config__`` of a dataclass of whose fields none may be unknown."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What a stored value must keep to; with none, it must be of its very type, and a number finite.

    Attributes:
        rules: In pydantic's words: ``ge``, ``le``, ``pattern``, ``min_length``, ``max_length``.
    """

    rules: tuple[tuple[str, Any], ...] = ()

    def __get_pydantic_core_schema__(
        self, kind: Any, make: Callable[[Any], dict[str, Any]]
    ) -> dict[str, Any]:
        """The rules for pydantic."""
        made = make(kind)
        if made["type"] != "tuple":  # JSON has lists only, so that a tuple may be one
            made = made | {"strict": True}
        if made["type"] == "float":
            made = made | {"allow_inf_nan": False}
        return made | dict(self.rules)


@dataclass(frozen=True, slots=True)
class Needs:
    """Fields of a dataclass that a file must have, although they have defaults in Python."""

    names: tuple[str, ...]

    def __get_pydantic_core_schema__(
        self, kind: Any, make: Callable[[Any], dict[str, Any]]
    ) -> dict[str, Any]:
        """The check for pydantic, before its own."""
        check = {"type": "no-info", "function": self._check}
        return {"type": "function-before", "function": check, "schema": make(kind)}

    def _check(self, values: Any) -> Any:
        if isinstance(values, dict) and any(name not in values for name in self.names):
            raise ValueError(f"must have {' and '.join(self.names)}, got {values!r:.80}")
        return values


Number = Annotated[float, Kept()]
Share = Annotated[float, Kept((("ge", 0), ("le", 1)))]
Seconds = Annotated[float, Kept((("gt", -1e9), ("lt", 1e9)))]
Whole = Annotated[int, Kept((("ge", 0),))]
Flag = Annotated[bool, Kept()]
Sha256 = Annotated[str, Kept((("pattern", "^[0-9a-f]{64}$"),))]
Box = Annotated[tuple[Number, ...], Kept((("min_length", 4), ("max_length", 4)))]
Point = Annotated[tuple[Number, ...], Kept((("min_length", 2), ("max_length", 2)))]
Points = Annotated[tuple[Point, ...], Kept((("min_length", 5), ("max_length", 5)))]


def told_time(time_seconds: float) -> float:
    """A time of a frame as verdicts tell it; by it a frame of theirs is found again in the file.

    >>> told_time(77 / 30)
    2.566667
    """
    return round(float(time_seconds), 6)


def told_beside(value: float, limits: Iterable[float], *, digits: int, more: int = 2) -> str:
    """A number with so many digits behind the point, or more to show on which side of each limit it is.

    Args:
        value: What is told.
        limits: What it is held against.
        digits: Behind the point, where that is enough.
        more: Digits that may be added.

    >>> told_beside(0.784, [0.78], digits=2), told_beside(0.784, [0.7], digits=2)
    ('0.784', '0.78')
    >>> told_beside(0.78, [0.78], digits=2)
    '0.78'
    """
    limits = tuple(limits)
    for count in range(digits, digits + more + 1):
        text = f"{value:.{count}f}"
        if all(_side(float(text), limit) == _side(value, limit) for limit in limits):
            break
    return text


def _side(value: float, limit: float) -> int:
    """On which side of a limit, -1, 0 or 1; what is as near as a float is at it."""
    return 0 if isclose(value, limit, rel_tol=1e-9, abs_tol=1e-9) else (1 if value > limit else -1)
