"""What the network is asked for."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor
from torch.nn import functional as F

from unmask.lab.models.frame_net import FrameOutput


class Judgement(Protocol):
    """What losses need of a network's output, for frames and for clips."""

    @property
    def logit(self) -> Tensor:
        """Log odds of a fake, shape (N,)."""

    @property
    def mask_logit(self) -> Tensor:
        """Log odds that a patch was blended in, shape (N, ...)."""


def pair_loss(
    output: Judgement,
    masks: Tensor,
    *,
    rank_weight: float,
    mask_weight: float,
    rank_across: bool = False,
    hard_share: float = 1.0,
) -> Tensor:
    """Loss over pairs of a real and its own fake.

    Cross-entropy, plus a ranking term that looks at each pair alone, so that scene and person cancel
    out, or at all of them together, so that they must not matter, plus the cross-entropy of the predicted
    blended region.

    Args:
        output: Of reals, then of their fakes in the same order.
        masks: Share of foreign face in each patch, shape (2B, S/16, S/16), for clips (2B, T, S/16, S/16).
        rank_weight: Weight of the ranking term.
        mask_weight: Weight of the mask term.
        rank_across: Each fake is ranked above every real, not only above its own.
        hard_share: Share of the pairs, those of the highest loss, that count (Shrivastava, Gupta & Girshick,
            "Training Region-based Object Detectors with Online Hard Example Mining", CVPR 2016).
    """
    real, fake = output.logit.float().chunk(2)
    losses = (F.softplus(real) + F.softplus(-fake)) / 2
    if rank_weight:
        below = real[None, :] if rank_across else real[:, None]
        losses = losses + rank_weight * F.softplus(1 - (fake[:, None] - below)).mean(1)
    if mask_weight:
        patches = F.binary_cross_entropy_with_logits(output.mask_logit.float(), masks, reduction="none")
        losses = losses + mask_weight * patches.flatten(1).mean(1).view(2, -1).mean(0)
    hardest = max(1, round(hard_share * len(losses)))
    return losses.topk(hardest).values.mean()


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
