"""What of a backbone learns: all of it, its norms, or nothing; and foundation networks in a run."""

import pytest
import torch

from tiny_foundation import narrow_foundation
from tiny_recipe import LABELLED, silent, write_recipe
from training_data import store_sets
from unmask.errors import ModelError, SettingsError
from unmask.judge.score import load_model
from unmask.lab.models import backbone
from unmask.lab.models.vit import VisionTransformer
from unmask.lab.train.build import make_net
from unmask.lab.train.checkpoint import load_checkpoint
from unmask.lab.train.recipe import read_recipe
from unmask.lab.train.run import run_recipe

CLIP_B16 = ('backbone = "tiny"', 'backbone = "clip_b16"')


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return store_sets(tmp_path_factory.mktemp("data"))


@pytest.fixture
def narrow(monkeypatch):
    """CLIP with narrow tokens, the same weights whenever it is asked for."""
    shape = narrow_foundation(monkeypatch, "clip_b16", image_px=32)

    def load(name, folder):
        assert (name, str(folder)) == ("clip_b16", "wheels")
        torch.manual_seed(5)
        return VisionTransformer(shape)

    monkeypatch.setattr(backbone, "load_foundation", load)


@pytest.mark.parametrize("tuned", ["all", "norms", "head"])
def test_a_run_changes_what_is_tuned_and_nothing_else(data, tmp_path, narrow, tuned):
    change = ("[loop]", f'[loop]\nwheels = "wheels"\ntuned = "{tuned}"')
    file = write_recipe(data, tmp_path, more=LABELLED, changes=[CLIP_B16, change])
    before = make_net(read_recipe(file)).encoder.state_dict()
    assert run_recipe(file, tmp_path / "run", say=silent)
    after = load_checkpoint(tmp_path / "run")["net"]
    changed = {name for name, weights in before.items() if not torch.equal(weights, after[f"encoder.{name}"])}
    norms = {name for name in before if "norm" in name}
    assert norms and len(before) > len(norms)
    keys = {name for name in before if name.endswith("keys.bias")}  # attention does not hear a bias of keys
    assert changed - keys == {"all": set(before) - keys, "norms": norms, "head": set()}[tuned]
    assert load_model(tmp_path / "run" / "tiny.onnx").card.size_px == 32


def test_where_wheels_lie_is_not_what_a_run_is(data, tmp_path):
    def digest(more):
        return read_recipe(write_recipe(data, tmp_path, changes=[("[loop]", f"[loop]\n{more}")])).digest()

    assert digest('wheels = "elsewhere"') == digest("") != digest('tuned = "norms"')


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        (['tuned = "some"'], SettingsError, "tuned must be one of all, norms, head, got 'some'"),
        (
            ['tuned = "norms"', "fold_norms = true"],
            ModelError,
            "needs a backbone with norms, got one without; leave fold_norms out",
        ),
    ],
)
def test_what_cannot_be_tuned_is_refused(data, tmp_path, changes, error, words):
    more = [("[loop]", "\n".join(["[loop]", *changes])), ('backbone = "tiny"', 'backbone = "lite0"')]
    with pytest.raises(error, match=words):
        run_recipe(write_recipe(data, tmp_path, changes=more), tmp_path / "run", say=silent)


def test_crops_that_are_not_whole_patches_are_refused(data, tmp_path):
    dino = ('backbone = "tiny"', 'backbone = "dinov2_s"')
    with pytest.raises(
        ModelError, match="dinov2_s sees crops whose side is a multiple of 224 px, got 32; set"
    ):
        run_recipe(write_recipe(data, tmp_path, changes=[dino]), tmp_path / "run", say=silent)
