"""Several frame networks that judge together: each errs in its own way, and their mean errs less."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from unmask.errors import ModelError
from unmask.lab.models.frame_net import FrameNet, FrameOutput


class Ensemble(nn.Module):
    """The mean of the members' logits, each first shifted and scaled so that none outshouts the others.

    Args:
        members: Trained networks.
        centres: Mean logit of each on the same faces.
        spreads: Standard deviation of the same logits.

    Raises:
        ModelError: There are no members, or a spread is not above 0.
    """

    def __init__(
        self, members: Sequence[FrameNet], *, centres: Sequence[float], spreads: Sequence[float]
    ) -> None:
        super().__init__()
        if not members or not len(members) == len(centres) == len(spreads) or min(spreads) <= 0:
            raise ModelError(
                "an ensemble needs at least one member, and a centre and a spread above 0 for each, "
                f"got {len(members)} members, centres {list(centres)} and spreads {list(spreads)}"
            )
        self.members = nn.ModuleList(members)
        self.centres, self.spreads = tuple(centres), tuple(spreads)

    def forward(self, crops: Tensor) -> FrameOutput:
        """Judge crops.

        Args:
            crops: RGB, shape (N, 3, S, S), uint8, S a multiple of 32.
        """
        outputs = [member(crops) for member in self.members]
        standard = [
            (output.logit - centre) / spread
            for output, centre, spread in zip(outputs, self.centres, self.spreads, strict=True)
        ]
        masks = torch.stack([output.mask_logit for output in outputs])
        return FrameOutput(torch.stack(standard).mean(0), masks.mean(0))
