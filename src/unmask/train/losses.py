"""What the network is asked for."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from unmask.models.frame_net import FrameOutput


def pair_loss(output: FrameOutput, masks: Tensor, *, rank_weight: float, mask_weight: float) -> Tensor:
    """Loss over pairs of a real and its own fake.

    Cross-entropy, plus a ranking term that looks at each pair alone, so that scene and person cancel
    out, plus the cross-entropy of the predicted blended region.

    Args:
        output: Of reals, then of their fakes in the same order.
        masks: Share of foreign face in each patch, shape (2B, S/16, S/16).
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
