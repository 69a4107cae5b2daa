"""Encoders by name; timm is stood in for by a small package of the same shape."""

import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from unmask.errors import ModelError
from unmask.lab.models.backbone import TinyEncoder, make_encoder
from unmask.lab.models.export import export_onnx
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


def test_a_network_of_timm_judges_and_exports(timm, tmp_path):
    net = FrameNet("fits", pretrained=False).eval()
    crops = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (2, 3, 64, 64), np.uint8))
    output = net(crops)
    assert output.logit.shape == (2,) and output.mask_logit.shape == (2, 4, 4)
    mean, std = np.array([0.5, 0.4, 0.3]), np.array([0.2, 0.2, 0.1])
    expected = (crops.numpy().transpose(0, 2, 3, 1) / 255 - mean) / std
    np.testing.assert_allclose(net.encoder.body.seen.numpy().transpose(0, 2, 3, 1), expected, atol=1e-4)
    assert export_onnx(net, tmp_path / "n.onnx", size_px=64) < 1e-3


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("b77", r"unknown backbone 'b77'; choose from: lite0, lite1, lite2, tiny, or timm.list_models\(\)"),
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
