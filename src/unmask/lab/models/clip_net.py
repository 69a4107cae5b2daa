"""A network that judges the frames of one person together, so that flicker and jitter in time count.

Each frame goes through a `FrameNet`; a head over time then corrects what that says of each frame by what
the frames before and after it look like. The head's last layer starts at zero, so an untrained clip net
judges exactly as its frame net does.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unmask.errors import ModelError
from unmask.lab.models.foundations import WHEELS
from unmask.lab.models.frame_net import FrameNet


class ClipOutput(NamedTuple):
    """What the network says of N clips of T frames.

    Attributes:
        logit: Log odds of a fake, shape (N,); the mean of the frames'.
        mask_logit: Log odds that a patch was blended in, shape (N, T, S/16, S/16).
        frame_logits: Log odds of a fake for each frame among the others, shape (N, T).
    """

    logit: Tensor
    mask_logit: Tensor
    frame_logits: Tensor


class Changes(nn.Module):
    """Narrows features and puts beside each frame's how they differ from the frame before.

    Args:
        inputs: Features of a frame.
        outputs: Features it gives, an even number.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.narrow = nn.Linear(inputs, outputs // 2)

    def forward(self, x: Tensor) -> Tensor:
        """Shape (N, T, inputs) to (N, T, outputs); nothing changes up to the first frame."""
        x = self.narrow(x)
        before = torch.cat([x[:, :1], x[:, :-1]], dim=1)
        return torch.cat([x, x - before], dim=2)


class GruHead(nn.Module):
    """A gated recurrent unit that reads the frames forwards and backwards.

    Args:
        features: Of a frame.
        hidden: Width of the state, an even number.
    """

    def __init__(self, features: int, hidden: int) -> None:
        super().__init__()
        self.changes = Changes(features, hidden)
        self.gru = nn.GRU(hidden, hidden // 2, batch_first=True, bidirectional=True)
        self.out = _zero_linear(hidden)

    def forward(self, x: Tensor) -> Tensor:
        """Shape (N, T, features) to (N, T)."""
        states, _ = self.gru(self.changes(x))
        correction: Tensor = self.out(states).squeeze(2)
        return correction


class TransformerHead(nn.Module):
    """One block of self-attention over the frames.

    After Vaswani et al., "Attention is all you need", NeurIPS 2017, with norms before instead of after.

    Args:
        features: Of a frame.
        hidden: Width, a multiple of ``heads`` times 2.
        heads: Attention heads.
    """

    def __init__(self, features: int, hidden: int, *, heads: int = 4) -> None:
        super().__init__()
        self.heads = heads
        self.changes = Changes(features, hidden)
        self.norms = nn.ModuleList(nn.LayerNorm(hidden) for _ in range(3))
        self.ask = nn.Linear(hidden, 3 * hidden)
        self.answer = nn.Linear(hidden, hidden)
        self.think = nn.Sequential(nn.Linear(hidden, 2 * hidden), nn.GELU(), nn.Linear(2 * hidden, hidden))
        self.out = _zero_linear(hidden)

    def forward(self, x: Tensor) -> Tensor:
        """Shape (N, T, features) to (N, T)."""
        x = self.changes(x)
        x = x + _positions(x)
        clips, frames, width = x.shape
        parts = self.ask(self.norms[0](x)).reshape(clips, frames, 3 * self.heads, width // self.heads)
        query, key, value = parts.transpose(1, 2).chunk(3, dim=1)
        mixed = F.scaled_dot_product_attention(query, key, value)
        x = x + self.answer(mixed.transpose(1, 2).reshape(clips, frames, width))
        x = x + self.think(self.norms[1](x))
        correction: Tensor = self.out(self.norms[2](x)).squeeze(2)
        return correction


HEADS: dict[str, Callable[[int, int], nn.Module]] = {"gru": GruHead, "transformer": TransformerHead}


class ClipNet(nn.Module):
    """A `FrameNet` for each frame and a head over time.

    Args:
        backbone: As for `FrameNet`.
        head: A key of `HEADS`.
        hidden: Width of the head, a multiple of 8.
        dropout: Share of a frame's features dropped in training.
        pretrained: As for `FrameNet`.
        sees: As for `FrameNet`.
        wheels: As for `FrameNet`.

    Raises:
        ModelError: The head is unknown.

    Example:
        >>> net = ClipNet("lite0", head="gru", pretrained=False).eval()
        >>> output = net(torch.zeros(1, 4, 3, 64, 64, dtype=torch.uint8))
        >>> tuple(output.logit.shape), tuple(output.frame_logits.shape)
        ((1,), (1, 4))
    """

    def __init__(
        self,
        backbone: str = "lite0",
        *,
        head: str = "gru",
        hidden: int = 128,
        dropout: float = 0.2,
        pretrained: bool = True,
        sees: str = "colour",
        wheels: Path = WHEELS,
    ) -> None:
        super().__init__()
        if head not in HEADS:
            raise ModelError(f"unknown clip head {head!r}; choose from: {', '.join(HEADS)}")
        self.frame_net = FrameNet(backbone, dropout=dropout, pretrained=pretrained, sees=sees, wheels=wheels)
        self.head = HEADS[head](self.frame_net.judge.in_features, hidden)

    def forward(self, clips: Tensor) -> ClipOutput:
        """Judge clips.

        Args:
            clips: RGB, shape (N, T, 3, S, S), uint8, S a multiple of 32, any T from 1 on.
        """
        clip_count, frame_count = clips.shape[:2]
        features, mask_logit = self.frame_net.describe(clips.flatten(0, 1))
        alone = self.frame_net.judge(features).reshape(clip_count, frame_count)
        frame_logits = alone + self.head(features.reshape(clip_count, frame_count, -1))
        mask_logit = mask_logit.reshape(clip_count, frame_count, *mask_logit.shape[1:])
        return ClipOutput(frame_logits.mean(1), mask_logit, frame_logits)


def _zero_linear(inputs: int) -> nn.Linear:
    layer = nn.Linear(inputs, 1)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def _positions(x: Tensor) -> Tensor:
    """Sines and cosines of the frame's number, shape (T, width), for x of shape (N, T, width)."""
    half = x.shape[2] // 2
    rates = torch.exp(torch.arange(half, device=x.device) * (-math.log(1000.0) / half))
    angles = torch.arange(x.shape[1], device=x.device)[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], dim=1).to(x.dtype)
