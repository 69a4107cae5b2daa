import cv2
import numpy as np
import pytest
import torch
from skimage.data import chelsea, coffee

from unmask.errors import ModelError
from unmask.lab.models.efficientnet_lite import EfficientNetLite, find_imagenet_weights, load_imagenet_weights
from unmask.lab.models.export import export_onnx
from unmask.lab.models.frame_net import FrameNet

TABBY, TIGER_CAT, PERSIAN, SIAMESE, EGYPTIAN, ESPRESSO = 281, 282, 283, 284, 285, 967


@pytest.mark.parametrize(
    ("image", "classes"), [(chelsea, {TABBY, TIGER_CAT, EGYPTIAN}), (coffee, {ESPRESSO})]
)
def test_the_published_weights_know_a_cat_and_a_coffee(image, classes):
    picture = image()
    side = picture.shape[0]
    left = (picture.shape[1] - side) // 2
    small = cv2.resize(picture[:, left : left + side], (224, 224), interpolation=cv2.INTER_AREA)
    encoder = EfficientNetLite("lite0").eval()
    file = find_imagenet_weights("lite0")
    load_imagenet_weights(encoder, file)
    classifier = torch.load(file, weights_only=True)
    pixels = torch.from_numpy((small.astype(np.float32) - 127) / 128).permute(2, 0, 1)[None]
    with torch.inference_mode():
        features = encoder(pixels)[1].mean((2, 3))
        best = (features @ classifier["_fc.weight"].T + classifier["_fc.bias"]).argmax().item()
    assert best in classes


def test_weights_of_another_variant_are_refused():
    with pytest.raises(ModelError, match=r"must hold|must have shape"):
        load_imagenet_weights(EfficientNetLite("lite2"), find_imagenet_weights("lite0"))


def test_an_unknown_backbone_is_named():
    with pytest.raises(ModelError, match="unknown backbone 'b7'; choose from: lite0, lite1, lite2"):
        EfficientNetLite("b7")


@pytest.mark.parametrize("variant", ["lite0", "lite1", "lite2"])
def test_every_variant_halves_five_times(variant):
    middle, top = EfficientNetLite(variant).eval()(torch.zeros(1, 3, 96, 96))
    assert middle.shape[2:] == (6, 6) and top.shape == (1, 1280, 3, 3)


def test_a_mask_logit_covers_each_patch():
    output = FrameNet(pretrained=False).eval()(torch.zeros(2, 3, 64, 64, dtype=torch.uint8))
    assert output.logit.shape == (2,) and output.mask_logit.shape == (2, 4, 4)


def test_export_keeps_what_the_network_computes(tmp_path):
    net = FrameNet(pretrained=False).eval()
    assert export_onnx(net, tmp_path / "n.onnx", size_px=64) < 1e-3
    assert (tmp_path / "n.onnx").stat().st_size < 20e6


def test_export_notices_a_difference(tmp_path, monkeypatch):
    monkeypatch.setattr("unmask.lab.models.export.LARGEST_DIFFERENCE", -1.0)
    with pytest.raises(ModelError, match="must match torch within"):
        export_onnx(FrameNet(pretrained=False).eval(), tmp_path / "n.onnx", size_px=64)
