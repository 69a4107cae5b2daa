"""Networks that judge together, what they see, and the narrow form that they are shipped in."""

import json
from functools import partial

import numpy as np
import onnx
import pytest
import torch

from tiny_recipe import CLIP, read_log, silent, write_recipe
from training_data import store_people
from unmask.errors import DataError, ModelError
from unmask.models.ensemble import Ensemble
from unmask.models.export import export_onnx, run_onnx
from unmask.models.frame_net import FrameNet
from unmask.models.inputs import keep_detail
from unmask.models.narrow import narrow_weights
from unmask.score import load_model
from unmask.train.run import run_recipe

run = partial(run_recipe, say=silent)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    store_people(folder / "train", [("ann", "REAL"), ("ben", "REAL")], frames=4)
    store_people(folder / "val", [("carl", "REAL"), ("f-of-carl", "FAKE")], frames=4)
    return folder


@pytest.fixture(scope="module")
def crops():
    return torch.from_numpy(np.random.default_rng(1).integers(0, 256, (6, 3, 64, 64), np.uint8))


def join(data, folder, members):
    named = ", ".join(f'"{folder / name}"' for name in members)
    return write_recipe(data, folder, changes=[("[validation]", f"members = [{named}]\n[validation]")])


def test_members_are_joined_to_a_model_that_a_scan_can_use(data, tmp_path, crops):
    assert run(write_recipe(data, tmp_path), tmp_path / "a")
    other = ('backbone = "tiny"', 'backbone = "tiny"\nsees = "detail"\nseed = 1')
    assert run(write_recipe(data, tmp_path, changes=[other]), tmp_path / "b")
    lines = []
    assert run_recipe(join(data, tmp_path, "ab"), tmp_path / "ab", say=lines.append)
    assert any("none on both sides" in line for line in lines)
    assert not (tmp_path / "ab" / "checkpoint.pt").exists()
    assert load_model(tmp_path / "ab" / "tiny.onnx").card.kind == "frame"
    logits = [
        run_onnx(tmp_path / name / "tiny.onnx", crops[..., :32, :32].numpy()) for name in ("a", "b", "ab")
    ]
    # A mean of two logits, each shifted and scaled by a positive number.
    terms = np.stack([logits[0], logits[1], np.ones(len(crops))], axis=1)
    weights, *_ = np.linalg.lstsq(terms, logits[2], rcond=None)
    np.testing.assert_allclose(terms @ weights, logits[2], atol=1e-4)
    assert (weights[:2] > 0).all()
    assert len(read_log(tmp_path / "a")) == 4


def test_a_member_that_was_not_trained_or_judges_clips_is_refused(data, tmp_path):
    with pytest.raises(DataError, match=r"recipe\.json must be the recipe of a run; train the member first"):
        run(join(data, tmp_path, "x"), tmp_path / "y")
    (tmp_path / "x").mkdir()
    assert run(write_recipe(data, tmp_path, more=CLIP), tmp_path / "x")
    with pytest.raises(DataError, match="must judge single frames by one network"):
        run(join(data, tmp_path, "x"), tmp_path / "y")
    for damaged in ({"name": "x"}, [], "x"):
        (tmp_path / "x" / "recipe.json").write_text(json.dumps(damaged))
        with pytest.raises(DataError, match="must be the recipe of a run"):
            run(join(data, tmp_path, "x"), tmp_path / "y")


def test_an_ensemble_is_the_mean_on_one_scale(crops):
    nets = [FrameNet("tiny", pretrained=False).eval() for _ in range(2)]
    with torch.inference_mode():
        whole = Ensemble(nets, centres=(1.0, 0.0), spreads=(2.0, 4.0)).eval()(crops).logit
        parts = [net(crops).logit for net in nets]
    torch.testing.assert_close(whole, ((parts[0] - 1) / 2 + parts[1] / 4) / 2)
    with pytest.raises(ModelError, match=r"a spread above 0 for each, got 2 members"):
        Ensemble(nets, centres=(0.0, 0.0), spreads=(1.0, 0.0))


def test_detail_knows_no_light_and_colour(crops):
    pixels = crops.float() * 0.5
    detail = keep_detail(pixels)
    torch.testing.assert_close(keep_detail(pixels + torch.tensor([10.0, 30.0, 50.0])[:, None, None]), detail)
    assert float(keep_detail(torch.full((1, 3, 64, 64), 90.0)).abs().max()) < 1e-3
    bright = float(keep_detail(pixels * 2).std() / detail.std())
    assert 1 < bright < 1.25  # contrast is divided out, all but where there is hardly any


def test_an_unknown_input_is_refused():
    with pytest.raises(ModelError, match="unknown input 'heat'; choose from: colour, detail"):
        FrameNet("tiny", pretrained=False, sees="heat")


def test_narrow_weights_are_smaller_and_say_the_same(tmp_path, crops):
    net = FrameNet("lite0", pretrained=False)
    net.fold_norms()
    export_onnx(net, tmp_path / "wide.onnx", size_px=64)
    narrow_weights(tmp_path / "wide.onnx", tmp_path / "narrow.onnx")
    wide, narrow = (tmp_path / f"{name}.onnx" for name in ("wide", "narrow"))
    assert narrow.stat().st_size < 0.4 * wide.stat().st_size
    stored = {tensor.data_type for tensor in onnx.load(narrow).graph.initializer}
    assert {onnx.TensorProto.INT8, onnx.TensorProto.FLOAT16} <= stored
    logits = [run_onnx(file, crops.numpy()) for file in (wide, narrow)]
    assert np.abs(logits[0] - logits[1]).max() < 0.05 * np.abs(logits[0]).max()
