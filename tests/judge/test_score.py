import json

import numpy as np
import onnx
import pytest

from tiny_model import SIZE_PX, tiny_graph, write_clip_model, write_tiny_model
from unmask.config import ScoreSettings
from unmask.errors import ModelError
from unmask.judge.score import load_model, score_crops
from unmask.types import Crops


def crops(levels, size_px=SIZE_PX):
    images = np.stack([np.full((3, size_px, size_px), v, np.uint8) for v in levels])
    n = len(levels)
    return Crops(
        0,
        np.arange(n),
        np.arange(n, dtype=np.float64),
        images,
        np.zeros((n, 4), np.float32),
        np.zeros((n, 5, 2), np.float32),
        np.zeros(n, np.float32),
    )


class Counting:
    """A scorer that notes the size of each batch."""

    def __init__(self, model):
        self.card, self._model, self.batches = model.card, model, []

    def logits(self, images):
        self.batches.append(len(images))
        return self._model.logits(images)


def test_gives_one_logit_a_crop_in_order(tmp_path):
    model = load_model(write_tiny_model(tmp_path))
    np.testing.assert_allclose(score_crops(model, crops([127, 255, 0])).logits, [0, 8, -127 / 16])


def test_batches_are_bounded_and_change_nothing(tmp_path):
    model = load_model(write_tiny_model(tmp_path))
    some = crops(range(20))
    counting = Counting(model)
    found = score_crops(counting, some, ScoreSettings(batch_crops=8)).logits
    assert counting.batches == [8, 8, 4]
    np.testing.assert_array_equal(found, score_crops(model, some, ScoreSettings(batch_crops=1)).logits)


def test_crops_of_another_size_are_refused(tmp_path):
    model = load_model(write_tiny_model(tmp_path))
    with pytest.raises(ModelError, match=r"takes crops of \(3, 32, 32\), got \(3, 16, 16\)"):
        score_crops(model, crops([1], size_px=16))


def test_changed_weights_are_refused_before_they_are_loaded(tmp_path):
    card = write_tiny_model(tmp_path)
    weights = tmp_path / "tiny.onnx"
    weights.write_bytes(weights.read_bytes() + b"\0")
    with pytest.raises(ModelError, match="SHA-256 must be"):
        load_model(card)


def test_missing_weights_are_named(tmp_path):
    card = write_tiny_model(tmp_path)
    (tmp_path / "tiny.onnx").unlink()
    with pytest.raises(ModelError, match=r"tiny\.onnx: no readable weights"):
        load_model(card)


def test_a_missing_card_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"none\.json: no readable model card"):
        load_model(tmp_path / "none.json")


def test_weights_are_found_by_their_card_and_refused_without_one(tmp_path):
    card = write_tiny_model(tmp_path)
    assert load_model(card.with_suffix(".onnx")).card.name == "tiny"
    card.unlink()
    with pytest.raises(ModelError, match=r"tiny\.json: no readable model card"):
        load_model(tmp_path / "tiny.onnx")
    with pytest.raises(ModelError, match=r"a \.json file, or by its weights beside it, got .*tiny\.pt"):
        load_model(tmp_path / "tiny.pt")


def test_a_clip_model_sees_all_frames_of_a_person_at_once(tmp_path):
    model = load_model(write_clip_model(tmp_path))
    found = score_crops(model, crops([10, 20, 30, 60, 130]), ScoreSettings(batch_crops=2)).logits
    np.testing.assert_allclose(found, [-40, -30, -20, 10, 80], atol=1e-3)
    assert score_crops(model, crops([50])).logits.tolist() == [0.0]


def test_a_model_of_the_other_kind_is_refused(tmp_path):
    with pytest.raises(ModelError, match=r"must take crops uint8 \(N, T, 3, 32, 32\) and give logit float"):
        load_model(write_tiny_model(tmp_path / "frame", kind="clip"))
    card = write_clip_model(tmp_path / "clip")
    card.write_text(card.read_text().replace('"kind": "clip"', '"kind": "frame"'))
    with pytest.raises(ModelError, match=r"must take crops uint8 \(N, 3, 32, 32\)"):
        load_model(card)


def test_weights_in_another_file_are_refused(tmp_path):
    model = tiny_graph()
    onnx.external_data_helper.convert_model_to_external_data(model, location="secret", size_threshold=0)
    for tensor in model.graph.initializer:
        onnx.external_data_helper.set_external_data(tensor, location="secret")
        tensor.ClearField("raw_data")
    with pytest.raises(ModelError, match="refers to another file"):
        load_model(write_tiny_model(tmp_path, model))


@pytest.mark.parametrize(
    "model",
    [
        pytest.param(tiny_graph(size_px=64), id="other size"),
        pytest.param(tiny_graph(output="p_fake"), id="other output"),
        pytest.param(tiny_graph(squeeze=False), id="other output shape"),
    ],
)
def test_a_graph_that_differs_from_the_card_is_refused(tmp_path, model):
    with pytest.raises(ModelError, match="must take crops uint8"):
        load_model(write_tiny_model(tmp_path, model))


def test_weights_that_give_no_numbers_are_refused_on_loading(tmp_path):
    with pytest.raises(ModelError, match="finite logits"):
        load_model(write_tiny_model(tmp_path, tiny_graph(scale=np.nan)))


def test_what_is_no_network_is_refused(tmp_path):
    class Rubbish:
        def SerializeToString(self):  # noqa: N802  the name that onnx has
            return b"not a network"

    with pytest.raises(ModelError, match=r"tiny\.onnx: "):
        load_model(write_tiny_model(tmp_path, Rubbish()))


def test_the_card_travels_with_the_model(tmp_path):
    path = write_tiny_model(tmp_path, version="7")
    assert load_model(path).card.version == json.loads(path.read_text())["version"] == "7"
