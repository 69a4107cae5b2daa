"""GenD's published files to a network: three layouts of names, one vision transformer, one linear head."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unmask.errors import ModelError
from unmask.lab.models.tensors import fill
from unmask.lab.models.vit import HEAD_WIDTH, PE_SIDE, Shape, VisionTransformer
from unmask.lab.zoo.tensors import read_safetensors

HEADS = {"linear": False, "LinearNorm": True}
"""Names of heads in ``config.json``, and whether features are brought to length 1 first."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How one family names its tensors.

    Attributes:
        prefix: Before all names of the encoder.
        names: Pattern to our name; what no pattern takes is unknown.
        unused: Pattern of tensors that the detector does not use.
        kind: What of the shape is the family's own.
        backbone: Pattern of what ``config.json`` calls the encoder.
    """

    prefix: str
    names: Mapping[str, str]
    unused: str
    kind: Mapping[str, Any]
    backbone: str


_CLIP = Layout(
    prefix="feature_extractor.vision_model.",
    names={
        r"embeddings\.patch_embedding": "patches",
        r"embeddings\.class_embedding": "prefix",
        r"embeddings\.position_embedding\.weight": "places",
        "pre_layrnorm": "norm_first",  # so spelt in CLIP
        "post_layernorm": "norm_last",
        r"encoder\.layers\.(\d+)\.layer_norm([12])": r"blocks.\1.norm\2",
        r"encoder\.layers\.(\d+)\.self_attn\.q_proj": r"blocks.\1.attention.queries",
        r"encoder\.layers\.(\d+)\.self_attn\.k_proj": r"blocks.\1.attention.keys",
        r"encoder\.layers\.(\d+)\.self_attn\.v_proj": r"blocks.\1.attention.values",
        r"encoder\.layers\.(\d+)\.self_attn\.out_proj": r"blocks.\1.attention.out",
        r"encoder\.layers\.(\d+)\.mlp\.fc1": r"blocks.\1.perceptron.up",
        r"encoder\.layers\.(\d+)\.mlp\.fc2": r"blocks.\1.perceptron.down",
    },
    unused=r"feature_extractor\.visual_projection\.weight|.*embeddings\.position_ids",
    kind={"quick_gelu": True},
    backbone="clip",
)

_DINOV3 = Layout(
    prefix="feature_extractor.backbone.",
    names={
        r"embeddings\.patch_embeddings": "patches",
        r"embeddings\.cls_token": "prefix_class",
        r"embeddings\.register_tokens": "prefix_registers",
        "norm": "norm_last",
        # Before transformers 5 the blocks were named without "model.".
        r"(?:model\.)?layer\.(\d+)\.norm([12])": r"blocks.\1.norm\2",
        r"(?:model\.)?layer\.(\d+)\.layer_scale([12])\.lambda1": r"blocks.\1.scale\2",
        r"(?:model\.)?layer\.(\d+)\.attention\.q_proj": r"blocks.\1.attention.queries",
        r"(?:model\.)?layer\.(\d+)\.attention\.k_proj": r"blocks.\1.attention.keys",
        r"(?:model\.)?layer\.(\d+)\.attention\.v_proj": r"blocks.\1.attention.values",
        r"(?:model\.)?layer\.(\d+)\.attention\.o_proj": r"blocks.\1.attention.out",
        r"(?:model\.)?layer\.(\d+)\.mlp\.up_proj": r"blocks.\1.perceptron.up",
        r"(?:model\.)?layer\.(\d+)\.mlp\.down_proj": r"blocks.\1.perceptron.down",
    },
    unused=r".*embeddings\.mask_token|.*rope_embeddings\.inv_freq",
    kind={
        "rotary": "dinov3", "learned_places": False, "patch_bias": True, "key_bias": False,
        "norm_first": False, "layer_scale": True,
    },
    backbone="dinov3",
)  # fmt: skip

_PE = Layout(
    prefix="feature_extractor.backbone.",
    names={
        r"patch_embed\.proj": "patches",
        "cls_token": "prefix",
        "pos_embed": "places",
        "norm_pre": "norm_first",
        "norm": "norm_last",
        r"blocks\.(\d+)\.norm([12])": r"blocks.\1.norm\2",
        r"blocks\.(\d+)\.attn\.(queries|keys|values)": r"blocks.\1.attention.\2",
        r"blocks\.(\d+)\.attn\.proj": r"blocks.\1.attention.out",
        r"blocks\.(\d+)\.mlp\.fc1": r"blocks.\1.perceptron.up",
        r"blocks\.(\d+)\.mlp\.fc2": r"blocks.\1.perceptron.down",
        r"attn_pool\.latent": "pool.question",
        r"attn_pool\.q": "pool.queries",
        r"attn_pool\.(keys|values|norm)": r"pool.\1",
        r"attn_pool\.proj": "pool.out",
        r"attn_pool\.mlp\.fc1": "pool.perceptron.up",
        r"attn_pool\.mlp\.fc2": "pool.perceptron.down",
    },
    unused="(?!)",  # nothing
    kind={"rotary": "pe", "pool": "attention"},
    backbone="vit_pe",
)

LAYOUTS = {"clip": _CLIP, "dinov3": _DINOV3, "pe": _PE}


class GenD(nn.Module):
    """An encoder and its linear head.

    Args:
        encoder: Images to features.
        unit: Whether features are brought to length 1 first.
    """

    def __init__(self, encoder: VisionTransformer, *, unit: bool) -> None:
        super().__init__()
        self.encoder = encoder
        self.unit = unit
        self.linear = nn.Linear(encoder.shape.width, 2)

    def forward(self, images: Tensor) -> Tensor:
        """Normalised images, shape (N, 3, S, S), to log odds of a fake, shape (N,)."""
        features = self.encoder(images)
        real, fake = self.linear(F.normalize(features, dim=1) if self.unit else features).unbind(1)
        odds: Tensor = fake - real
        return odds


def load_gend(files: Mapping[str, Path], *, encoder: str, size_px: int) -> GenD:
    """Build GenD from its published files; width, depth and patches are those of the tensors.

    Args:
        files: ``config.json`` and ``model.safetensors``.
        encoder: Key of `LAYOUTS`.
        size_px: Side of the images.

    Raises:
        ModelError: A file is damaged, or holds another detector.
    """
    layout = LAYOUTS[encoder]
    unit = _read_head(files["config.json"], layout)
    file = files["model.safetensors"]
    published = read_safetensors(file)
    tensors = _rename(published, layout, file)
    shape = _find_shape(tensors, layout, size_px, file)
    if shape.learned_places:
        tensors["places"] = _fit_places(tensors["places"], shape, file)
    net = GenD(VisionTransformer(shape), unit=unit)
    named = {f"encoder.{name}": tensor for name, tensor in tensors.items()}
    fill(net, named | {f"linear.{end}": published[f"model.linear.{end}"] for end in ("weight", "bias")}, file)
    return net.eval()


def _read_head(file: Path, layout: Layout) -> bool:
    """Whether features are brought to length 1; the configuration must be of this encoder."""
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
        head, backbone = config["head"], str(config["backbone"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelError(f"{file}: must be a JSON object with head and backbone ({error})") from error
    if not isinstance(head, str) or head not in HEADS:
        raise ModelError(f"{file}: head must be one of {', '.join(HEADS)}, got {head!r}")
    if layout.backbone not in backbone.lower():
        raise ModelError(f"{file}: backbone must be a {layout.backbone}, got {backbone!r}")
    return HEADS[head]


def _rename(published: Mapping[str, Tensor], layout: Layout, file: Path) -> dict[str, Tensor]:
    """The encoder's tensors by our names."""
    found: dict[str, Tensor] = {}
    for key, tensor in _split_fused(published).items():
        if key.startswith("model.linear.") or re.fullmatch(layout.unused, key):
            continue
        name = _our_name(key.removeprefix(layout.prefix), layout) if key.startswith(layout.prefix) else None
        if name is None:
            raise ModelError(f"{file}: a tensor {key!r} is no part of the published layout")
        found[name] = tensor
    if missing := [name for name in ("weight", "bias") if f"model.linear.{name}" not in published]:
        raise ModelError(f"{file}: lacks model.linear.{missing[0]}")
    if "prefix_class" in found and "prefix_registers" in found:
        found["prefix"] = torch.cat([found.pop("prefix_class"), found.pop("prefix_registers")], 1)
    for name in ("prefix", "places"):  # some have an axis of one in front, some not
        if name in found:
            found[name] = found[name].reshape(1, -1, found[name].shape[-1])
    return found


def _split_fused(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Some layouts keep queries, keys and values in one tensor."""
    apart: dict[str, Tensor] = {}
    fused = {"qkv": ("queries", "keys", "values"), "kv": ("keys", "values")}
    for key, tensor in tensors.items():
        *before, kind, end = key.split(".") if key.count(".") > 1 else ("", key, "")
        if kind not in fused:
            apart[key] = tensor
            continue
        for name, part in zip(fused[kind], tensor.chunk(len(fused[kind])), strict=False):
            apart[".".join((*before, name, end))] = part
    return apart


def _our_name(key: str, layout: Layout) -> str | None:
    """Our name of a published tensor, or None; patterns leave out ``.weight`` and ``.bias``."""
    stem, _, end = key.rpartition(".")
    for pattern, ours in layout.names.items():
        if match := re.fullmatch(pattern, key):
            return match.expand(ours)
        if end in ("weight", "bias") and (match := re.fullmatch(pattern, stem)):
            return f"{match.expand(ours)}.{end}"
    return None


def _find_shape(tensors: Mapping[str, Tensor], layout: Layout, size_px: int, file: Path) -> Shape:
    """Sizes that the tensors themselves tell."""
    try:
        width, _, patch_px, _ = tensors["patches.weight"].shape
        blocks = {int(name.split(".")[1]) for name in tensors if name.startswith("blocks.")}
        hidden = tensors["blocks.0.perceptron.up.weight"].shape[0]
        registers = tensors["prefix"].shape[1] - 1
    except (KeyError, ValueError) as error:
        raise ModelError(f"{file}: is no vision transformer of the published layout ({error})") from error
    if width % HEAD_WIDTH or not patch_px or size_px % patch_px or blocks != set(range(len(blocks))):
        sizes = f"got {width}, {patch_px} and {len(blocks)}"
        rule = (
            f"width must be a multiple of {HEAD_WIDTH}, and {size_px} of the patches' side; blocks from 0 on"
        )
        raise ModelError(f"{file}: {rule}, {sizes}")
    return Shape(width, len(blocks), hidden, patch_px, size_px, registers=registers, **layout.kind)


def _fit_places(places: Tensor, shape: Shape, file: Path) -> Tensor:
    """Learned places for another number of patches, resampled as timm does it.

    Source: timm's ``resample_abs_pos_embed``: bicubic with antialiasing, the class token left alone.
    """
    own = places[:, : 1 + shape.registers]
    grid = places[:, 1 + shape.registers :]
    side = round(grid.shape[1] ** 0.5)
    if side * side != grid.shape[1] or (shape.rotary == "pe" and side != PE_SIDE):
        raise ModelError(f"{file}: must hold places of a square of patches, got {grid.shape[1]}")
    if side == shape.side:
        return places
    square = grid.reshape(1, side, side, -1).permute(0, 3, 1, 2)
    square = F.interpolate(square, size=(shape.side,) * 2, mode="bicubic", antialias=True)
    return torch.cat([own, square.permute(0, 2, 3, 1).flatten(1, 2)], 1)
