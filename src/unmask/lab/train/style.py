"""Mix the style of crops: what mean and spread of early features say of light, camera and codec.

After Zhou, Yang, Qiao & Xiang, "Domain generalization with MixStyle", ICLR 2021. A network that meets each
face with the statistics of others as well cannot judge by those of the scene.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from unmask.lab.models.efficientnet_lite import EfficientNetLite
from unmask.lab.models.frame_net import FrameNet

EARLY_STAGES = (1, 2)
"""Their features, at a quarter and an eighth of the side, are of texture, not of meaning."""
MIX_ALPHA = 0.1  # of the beta distribution that weighs own and foreign style: mostly one or the other


def mix_styles(net: FrameNet, *, share: float) -> None:
    """Let a network meet mixed styles in training; judging is as before.

    Args:
        net: With an encoder in stages, one of the Lite family.
        share: Of training passes in which styles are mixed, drawn for each stage by itself.
    """
    assert isinstance(net.encoder, EfficientNetLite)
    for number in EARLY_STAGES:
        net.encoder.stages[number].register_forward_hook(StyleMix(share))


class StyleMix:
    """A forward hook; exchanges a part of each sample's style for that of another one of its batch.

    Args:
        share: Of calls in training in which it does so.
    """

    def __init__(self, share: float) -> None:
        self.share = share

    def __call__(self, module: nn.Module, inputs: object, features: Tensor) -> Tensor:
        """Features of shape (N, C, H, W), each channel's mean and spread partly another sample's."""
        if not module.training or float(torch.rand(())) >= self.share:
            return features
        spread, mean = torch.std_mean(features.detach(), dim=(2, 3), keepdim=True)
        spread = spread + 1e-6  # a channel may be the same everywhere
        other = torch.randperm(len(features), device=features.device)
        own = torch.distributions.Beta(MIX_ALPHA, MIX_ALPHA).sample((len(features), 1, 1, 1)).to(features)
        mixed_mean = own * mean + (1 - own) * mean[other]
        mixed_spread = own * spread + (1 - own) * spread[other]
        return (features - mean) * (mixed_spread / spread) + mixed_mean
