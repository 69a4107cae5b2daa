"""What the network is asked for."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from unmask.models.frame_net import FrameOutput


class Judgement(Protocol):
    """What losses need of a network's output, for frames and for clips."""

    @property
    def logit(self) -> Tensor:
        """Log odds of a fake, shape (N,)."""

    @property
    def mask_logit(self) -> Tensor:
        """Log odds that a patch was blended in, shape (N, ...)."""


def pair_loss(output: Judgement, masks: Tensor, *, rank_weight: float, mask_weight: float) -> Tensor:
    """Loss over pairs of a real and its own fake.

    Cross-entropy, plus a ranking term that looks at each pair alone, so that scene and person cancel
    out, plus the cross-entropy of the predicted blended region.

    Args:
        output: Of reals, then of their fakes in the same order.
        masks: Share of foreign face in each patch, shape (2B, S/16, S/16), for clips (2B, T, S/16, S/16).
        rank_weight: Weight of the ranking term.
        mask_weight: Weight of the mask term.
    """
    logit = output.logit.float()
    half = len(logit) // 2
    truth = torch.cat([torch.zeros_like(logit[:half]), torch.ones_like(logit[half:])])
    loss = F.binary_cross_entropy_with_logits(logit, truth)
    if rank_weight:
        loss = loss + rank_weight * F.softplus(1 - (logit[half:] - logit[:half])).mean()
    if mask_weight:
        loss = loss + mask_weight * F.binary_cross_entropy_with_logits(output.mask_logit.float(), masks)
    return loss


def labelled_loss(logit: Tensor, fake: Tensor, weights: Tensor) -> Tensor:
    """Weighted cross-entropy over labelled crops.

    Args:
        logit: Shape (L,).
        fake: 1 or 0, shape (L,).
        weights: What each counts, 1 on average, shape (L,).
    """
    return F.binary_cross_entropy_with_logits(logit.float(), fake, weight=weights)


def split_output(output: Judgement, pairs: int) -> tuple[FrameOutput, Tensor]:
    """The part of an output that is of the first ``pairs`` crops, and the logits of the rest."""
    return FrameOutput(output.logit[:pairs], output.mask_logit[:pairs]), output.logit[pairs:]
