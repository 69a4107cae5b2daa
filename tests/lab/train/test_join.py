"""Networks that judge together, what they see, and the narrow form that they are shipped in."""

import json
import os
import signal
from functools import partial

import numpy as np
import onnx
import pytest
import torch

from tiny_recipe import CLIP, read_log, silent, write_recipe
from training_data import store_sets
from training_process import finish, start
from unmask.errors import DataError, ModelError, SettingsError
from unmask.judge.score import load_model
from unmask.lab.models.ensemble import Ensemble
from unmask.lab.models.export import export_onnx, run_onnx
from unmask.lab.models.frame_net import FrameNet
from unmask.lab.models.inputs import keep_detail
from unmask.lab.models.narrow import narrow_weights
from unmask.lab.train.join import load_run
from unmask.lab.train.recipe import read_recipe
from unmask.lab.train.run import run_recipe

run = partial(run_recipe, say=silent)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return store_sets(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def crops():
    return torch.from_numpy(np.random.default_rng(1).integers(0, 256, (6, 3, 64, 64), np.uint8))


FOLDED = [('backbone = "tiny"', 'backbone = "lite0"\nfold_norms = true')]
MEMBERS = '[members.a]\n[members.b.loop]\nsees = "detail"\nseed = 1\n'


def test_members_are_trained_and_joined_to_a_model_that_a_scan_can_use(data, tmp_path, crops):
    file = write_recipe(data, tmp_path, more=MEMBERS)
    lines = []

    def interrupt(numbers):
        if numbers["step"] == 2 and (tmp_path / "ab" / "b").exists():
            os.kill(os.getpid(), signal.SIGINT)

    assert not run_recipe(file, tmp_path / "ab", say=lines.append, show=interrupt)
    assert not (tmp_path / "ab" / "tiny.onnx").exists()
    lines.clear()
    assert run_recipe(file, tmp_path / "ab", say=lines.append)
    assert {"a: 4 of 4 steps are done", "b: 3 of 4 steps are done"} <= set(lines)
    assert any("none on both sides" in line for line in lines)
    assert not (tmp_path / "ab" / "checkpoint.pt").exists()
    assert load_model(tmp_path / "ab" / "tiny.onnx").card.kind == "frame"
    nets = [load_run(tmp_path / "ab" / name) for name in "ab"]
    assert [net.prepare.__name__ for net in nets] == ["normalise", "keep_detail"]
    small = crops[..., :32, :32]
    with torch.inference_mode():
        logits = [net(small).logit.numpy() for net in nets]
    joined = run_onnx(tmp_path / "ab" / "tiny.onnx", small.numpy())
    # A mean of two logits, each shifted and scaled by a positive number.
    terms = np.stack([*logits, np.ones(len(crops))], axis=1)
    weights, *_ = np.linalg.lstsq(terms, joined, rcond=None)
    np.testing.assert_allclose(terms @ weights, joined, atol=1e-4)
    assert (weights[:2] > 0).all()
    assert len(read_log(tmp_path / "ab" / "a")) == 4


def test_members_of_one_start_become_one_network_by_the_mean_of_their_weights(data, tmp_path, crops):
    run(write_recipe(data, tmp_path, changes=FOLDED), tmp_path / "first")
    start = ("[loop]", f'[loop]\nstart = "{tmp_path / "first"}"')
    more = "[members.a]\n[members.b.loop]\nseed = 1\n"
    changes = [*FOLDED, start, ('name = "tiny"', 'name = "tiny"\njoin = "weights"')]
    assert run(write_recipe(data, tmp_path, changes=changes, more=more), tmp_path / "ab")
    nets = [load_run(tmp_path / "ab" / name) for name in "ab"]
    small = crops[..., :32, :32]
    for key, value in nets[0].state_dict().items():
        nets[0].state_dict()[key].copy_((value + nets[1].state_dict()[key]) / 2)
    with torch.inference_mode():
        expected = nets[0](small).logit.numpy()
        assert np.abs(expected - nets[1](small).logit.numpy()).max() > 1e-3
    np.testing.assert_allclose(run_onnx(tmp_path / "ab" / "tiny.onnx", small.numpy()), expected, atol=1e-4)


def test_members_that_are_left_apart_are_networks_of_any_kind_with_cards_of_their_own(data, tmp_path):
    changes = [
        ('name = "tiny"', 'name = "tiny"\njoin = "apart"'),
        ("source_weights = {{ photos = 1.0 }}", ""),
    ]
    file = write_recipe(
        data, tmp_path, changes=changes, more="[members.cnn]\n[members.gru.clip]\nframes = 3\n"
    )
    assert run(file, tmp_path / "team")
    for name, kind in (("cnn", "frame"), ("gru", "clip")):
        assert load_model(tmp_path / "team" / name / f"{name}.onnx").card.kind == kind
        assert len(read_log(tmp_path / "team" / name)) == 4
    assert not (tmp_path / "team" / "tiny.onnx").exists()


def test_two_processes_train_members_and_one_joins_them(data, tmp_path):
    file = write_recipe(data, tmp_path, more=MEMBERS)
    assert finish(start(file, tmp_path / "ab", world=2)) == [0, 0]
    assert load_model(tmp_path / "ab" / "tiny.onnx").card.kind == "frame"


def test_a_member_is_the_run_that_its_changes_make_of_the_recipe(data, tmp_path):
    alone = read_recipe(write_recipe(data, tmp_path, changes=[("[loop]", "[loop]\nseed = 1")]))
    more = "[members.tiny.loop]\nseed = 1\n"
    (member,) = read_recipe(write_recipe(data, tmp_path, more=more)).members
    assert member == alone and member.digest() == alone.digest()


@pytest.mark.parametrize("damaged", [{"name": "x"}, [], "x", None])
def test_a_member_whose_run_was_damaged_is_refused(data, tmp_path, damaged):
    file = write_recipe(data, tmp_path, more="[members.a]\n")
    run(file, tmp_path)
    recipe = tmp_path / "a" / "recipe.json"
    recipe.unlink() if damaged is None else recipe.write_text(json.dumps(damaged))
    with pytest.raises(DataError, match=r"recipe\.json must be the recipe of a run"):
        run(file, tmp_path)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("[members]\na = 3\n", r"\[members\] must hold a table of changes for each member, got \{'a': 3\}"),
        ("[members.a.loop]\nstep = 3\n", r"\[members.a\]: \[loop\] has an unknown key 'step'"),
        ("[members.a]\nloop = 3\n", r"\[members.a\]: \[loop\] must be a table, got 3"),
        ('[members."../a"]\n', r"name must be letters, digits and \. _ -, got '\.\./a'"),
        ("[members.a.clip]\nframes = 3\n", "must be one network for single frames"),
        ("[members.a.members.b]\n", "must be one network for single frames"),
        ('[members.a]\n[members.b.loop]\nmixed_precision = "bf16"\n', "must be the same for all members"),
        ("[members.a]\n" + CLIP, "must be one network for single frames"),
        ('[members.a]\njoin = "weights"\n', r"\[members.a\]: join = weights needs members"),
    ],
)
def test_members_that_cannot_judge_together_are_refused(data, tmp_path, more, words):
    with pytest.raises(SettingsError, match=words):
        run(write_recipe(data, tmp_path, more=more), tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("join", "words"),
    [
        ("votes", "join must be one of logits, weights, apart, got 'votes'"),
        ("weights", "needs members that have start and fold_norms"),
    ],
)
def test_members_whose_weights_have_no_mean_are_refused(data, tmp_path, join, words):
    changes = [('name = "tiny"', f'name = "tiny"\njoin = "{join}"')]
    with pytest.raises(SettingsError, match=words):
        run(write_recipe(data, tmp_path, more=MEMBERS, changes=changes), tmp_path / "run")


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
