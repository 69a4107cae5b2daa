"""Files in the exact layout of published detectors, small and with random weights, for tests."""

from __future__ import annotations

import json

import torch
from safetensors.torch import save

BACKBONES = {
    "clip": "openai/clip-vit-large-patch14",
    "dinov3": "facebook/dinov3-vitl16-pretrain-lvd1689m",
    "pe": "vit_pe_core_large_patch14_336",
}


def clip_encoder(*, width=128, layers=2, hidden=256, patch_px=14):
    """The vision part of transformers' own CLIP."""
    from transformers import CLIPVisionConfig, CLIPVisionModel

    sizes = {"hidden_size": width, "intermediate_size": hidden, "num_hidden_layers": layers}
    config = CLIPVisionConfig(**sizes, num_attention_heads=width // 64, image_size=224, patch_size=patch_px)
    return CLIPVisionModel(config).eval()


def dinov3_encoder(*, width=128, layers=2, hidden=256):
    """Transformers' own DINOv3."""
    from transformers import DINOv3ViTConfig, DINOv3ViTModel

    sizes = {"hidden_size": width, "intermediate_size": hidden, "num_hidden_layers": layers}
    config = DINOv3ViTConfig(
        **sizes, num_attention_heads=width // 64, patch_size=16, num_register_tokens=4, key_bias=False
    )
    return DINOv3ViTModel(config).eval()


ENCODERS = {"clip": clip_encoder, "dinov3": dinov3_encoder}
PREFIXES = {"clip": "feature_extractor.vision_model.", "dinov3": "feature_extractor.backbone."}


def randomise(module, seed=0):
    """Weights that make every layer count."""
    chance = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=chance) * 0.15)
    return module


def gend_tensors(kind, encoder, *, width=128, seed=1):
    """What a published file holds, by its names; those of the blocks as transformers 4 had them."""
    chance = torch.Generator().manual_seed(seed)
    tensors = {}
    for name, value in encoder.state_dict().items():
        name = name.removeprefix("vision_model.").removeprefix("model.")
        tensors[PREFIXES[kind] + name] = value.detach().clone()
    if kind == "clip":
        tensors["feature_extractor.visual_projection.weight"] = torch.zeros(64, width)
    tensors["model.linear.weight"] = torch.randn((2, width), generator=chance)
    tensors["model.linear.bias"] = torch.randn(2, generator=chance)
    return {name: value.contiguous() for name, value in tensors.items()}


def gend_files(kind="clip", tensors=None, *, head="LinearNorm", backbone=None):
    """``config.json`` and ``model.safetensors`` as bytes."""
    if tensors is None:
        tensors = gend_tensors(kind, randomise(ENCODERS[kind]()))
    config = {"architectures": ["GenD"], "backbone": backbone or BACKBONES[kind], "head": head}
    return {"config.json": json.dumps(config).encode(), "model.safetensors": save(tensors)}
