import json
from pathlib import Path

import pytest

from tiny_model import card_values
from unmask.errors import ModelError
from unmask.judge.card import DEFAULT_MODEL, card_path, read_card, write_card


def written(tmp_path, text):
    path = tmp_path / "card.json"
    path.write_text(text if isinstance(text, str) else json.dumps(text))
    return path


def test_a_card_survives_writing_and_reading(tmp_path):
    card = read_card(written(tmp_path, card_values()))
    write_card(card, tmp_path / "again.json")
    assert read_card(tmp_path / "again.json") == card
    assert (card.crop_settings.size_px, card.crop_settings.margin_fraction) == (32, 0.2)


def test_a_drawn_curve_survives_and_older_cards_have_none(tmp_path):
    assert read_card(written(tmp_path, card_values())).calibration.isotonic == ()
    drawn = {"temperature": 1.0, "bias": 0.0, "isotonic": [[-1.0, 0.2], [2.0, 0.8]], "clip": 0.05}
    card = read_card(written(tmp_path, card_values(calibration=drawn)))
    write_card(card, tmp_path / "again.json")
    found = read_card(tmp_path / "again.json").calibration
    assert found == card.calibration
    assert [found.probability(logit) for logit in (-5, -1, 0.5, 3)] == [0.2, 0.2, 0.5, 0.8]
    assert found.clip == 0.05


def test_an_aligned_card_survives_and_older_cards_take_boxes(tmp_path):
    assert read_card(written(tmp_path, card_values())).crop_settings.crop == "box"
    template = [[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.4, 0.8], [0.6, 0.8]]
    card = read_card(written(tmp_path, card_values(crop="aligned", template=template)))
    write_card(card, tmp_path / "again.json")
    assert read_card(tmp_path / "again.json") == card
    settings = card.crop_settings
    assert (settings.crop, settings.template[1], settings.margin_fraction) == ("aligned", (0.7, 0.4), 0.2)


@pytest.mark.parametrize("name", sorted(card_values()))
def test_every_field_is_needed(tmp_path, name):
    values = card_values()
    del values[name]
    with pytest.raises(ModelError, match=f"card lacks: {name}"):
        read_card(written(tmp_path, values))


PLAIN = {"temperature": 1, "bias": 0}
BROKEN = {
    "unknown field": ({"nickname": "x"}, "unknown fields: nickname"),
    "empty licence": ({"licence": " "}, "licence must not be empty"),
    "number as name": ({"name": 3}, r"card\.name: .*string, got 3"),
    "path as file": ({"file": "../tiny.onnx"}, "name of an .onnx file beside the card"),
    "hidden file": ({"file": ".onnx"}, "name of an .onnx file beside the card"),
    "short hash": ({"sha256": "abc"}, "64 hex digits"),
    "boolean size": ({"size_px": True}, r"card\.size_px: .*integer, got True"),
    "fractional size": ({"size_px": 32.5}, r"card\.size_px: .*integer, got 32\.5"),
    "huge size": ({"size_px": 100_000}, "size_px must be 8 to 2048"),
    "a common size of nothing": ({"common_px": 7}, "common_px must be 0 or 8 to 2048, got 7"),
    "a common size beyond all": ({"common_px": 2049}, "common_px must be 0 or 8 to 2048, got 2049"),
    "a common size of aligned faces": (
        {"common_px": 180, "crop": "aligned", "template": [[0, 0], [1, 0], [0.5, 0.5], [0, 1], [1, 1]]},
        "common_px goes with crop box, got 'aligned'",
    ),
    "negative margin": ({"margin_fraction": -1}, "margin_fraction must be -0.5 to 3"),
    "two means": ({"mean": [1, 2]}, r"card\.mean lacks item 3, got \[1, 2\]"),
    "zero std": ({"std": [0, 1, 1]}, "std must be above 0"),
    "unknown rule": ({"person_rule": "max"}, "unknown person_rule 'max'; choose from: mean"),
    "no temperature": (
        {"calibration": {"bias": 0}},
        r"card\.calibration: must have temperature and bias",
    ),
    "cold": ({"calibration": {"bias": 0, "temperature": 0}}, "temperature must be a number above 0"),
    "curve of one": (
        {"calibration": {"bias": 0, "temperature": 1, "isotonic": [[0, 1]]}},
        "two points or more",
    ),
    "curve of texts": (
        {"calibration": {"bias": 0, "temperature": 1, "isotonic": ["ab"]}},
        r"card\.calibration\.isotonic\[0\]: .*tuple, got 'ab'",
    ),
    "wide clip": ({"calibration": {"bias": 0, "temperature": 1, "clip": 0.5}}, "clip must be 0 to below 0.5"),
    "crossed": ({"thresholds": {"fake_at_least": 0.1, "real_at_most": 0.2}}, "real_at_most <= fake_at_least"),
    "no limits": ({"limits": []}, r"card\.limits: .*at least 1 item.*, got \[\]"),
    "limits as text": ({"limits": "none"}, r"card\.limits: .*tuple, got 'none'"),
    "score outside": (
        {"scores": {"auc": {"value": 0.9, "low": 0.1, "high": 0.2, "clips": 4}}},
        r"card\.scores\.auc: must be low <= value <= high, got 0\.1, 0\.9, 0\.2",
    ),
    "unknown kind": ({"kind": "sound"}, "unknown kind 'sound'; choose from: frame, clip"),
    "unknown crop": ({"crop": "round"}, "crop must be one of box, aligned"),
    "aligned to nothing": ({"crop": "aligned"}, "template must be 5 points"),
    "template for a box": ({"template": [[0, 0]] * 5}, "template must be 0 points"),
    "template of one place": ({"crop": "aligned", "template": [[0, 0]] * 5}, "not all the same"),
    "template far away": (
        {"crop": "aligned", "template": [[0, 9]] * 5},
        "template must be 5 points .* within -1 to 2",
    ),
    "template of texts": (
        {"crop": "aligned", "template": ["ab"] * 5},
        r"card\.template\[0\]: .*tuple, got 'ab'",
    ),
    "number as kind": ({"kind": 1}, r"card\.kind: .*string, got 1"),
    "number as text": ({"margin_fraction": "0.3"}, r"card\.margin_fraction: .*number, got '0\.3'"),
    "number beyond all": ({"margin_fraction": 10**400}, r"card\.margin_fraction: .*, got 1000"),
    "unknown field within": (
        {"thresholds": {"fake_at_least": 0.7, "real_at_most": 0.3, "sure": 1}},
        r"card\.thresholds has unknown fields: sure",
    ),
    "scores as list": ({"scores": []}, r"card\.scores: .*dictionary, got \[\]"),
}


@pytest.mark.parametrize(("changes", "message"), BROKEN.values(), ids=BROKEN)
def test_broken_fields_are_refused(tmp_path, changes, message):
    with pytest.raises(ModelError, match=message) as raised:
        read_card(written(tmp_path, card_values(**changes)))
    assert "card.json" in str(raised.value)


RUBBISH = {
    "not json": ("{", "not a JSON card"),
    "a list": ("[]", r"card: .*dictionary .*, got \[\]"),
    "twice": ('{"name": "a", "name": "b"}', "name is given twice"),
    "nan": ('{"size_px": NaN}', "numbers must be finite, got NaN"),
    "infinity by size": (
        json.dumps(card_values()).replace("0.2", "1e999"),
        r"card\.margin_fraction: .*finite number, got inf",
    ),
    "long number": ('{"size_px": ' + "9" * 5000 + "}", "not a JSON card"),
    "deep": ("[" * 100_000, "not a JSON card"),
    "large": (" " * (1 << 20) + "{}", "at most 1048576 bytes"),
}


@pytest.mark.parametrize(("text", "message"), RUBBISH.values(), ids=RUBBISH)
def test_rubbish_is_refused(tmp_path, text, message):
    with pytest.raises(ModelError, match=message):
        read_card(written(tmp_path, text))


def test_bytes_that_are_no_text_are_refused(tmp_path):
    path = tmp_path / "card.json"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ModelError, match="not a JSON card"):
        read_card(path)


def test_no_model_means_the_shipped_one():
    assert card_path(None).name == f"{DEFAULT_MODEL}.json"


def test_a_name_means_a_downloaded_model_and_a_path_stays_a_path(tmp_path, monkeypatch):
    monkeypatch.setenv("UNMASK_CACHE", str(tmp_path))
    for unknown in ("some-net", "Some_Net"):
        with pytest.raises(ModelError, match=rf"unknown model '{unknown}'; unmask model list"):
            card_path(unknown)
    folder = tmp_path / "models" / "some-net"
    folder.mkdir(parents=True)
    (folder / "some-net.json").touch()
    assert card_path("some-net") == folder / "some-net.json"
    assert card_path("some-net.json") == Path("some-net.json")
    for odd in ("../some-net", "", "some net", "some-net/", "-x"):
        with pytest.raises(ModelError, match="a model is given by"):
            card_path(odd)
