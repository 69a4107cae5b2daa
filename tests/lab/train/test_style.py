"""Mixed styles: what changes of a sample's features in training, and that judging knows nothing of it."""

import pytest
import torch

from tiny_recipe import silent, write_recipe
from training_data import store_people
from unmask.errors import ModelError, SettingsError
from unmask.lab.models.frame_net import FrameNet
from unmask.lab.train.run import run_recipe
from unmask.lab.train.style import StyleMix, mix_styles

STYLES = (2, 3)  # height and width, over which mean and spread are taken


def test_mean_and_spread_are_mixed_and_what_is_left_stays():
    torch.manual_seed(0)
    features = torch.randn(6, 4, 8, 8) * torch.arange(1, 7)[:, None, None, None]
    mixed = StyleMix(1.0)(torch.nn.Identity().train(), None, features)
    spread, mean = torch.std_mean(features, dim=STYLES, keepdim=True)
    new_spread, new_mean = torch.std_mean(mixed, dim=STYLES, keepdim=True)
    torch.testing.assert_close((mixed - new_mean) / new_spread, (features - mean) / spread)
    assert (new_spread.flatten(1).amax(1) - spread.flatten(1).amax(1)).abs().max() > 0.1
    assert spread.amin() <= new_spread.amin() and new_spread.amax() <= spread.amax() + 1e-5


def test_a_channel_that_is_the_same_everywhere_has_a_finite_gradient():
    features = torch.ones(4, 2, 3, 3, requires_grad=True)
    StyleMix(1.0)(torch.nn.Identity().train(), None, features).square().sum().backward()
    assert torch.isfinite(features.grad).all()


def test_styles_are_mixed_in_training_only():
    torch.manual_seed(1)
    net = FrameNet("lite0", pretrained=False, dropout=0.0)
    net.fold_norms()
    crops = torch.randint(0, 256, (4, 3, 32, 32), dtype=torch.uint8)
    before = net(crops).logit
    mix_styles(net, share=1.0)
    assert torch.equal(net(crops).logit, before)
    assert not torch.equal(net.train()(crops).logit, before)


@pytest.mark.parametrize(
    ("share", "error", "words"),
    [
        (1.5, SettingsError, "style_mix_share must be 0 to 1, got 1.5"),
        (0.5, ModelError, "style_mix_share needs one of lite0, lite1, lite2"),
    ],
)
def test_a_share_that_cannot_be_is_refused(tmp_path, share, error, words):
    store_people(tmp_path / "train", [("ann", "REAL")], frames=2)
    store_people(tmp_path / "val", [("ben", "REAL"), ("f-of-ben", "FAKE")], frames=2)
    change = ("[loop]", f"[loop]\nstyle_mix_share = {share}")
    with pytest.raises(error, match=words):
        run_recipe(write_recipe(tmp_path, tmp_path, changes=[change]), tmp_path / "run", say=silent)
