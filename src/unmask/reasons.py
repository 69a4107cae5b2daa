"""Why something is so, as data: a code and its values. Words are made of them here, in the reader's language.

The table of all codes is ``reasons.json``: for each its wording in every language, with a gap for each value.
"""

from __future__ import annotations

import json
import string
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, Union

from unmask.quantities import Number, told_beside

LANGUAGES = ("en", "de")

Value = Union[str, int, Number, "Reason", tuple["Reason", ...]]
Wording = str | list[str]
"""A sentence with gaps; or two parts of one, of which the second says what would have been enough."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something is so; `because` makes one, and ``str()`` is the sentence in English.

    Attributes:
        code: One of ``reasons.json``; of a verdict that a later version wrote it may be another.
        values: By name. Numbers are in the unit that the name says; ``person`` is a `Person.id`, from 0.
            A text is data: a model's name, or what the system or a library said.

    >>> reason = because("seldom", seen=1, frames=30, least=4)
    >>> reason.code, reason.values["seen"], str(reason)
    ('seldom', 1, 'seen in 1 of 30 frames, at least 4 needed')
    """

    code: str
    values: dict[str, Value] = field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        return sentence(self)

    @property
    def is_known(self) -> bool:
        """Whether there are words for it, and for what it is made of."""
        parts = [part for value in self.values.values() for part in _parts(value)]
        complete = self.code in wordings() and gaps(self.code) <= self.values.keys()
        return complete and all(part.is_known for part in parts)

    def holds(self, code: str) -> bool:
        """Whether this is a code's reason, or one that is made of it.

        >>> because("damaged", damage=because("incomplete_packet")).holds("incomplete_packet")
        True
        """
        inner = (part for value in self.values.values() for part in _parts(value))
        return self.code == code or any(part.holds(code) for part in inner)

    def numbered(self, people: Mapping[int, int]) -> Reason:
        """The same with the person under a new number, where it names one of those.

        >>> str(because("worn", person=0).numbered({0: 4}))
        'a picture of a face: it is worn by person 5, below whose face it moves along'
        """
        person = self.values.get("person")
        if not isinstance(person, int) or person not in people:
            return self
        return replace(self, values=self.values | {"person": people[person]})


def because(code: str, **values: Value) -> Reason:
    """A reason of the table, with all of its values.

    Raises:
        ValueError: There is no such code, or it takes other values.
    """
    if code not in wordings():
        raise ValueError(f"unknown reason {code!r}; choose from: {', '.join(wordings())}")
    if gaps(code) != values.keys():
        raise ValueError(f"reason {code} must have the values {sorted(gaps(code))}, got {sorted(values)}")
    return Reason(code, values)


def sentence(reason: Reason, language: str = "en") -> str:
    """A reason in words, as a clause without a full stop.

    >>> sentence(because("nobody_found", frames=1), "de")
    'im einzigen Bild wurde kein Gesicht gefunden'
    """
    return ", ".join(_told(reason, language))


def in_short(reason: Reason, language: str = "en") -> str:
    """As `sentence`, without what would have been enough, for where there is little room.

    >>> in_short(because("seldom", seen=1, frames=30, least=4))
    'seen in 1 of 30 frames'
    """
    return _told(reason, language)[0]


def sentences(reasons: Iterable[Reason], language: str = "en") -> str:
    """Several reasons in a row, as clauses."""
    return "; ".join(sentence(reason, language) for reason in reasons)


def shown_number(person: int) -> int:
    """The number by which people are told who somebody is, from 1; ids and JSON count from 0.

    Args:
        person: `Person.id`, or the id of a track.

    >>> shown_number(0)
    1
    """
    return person + 1


@cache
def wordings() -> dict[str, dict[str, Wording]]:
    """By code the wording in each language."""
    found: dict[str, dict[str, Wording]] = json.loads(
        Path(__file__).with_suffix(".json").read_text(encoding="utf-8")
    )
    return found


@cache
def gaps(code: str, language: str = "en") -> frozenset[str]:
    """The values that a code takes, by its wording."""
    text = " ".join(_pieces(wordings()[code][language]))
    names = {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
    return frozenset(names - {"when"} | (_SPAN if "when" in names else set()))


_SPAN = {"start_seconds", "end_seconds"}
_LIMITS = ("real_at_most", "fake_at_least")


def _pieces(wording: Wording) -> list[str]:
    return [wording] if isinstance(wording, str) else wording


def _parts(value: Value) -> Sequence[Reason]:
    if isinstance(value, Reason):
        return (value,)
    return value if isinstance(value, tuple) else ()


def _told(reason: Reason, language: str) -> list[str]:
    if not reason.is_known:  # of a later version
        return [f"{reason.code} ({', '.join(f'{name} {value}' for name, value in reason.values.items())})"]
    words = _Words(language, [reason.values.get(name) for name in _LIMITS])
    return [words.vformat(text, (), reason.values) for text in _pieces(wordings()[reason.code][language])]


class _Words(string.Formatter):
    """Fills the gaps of a wording.

    Beside Python's own formats ``{frames:the only frame|all # frames}`` chooses by the number, which stands
    for ``#``; ``{when}`` is the time from ``start_seconds`` to ``end_seconds``; ``{p_fake:beside}`` has two
    digits, and more where it would else look as if it were one of the limits of this reason.
    """

    def __init__(self, language: str, limits: Sequence[object] = ()) -> None:
        self._language = language
        self._limits = [limit for limit in limits if isinstance(limit, float)]

    def get_value(self, key: int | str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        if key == "when":
            first, last = (self.format_field(kwargs[f"{end}_seconds"], ".1f") for end in ("start", "end"))
            return f"{first} s" if first == last else f"{first}-{last} s"
        return shown_number(kwargs["person"]) if key == "person" else kwargs[str(key)]

    def format_field(self, value: Any, format_spec: str) -> str:
        if isinstance(value, Reason | tuple):
            return ", ".join(sentence(part, self._language) for part in _parts(value))
        one, several, more = format_spec.partition("|")
        if several:
            return (one if value == 1 else more).replace("#", str(value))
        beside = format_spec == "beside"
        text = told_beside(value, self._limits, digits=2) if beside else format(value, format_spec)
        return text.replace(".", ",") if self._language == "de" and not isinstance(value, str) else text
