"""Weights and images that a formula gives, so that two machines have the same without a file."""

from __future__ import annotations

import math

import torch


def _noise(count, phase):
    """Numbers of -1 to 1 without a pattern: what comes after the point of large sines."""
    place = torch.arange(count, dtype=torch.float64)
    return 2 * torch.frac(torch.sin(place * 12.9898 + phase).abs() * 43758.5453) - 1


def weights(name, shape):
    """Noise of a size that keeps signals alive, and around 1 where a network divides or scales by it."""
    noise = _noise(math.prod(shape), sum(name.encode()) % 97).reshape(shape)
    if name.endswith("running_var") or (("bn" in name or "norm" in name) and name.endswith("weight")):
        return (1 + 0.3 * noise).float()
    reach = math.prod(shape[1:]) if len(shape) > 1 else 100
    return (2.5 / math.sqrt(reach) * noise).float()


def images(size_px):
    """Noise, and bows of growing frequency; shape (2, 3, S, S), -1 to 1."""
    noise = _noise(3 * size_px * size_px, 0.5).reshape(3, size_px, size_px)
    place = torch.linspace(0, 3, size_px, dtype=torch.float64)
    bows = torch.sin(place[:, None] ** 2 * 3 + place * 2) * torch.ones(3, 1, 1)
    return torch.stack([noise, bows]).float()
