"""Faces judged by what a pretrained transformer sees in them: a linear head on some of its blocks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

import torch
from torch import Tensor, nn

from unmask.errors import ModelError
from unmask.lab.models.vit import VisionTransformer

KINDS = ("class", "mean", "spread")
"""What is taken of a block's tokens: the class token, and mean and standard deviation of the patches."""


def describe_tokens(tokens: Tensor) -> Tensor:
    """Tokens behind a block, shape (N, 1 + patches, width), to the `KINDS` of them, (N, 3, width)."""
    patches = tokens[:, 1:]
    return torch.stack([tokens[:, 0], patches.mean(1), patches.std(1)], 1)


class FoundationNet(nn.Module):
    """Crops to logits.

    Args:
        tower: Sees the crops; blocks behind the last that is used are left out.
        mean: Subtracted from RGB in 0 to 1.
        std: What is divided by.
        blocks: Counted from 1, rising; their features stand side by side.
        tells_drawn: Whether a second head tells faces that look drawn.

    Raises:
        ModelError: The blocks are none of the tower's, or not rising.

    Example:
        >>> from unmask.lab.models.vit import Shape
        >>> tower = VisionTransformer(Shape(64, 3, 128, patch_px=14, image_px=28))
        >>> net = FoundationNet(tower, mean=(0.5,) * 3, std=(0.5,) * 3, blocks=(1, 2))
        >>> net.judge.in_features, tuple(net(torch.zeros(2, 3, 28, 28, dtype=torch.uint8)).shape)
        (384, (2,))
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        tower: VisionTransformer,
        *,
        mean: Sequence[float],
        std: Sequence[float],
        blocks: Sequence[int],
        tells_drawn: bool = False,
    ) -> None:
        super().__init__()
        if not blocks or list(blocks) != sorted(set(blocks) & set(range(1, len(tower.blocks) + 1))):
            raise ModelError(f"blocks must rise from 1 to {len(tower.blocks)}, got {list(blocks)}")
        self.tower = tower
        self.taken = tuple(blocks)
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1))
        width = len(blocks) * len(KINDS) * tower.shape.width
        self.judge = nn.Linear(width, 1)
        self.drawn = nn.Linear(width, 1) if tells_drawn else None

    def describe(self, crops: Tensor) -> Tensor:
        """What the head judges by.

        Args:
            crops: RGB, shape (N, 3, S, S), uint8, S that of the tower.

        Returns:
            Shape (N, blocks x kinds x width), by block, then by kind.
        """
        pixels = (crops.to(self.mean.dtype) / 255 - self.mean) / self.std
        behind = islice(self.tower.tokens(pixels, blocks=self.taken[-1]), self.taken[0] - 1, None)
        taken = [tokens for number, tokens in enumerate(behind, self.taken[0]) if number in self.taken]
        return torch.stack([describe_tokens(tokens) for tokens in taken], 1).flatten(1)

    def forward(self, crops: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        """Log odds of a fake, shape (N,), of crops as in `describe`; and, if asked, how drawn each looks."""
        features = self.describe(crops)
        logit: Tensor = self.judge(features).squeeze(1)
        return logit if self.drawn is None else (logit, self.drawn(features).squeeze(1))
