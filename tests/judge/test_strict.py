from dataclasses import dataclass

import pytest

from unmask.errors import SettingsError
from unmask.judge.strict import of_type, read_json
from unmask.quantities import ONLY_KNOWN, Number, Whole


@dataclass(frozen=True)
class Inner:
    __pydantic_config__ = ONLY_KNOWN

    pair: tuple[Number, Number]

    def __post_init__(self):
        if self.pair[0] > self.pair[1]:
            raise SettingsError(f"pair must rise, got {self.pair}")


@dataclass(frozen=True)
class Outer:
    count: Whole
    inner: tuple[Inner, ...] = ()


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([], "it: input should be a dictionary or an instance of Outer, got []"),
        ({}, "it lacks: count"),
        ({"count": -1}, "it.count: input should be greater than or equal to 0, got -1"),
        ({"count": 1, "inner": [{}]}, "it.inner[0] lacks: pair"),
        ({"count": 1, "inner": [{"pair": [1]}]}, "it.inner[0].pair lacks item 2, got [1]"),
        ({"count": 1, "inner": [{"pair": [1, 2], "x": 3}]}, "it.inner[0] has unknown fields: x"),
        ({"count": 1, "inner": [{"pair": [2, 1]}]}, "it.inner[0]: pair must rise, got (2.0, 1.0)"),
    ],
)
def test_a_message_has_the_place_the_rule_and_the_value(values, told):
    with pytest.raises(SettingsError) as caught:
        of_type(Outer, values, "it")
    assert str(caught.value) == told


def test_what_keeps_to_the_types_is_made_of_them():
    values = read_json('{"count": 2, "inner": [{"pair": [1, 2.5]}], "later": null}')
    assert of_type(Outer, values, "it") == Outer(2, (Inner((1.0, 2.5)),))


@pytest.mark.parametrize("text", ['{"a": 1, "a": 1}', "[NaN]", "[-Infinity]"])
def test_json_that_says_two_things_or_none_is_refused(text):
    with pytest.raises(SettingsError):
        read_json(text)
