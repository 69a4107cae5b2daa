"""Encoders by name: EfficientNet-Lite, a tiny one for trials of the engine, and all of timm's.

An encoder takes normalised crops of shape (N, 3, S, S) and gives features at a sixteenth and at a
thirty-second of their side. timm is no dependency; where it can be imported, any of its networks with
features at these scales will do.
"""

from __future__ import annotations

import importlib
import itertools
from collections.abc import Callable
from types import ModuleType

import torch
from torch import Tensor, nn

from unmask.errors import ModelError
from unmask.lab.models.efficientnet_lite import (
    VARIANTS,
    ConvNorm,
    EfficientNetLite,
    find_imagenet_weights,
    load_imagenet_weights,
)

MEAN, STD = 127.0, 128.0  # what the ImageNet weights of the Lite family were trained with


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
        mean, std = (torch.tensor(values)[:, None, None] for values in (config.mean, config.std))
        self.register_buffer("mean", mean, persistent=False)
        self.register_buffer("std", std, persistent=False)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Shape (N, 3, S, S), normalised as for the Lite family, to features at S/16 and S/32."""
        pixels = (x * STD + MEAN) / 255  # timm's networks each have a normalisation of their own
        features = self.body((pixels - self.mean) / self.std)
        return features[self.places[0]], features[self.places[1]]


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


def make_encoder(name: str, *, pretrained: bool) -> Encoder | EfficientNetLite:
    """An encoder by name.

    Args:
        name: ``lite0``, ``lite1``, ``lite2``, ``tiny``, or a network of timm.
        pretrained: Start from ImageNet weights; there are none for ``tiny``.

    Raises:
        ModelError: The name is unknown, or its weights cannot be had.
        MissingExtraError: The package with the weights is not installed.
    """
    if name in VARIANTS:
        encoder = EfficientNetLite(name)
        if pretrained:
            load_imagenet_weights(encoder, find_imagenet_weights(name))
        return encoder
    if name in OWN:
        return OWN[name]()
    return TimmEncoder(name, pretrained=pretrained)


OWN: dict[str, Callable[[], Encoder]] = {"tiny": TinyEncoder}


def _own() -> str:
    return ", ".join([*VARIANTS, *OWN])
