"""Sharpness-aware minimisation: learn from where the loss is worst nearby, and so find broad valleys.

Foret, Kleiner, Mobahi & Neyshabur, "Sharpness-Aware Minimization for Efficiently Improving Generalization",
ICLR 2021; self-blended images were trained with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import nn


@contextmanager
def uphill(parameters: Iterable[nn.Parameter], *, radius: float) -> Iterator[None]:
    """Move weights along their gradients, and clear these; at the end the weights are what they were.

    Processes that share their gradients move alike.

    Args:
        parameters: With gradients of the loss where they stand.
        radius: Length of the whole move.
    """
    moved = [(p, p.grad, p.detach().clone()) for p in parameters if p.grad is not None]
    length = torch.stack([gradient.norm() for _, gradient, _ in moved]).norm().clamp_min(1e-12)
    with torch.no_grad():
        for parameter, gradient, _ in moved:
            parameter.add_(gradient * (radius / length))
            parameter.grad = None
    try:
        yield
    finally:
        with torch.no_grad():
            for parameter, _, kept in moved:
                parameter.copy_(kept)
