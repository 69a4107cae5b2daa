"""EfficientNet with squeeze-and-excitation in plain torch, its layers named as timm names them.

Architecture after Tan & Le, "EfficientNet", ICML 2019, in the form of the TensorFlow weights (SAME padding,
batch norm with an epsilon of 0.001), so that files which were trained with timm's ``tf_efficientnet_*`` load
without timm.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional as F

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
_EPS = 1e-3


@dataclass(frozen=True, slots=True)
class Scale:
    """How much wider and deeper than B0.

    >>> Scale(2.0, 3.1).channels(32), Scale(2.0, 3.1).repeats(4)
    (64, 13)
    """

    width: float
    depth: float

    def channels(self, base: int) -> int:
        """A multiple of 8, never below 90 % of the exact value."""
        exact = base * self.width
        rounded = max(8, int(exact + 4) // 8 * 8)
        return rounded + 8 if rounded < 0.9 * exact else rounded

    def repeats(self, base: int) -> int:
        """Blocks of a stage."""
        return math.ceil(base * self.depth)


class SameConv(nn.Conv2d):
    """A convolution that pads as TensorFlow's SAME: the output's side is the input's over the stride."""

    def forward(self, x: Tensor) -> Tensor:
        """Shape (N, C, H, W)."""
        pads = [self._pads(int(length), axis) for axis, length in enumerate(x.shape[2:])]
        return super().forward(F.pad(x, (*pads[1], *pads[0])))

    def _pads(self, length: int, axis: int) -> tuple[int, int]:
        kernel, stride = self.kernel_size[axis], self.stride[axis]
        total = max(0, (-(-length // stride) - 1) * stride + kernel - length)
        return total // 2, total - total // 2


class SqueezeExcite(nn.Module):
    """Each channel scaled by what the whole picture says."""

    def __init__(self, channels: int, squeezed: int) -> None:
        super().__init__()
        self.conv_reduce = nn.Conv2d(channels, squeezed, 1)
        self.conv_expand = nn.Conv2d(squeezed, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Shape (N, C, H, W) to the same."""
        gate: Tensor = self.conv_expand(F.silu(self.conv_reduce(x.mean((2, 3), keepdim=True))))
        return x * gate.sigmoid()


class FirstBlock(nn.Module):
    """Filter each channel by itself, project; the block of the first stage, which expands nothing."""

    def __init__(self, inputs: int, outputs: int, *, kernel: int, stride: int, expansion: int = 1) -> None:
        super().__init__()
        self.conv_dw = SameConv(inputs, inputs, kernel, stride, groups=inputs, bias=False)
        self.bn1 = nn.BatchNorm2d(inputs, _EPS)
        self.se = SqueezeExcite(inputs, max(1, inputs // 4))
        self.conv_pw = nn.Conv2d(inputs, outputs, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs, _EPS)
        self.joins = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """Shape (N, inputs, H, W) to (N, outputs, H / stride, W / stride)."""
        y: Tensor = self.bn2(self.conv_pw(self.se(F.silu(self.bn1(self.conv_dw(x))))))
        return x + y if self.joins else y


class Block(nn.Module):
    """Expand, filter each channel by itself, project."""

    def __init__(self, inputs: int, outputs: int, *, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = inputs * expansion
        self.conv_pw = nn.Conv2d(inputs, hidden, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(hidden, _EPS)
        self.conv_dw = SameConv(hidden, hidden, kernel, stride, groups=hidden, bias=False)
        self.bn2 = nn.BatchNorm2d(hidden, _EPS)
        self.se = SqueezeExcite(hidden, max(1, inputs // 4))
        self.conv_pwl = nn.Conv2d(hidden, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs, _EPS)
        self.joins = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """Shape (N, inputs, H, W) to (N, outputs, H / stride, W / stride)."""
        wide = self.se(F.silu(self.bn2(self.conv_dw(F.silu(self.bn1(self.conv_pw(x)))))))
        y: Tensor = self.bn3(self.conv_pwl(wide))
        return x + y if self.joins else y


class EfficientNet(nn.Module):
    """The encoder without its classifier.

    Args:
        scale: Its multipliers; B7 has 2.0 and 3.1.

    Example:
        >>> import torch
        >>> tuple(EfficientNet(Scale(0.25, 0.5)).eval()(torch.zeros(1, 3, 65, 65)).shape)
        (1, 320)
    """

    def __init__(self, scale: Scale) -> None:
        super().__init__()
        channels, self.features = scale.channels(32), scale.channels(1280)
        self.conv_stem = SameConv(3, channels, 3, 2, bias=False)
        self.bn1 = nn.BatchNorm2d(channels, _EPS)
        stages = []
        for number, (kernel, stride, expansion, base, repeats) in enumerate(STAGES):
            kind = Block if number else FirstBlock
            blocks: list[nn.Module] = []
            outputs = scale.channels(base)
            for repeat in range(scale.repeats(repeats)):
                sizes = {"kernel": kernel, "stride": 1 if repeat else stride, "expansion": expansion}
                blocks.append(kind(channels, outputs, **sizes))
                channels = outputs
            stages.append(nn.Sequential(*blocks))
        self.blocks = nn.Sequential(*stages)
        self.conv_head = nn.Conv2d(channels, self.features, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(self.features, _EPS)

    def forward(self, images: Tensor) -> Tensor:
        """Normalised images, shape (N, 3, H, W), to features, shape (N, ``features``), means over places."""
        x = self.blocks(F.silu(self.bn1(self.conv_stem(images))))
        features: Tensor = F.silu(self.bn2(self.conv_head(x))).mean((2, 3))
        return features
