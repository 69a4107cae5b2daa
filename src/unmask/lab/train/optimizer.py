"""What a step does to weights: the optimiser, and the running average that is validated and exported."""

from __future__ import annotations

import torch
from torch import nn

from unmask.lab.train.recipe import LoopSettings


def make_optimizer(net: nn.Module, settings: LoopSettings) -> torch.optim.Optimizer:
    """AdamW that decays matrices and kernels, not biases and norms."""
    decayed = [p for p in net.parameters() if p.ndim > 1]
    others = [p for p in net.parameters() if p.ndim <= 1]
    groups = [
        {"params": decayed, "weight_decay": settings.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=settings.learning_rate, betas=(0.9, 0.99))


@torch.no_grad()
def update_average(average: nn.Module, net: nn.Module, *, decay: float) -> None:
    """Move the running average towards the network; counters are copied."""
    for kept, new in zip(average.state_dict().values(), net.state_dict().values(), strict=True):
        if kept.is_floating_point():
            kept.lerp_(new.to(kept.dtype), 1 - decay)
        else:
            kept.copy_(new)
