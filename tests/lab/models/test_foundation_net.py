import json
from hashlib import sha256

import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")

from tiny_model import card_values  # noqa: E402
from unmask.errors import ModelError  # noqa: E402
from unmask.judge.score import load_model  # noqa: E402
from unmask.lab.models.export import export_judge, run_onnx  # noqa: E402
from unmask.lab.models.foundation_net import FoundationNet  # noqa: E402
from unmask.lab.models.narrow import narrow_weights  # noqa: E402
from unmask.lab.models.vit import Shape, VisionTransformer  # noqa: E402

MEAN, STD = (0.5, 0.4, 0.3), (0.25, 0.3, 0.2)


@pytest.fixture
def net():
    torch.manual_seed(0)
    tower = VisionTransformer(Shape(64, 3, 640, patch_px=14, image_px=28)).eval()
    for matrix in (p for p in tower.parameters() if p.ndim == 1):
        torch.nn.init.normal_(matrix, 1.0, 0.2)
    return FoundationNet(tower, mean=MEAN, std=STD, blocks=(1, 2)).eval()


@pytest.fixture
def crops():
    return np.random.default_rng(0).integers(0, 256, (4, 3, 28, 28), np.uint8)


def test_it_judges_by_class_mean_and_spread_of_its_blocks(net, crops):
    pixels = (torch.from_numpy(crops) / 255 - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(
        3, 1, 1
    )
    with torch.inference_mode():
        found = net.describe(torch.from_numpy(crops)).unflatten(1, (2, 3, 64))
        first, second, _ = net.tower.tokens(pixels)
        assert torch.allclose(net(torch.from_numpy(crops)), net.judge(found.flatten(1))[:, 0])
    for number, behind in enumerate((first, second)):
        assert torch.allclose(found[:, number, 0], behind[:, 0], atol=1e-5)
        assert torch.allclose(found[:, number, 1], behind[:, 1:].mean(1), atol=1e-5)
        assert torch.allclose(found[:, number, 2], behind[:, 1:].std(1), atol=1e-5)


def test_matrices_of_8_bits_are_stored_without_loss(net, crops, tmp_path):
    """As those of the foundation networks: a step for each output, with 127 steps at its largest weight."""
    for layer in net.modules():
        if isinstance(layer, torch.nn.Linear) and layer is not net.judge:
            step = layer.weight.abs().amax(1, keepdim=True) / 127
            layer.weight.data = (layer.weight / step).round() * step
    net.requires_grad_(requires_grad=False)
    wide, narrow = tmp_path / "wide.onnx", tmp_path / "narrow.onnx"
    export_judge(net, wide, crops=crops)
    narrow_weights(wide, narrow)
    stored = [
        onnx.numpy_helper.to_array(t)
        for t in onnx.load(narrow).graph.initializer
        if t.data_type == onnx.TensorProto.INT8
    ]
    assert [array.shape for array in stored] == [(64, 640), (640, 64)] * 2
    assert narrow.stat().st_size < 0.6 * wide.stat().st_size
    assert np.abs(run_onnx(wide, crops) - run_onnx(narrow, crops)).max() < 2e-3


def test_a_second_head_tells_drawn_faces_and_a_scan_hears_it(crops, tmp_path):
    torch.manual_seed(1)
    tower = VisionTransformer(Shape(64, 2, 128, patch_px=14, image_px=28)).eval()
    net = FoundationNet(tower, mean=MEAN, std=STD, blocks=(1, 2), tells_drawn=True).eval()
    net.requires_grad_(requires_grad=False)
    file = tmp_path / "two.onnx"
    export_judge(net, file, crops=crops, outputs=("logit", "drawn"))
    logit, drawn = (one.numpy() for one in net(torch.from_numpy(crops)))
    values = card_values(
        file=file.name, size_px=28, sha256=sha256(file.read_bytes()).hexdigest(), drawn_at_least=0.5
    )
    card = tmp_path / "two.json"
    card.write_text(json.dumps(values))
    found = load_model(card).look(crops)
    assert np.allclose(found.logits, logit, atol=1e-4) and np.allclose(found.drawn, drawn, atol=1e-4)
    card.write_text(json.dumps({key: value for key, value in values.items() if key != "drawn_at_least"}))
    with pytest.raises(ModelError, match=r"give logit float \(N,\), got"):
        load_model(card)


@pytest.mark.parametrize("blocks", [(), (0, 1), (2, 4), (2, 1), (1, 1)])
def test_blocks_must_be_the_towers_and_rise(blocks):
    tower = VisionTransformer(Shape(64, 3, 128, patch_px=14, image_px=28))
    with pytest.raises(ModelError, match="blocks must rise from 1 to 3, got"):
        FoundationNet(tower, mean=MEAN, std=STD, blocks=blocks)
