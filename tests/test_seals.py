"""A changed byte of a sealed text is noticed, wherever it is."""

import json

import pytest

from unmask.errors import SettingsError
from unmask.faces.detectors.weights_file import load_session
from unmask.judge.card import SHIPPED, WEIGHTS, card_path, read_card, write_card
from unmask.judge.strict import read_json
from unmask.seals import add_seal, take_seal


def test_what_was_sealed_is_taken_and_its_seal_is_out_of_the_way():
    text = add_seal('{\n  "a": 1,\n  "b": "ü"\n}\n')
    values = json.loads(text)
    take_seal(values, text)
    assert values == {"a": 1, "b": "ü"}
    take_seal(values, '{"a": 1}')  # what has none
    take_seal([], "[]")


@pytest.mark.parametrize("bit", [0, 5])
def test_every_changed_byte_is_noticed(bit):
    data = bytearray(add_seal('{\n  "a": 1,\n  "b": "some text"\n}\n').encode())
    for at in range(len(data)):
        data[at] ^= 1 << bit
        try:
            values = read_json(data.decode())
            take_seal(values, data.decode())
        except ValueError as error:  # no text, no JSON, or the seal
            assert str(error)
        else:  # a field that nobody knows, which whoever reads it refuses
            assert isinstance(values, dict) and values.keys() - {"a", "b"}
        data[at] ^= 1 << bit


@pytest.mark.parametrize("seal", ['"x"', "3", "null", '"' + "0" * 64 + '"'])
def test_a_seal_that_is_none_is_refused_with_the_way_out(seal):
    text = f'{{"a": 1, "seal": {seal}}}'
    with pytest.raises(SettingsError, match=r"seal must be .* remove the line with the seal"):
        take_seal(json.loads(text), text)


@pytest.mark.parametrize("name", sorted(set(SHIPPED.values())))
def test_the_shipped_cards_are_sealed_and_as_they_are_written(name, tmp_path):
    card = card_path(name)
    write_card(read_card(card), tmp_path / "again.json")
    text = card.read_text(encoding="utf-8")
    assert '"seal": "' in text and json.loads(text).keys() - {"seal"} <= vars_of(read_card(card))
    assert read_card(tmp_path / "again.json") == read_card(card)


def vars_of(card):
    return {name for name in type(card).__dataclass_fields__}


def test_the_cards_of_detectors_are_sealed(monkeypatch, tmp_path):
    from importlib import resources

    from unmask.errors import ModelError
    from unmask.faces.detectors import weights_file

    weights = resources.files("unmask.faces.detectors") / "weights"
    folder = tmp_path / "weights"
    folder.mkdir()
    for file in weights.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    monkeypatch.setattr(weights_file.resources, "files", lambda package: tmp_path)
    for card, net in (("card.json", "pnet"), ("centerface.json", "centerface")):
        load_session(net, threads=1, card=card)
        text = (folder / card).read_text()
        assert '"seal": "' in text
        (folder / card).write_text(text.replace("http", "hxxp", 1).replace('"name"', '"Name"', 1))
        with pytest.raises(ModelError, match=f"{card}: the card was changed"):
            load_session(net, threads=1, card=card)


def test_a_changed_byte_anywhere_in_a_card_is_refused_by_name(tmp_path):
    from unmask.errors import ModelError

    data = bytearray((WEIGHTS / "quintet.json").read_bytes())
    path = tmp_path / "quintet.json"
    for at in [*range(0, len(data), 97), *range(len(data) - 80, len(data))]:
        data[at] ^= 1
        path.write_bytes(data)
        with pytest.raises(ModelError, match=r"quintet\.json: "):
            read_card(path)
        data[at] ^= 1
