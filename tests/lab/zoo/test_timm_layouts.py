"""Networks whose published weights were trained with timm, against what timm computed (references/)."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from published import gend_files  # noqa: E402
from unmask.errors import ModelError  # noqa: E402
from unmask.lab.models.vit import VisionTransformer  # noqa: E402
from unmask.lab.zoo.dfdc_net import DeepFakeClassifier, load_dfdc  # noqa: E402
from unmask.lab.zoo.efficientnet import EfficientNet, Scale  # noqa: E402
from unmask.lab.zoo.gend_net import LAYOUTS, GenD, _find_shape, _rename, load_gend  # noqa: E402

REFERENCES = Path(__file__).parents[2] / "references"
sys.path.insert(0, str(REFERENCES))  # the script there must find the formula beside it
from formula import images, weights  # noqa: E402

TIMM = json.loads((REFERENCES / "timm_networks.json").read_text())
SMALL = Scale(1.0, 1.0)
PE = "feature_extractor.backbone."


def pe_tensors():
    tensors = {PE + name: weights(name, shape) for name, shape in TIMM["pe"]["shapes"].items()}
    return tensors | {"model.linear.weight": torch.eye(2, 128), "model.linear.bias": torch.zeros(2)}


def written(folder, files):
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return {name: folder / name for name in files}


def test_the_perception_encoder_computes_what_timm_does(tmp_path):
    files = written(tmp_path, gend_files("pe", pe_tensors()))
    net = load_gend(files, encoder="pe", size_px=TIMM["pe"]["size_px"])
    with torch.inference_mode():
        found = net.encoder(images(TIMM["pe"]["size_px"]))
    np.testing.assert_allclose(found[:, :16], TIMM["pe"]["features"], atol=1e-5)
    first, second = TIMM["pe"]["features"]
    assert np.abs(np.subtract(first, second)).max() > 0.1, "the pictures must make a difference"


def test_all_names_and_shapes_of_the_large_perception_encoder_have_their_place(tmp_path):
    published = {PE + n: torch.empty(shape, device="meta") for n, shape in TIMM["pe_full"].items()}
    published |= {
        "model.linear.weight": torch.empty(2, 1024, device="meta"),
        "model.linear.bias": torch.empty(2, device="meta"),
    }
    found = _rename(published, LAYOUTS["pe"], tmp_path)
    shape = _find_shape(found, LAYOUTS["pe"], 224, tmp_path)
    with torch.device("meta"):
        net = GenD(VisionTransformer(shape), unit=True)
    wanted = {n.removeprefix("encoder."): tuple(v.shape) for n, v in net.state_dict().items()}
    given = {name: tuple(value.shape) for name, value in found.items()}
    assert given.pop("places") == (1, 1 + 24 * 24, 1024)  # learned at 336 px, resampled to 224
    assert wanted.pop("places") == (1, 1 + 16 * 16, 1024)
    assert given == {name: size for name, size in wanted.items() if not name.startswith("linear.")}


def test_places_that_are_no_square_are_refused(tmp_path):
    tensors = pe_tensors() | {PE + "pos_embed": torch.zeros(1, 1 + 24 * 23, 128)}
    with pytest.raises(ModelError, match="places of a square of patches"):
        load_gend(written(tmp_path, gend_files("pe", tensors)), encoder="pe", size_px=224)


def dfdc_state():
    """As several GPUs wrote it, with the classifier of ImageNet that nobody used."""
    shapes = TIMM["efficientnet_b0"]["shapes"]
    state = {f"module.encoder.{name}": weights(name, shape) for name, shape in shapes.items()}
    state["module.encoder.bn1.num_batches_tracked"] = torch.tensor(7)
    state["module.encoder.classifier.weight"] = torch.zeros(1000, 1280)
    return state | {"module.fc.weight": torch.eye(1, 1280), "module.fc.bias": torch.full((1,), 0.5)}


def test_efficientnet_computes_what_timm_does_also_on_odd_sizes(tmp_path):
    torch.save({"epoch": 36, "state_dict": dfdc_state(), "bce_best": np.float64(0.2)}, tmp_path / "final_111")
    net = load_dfdc(tmp_path / "final_111", SMALL)
    pictures = images(TIMM["efficientnet_b0"]["size_px"])
    with torch.inference_mode():
        found, logits = net.encoder(pictures), net(pictures)
    features = np.array(TIMM["efficientnet_b0"]["features"])
    np.testing.assert_allclose(found[:, :16], features, atol=1e-5)
    np.testing.assert_allclose(logits, features[:, 0] + 0.5, atol=1e-4)
    assert np.abs(features[0] - features[1]).max() > 0.05


def test_all_names_and_shapes_of_b7_are_timms():
    with torch.device("meta"):
        net = DeepFakeClassifier(EfficientNet(Scale(2.0, 3.1)))
    ours = {
        name.removeprefix("encoder."): list(value.shape)
        for name, value in net.state_dict().items()
        if name.startswith("encoder.") and not name.endswith("num_batches_tracked")
    }
    theirs = {n: s for n, s in TIMM["efficientnet_b7"].items() if not n.startswith("classifier.")}
    assert ours == theirs


class Evil:
    def __reduce__(self):
        return (print, ("run",))


def test_checkpoints_that_bring_code_or_another_network_are_refused(tmp_path, capsys):
    torch.save({"state_dict": {"a": Evil()}}, tmp_path / "evil")
    with pytest.raises(ModelError, match="no checkpoint of tensors alone"):
        load_dfdc(tmp_path / "evil", SMALL)
    assert "run" not in capsys.readouterr().out.split()
    (tmp_path / "text").write_text("no")
    with pytest.raises(ModelError, match="no checkpoint of tensors alone"):
        load_dfdc(tmp_path / "text", SMALL)
    torch.save([1], tmp_path / "list")
    with pytest.raises(ModelError, match="must hold tensors by name, got list"):
        load_dfdc(tmp_path / "list", SMALL)
    state = dfdc_state()
    del state["module.fc.bias"]
    torch.save(state, tmp_path / "short")
    with pytest.raises(ModelError, match=r"lacks fc\.bias"):
        load_dfdc(tmp_path / "short", SMALL)
