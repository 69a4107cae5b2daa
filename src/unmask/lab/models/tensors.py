"""Tensors by name into a network: checked first, then all of them and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from unmask.errors import ModelError


def as_float(tensor: Tensor, name: str, file: Path) -> Tensor:
    """A tensor as float32.

    Raises:
        ModelError: It is no float or not finite.
    """
    if not tensor.is_floating_point():
        raise ModelError(f"{file}: {name} must be of floats, got {tensor.dtype}")
    tensor = tensor.float()
    if not torch.isfinite(tensor).all():
        raise ModelError(f"{file}: {name} must be finite")
    return tensor


def fill(net: nn.Module, tensors: Mapping[str, Tensor], file: Path) -> None:
    """Put tensors into a network, all of them and nothing else.

    Raises:
        ModelError: Some are missing, too many or of another shape; the first are named.
    """
    wanted = {
        name: tuple(value.shape)
        for name, value in net.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    given = {name: tuple(value.shape) for name, value in tensors.items()}
    if given != wanted:
        lacking, odd = sorted(wanted.keys() - given.keys()), sorted(given.keys() - wanted.keys())
        unlike = [
            f"{name} {given[name]} for {wanted[name]}"
            for name in sorted(wanted.keys() & given.keys())
            if given[name] != wanted[name]
        ]
        parts = [("lacks", lacking), ("has no place for", odd), ("has other shapes:", unlike)]
        told = "; ".join(f"{what} {', '.join(names[:3])}" for what, names in parts if names)
        raise ModelError(f"{file}: does not fit the network: {told}")
    net.load_state_dict(dict(tensors), strict=False, assign=True)
