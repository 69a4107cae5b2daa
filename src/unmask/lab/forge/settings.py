"""Settings of the makers of pseudo-fakes; a recipe's table ``[pairs]``."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from unmask.errors import require

BLENDINGS = ("faint", "plain")
"""Ways of making pseudo-fakes, the values of the key ``forger``; see `PairSettings`."""


@dataclass(frozen=True, slots=True)
class PairSettings:
    """What pairs of a real face and its pseudo-fake are drawn from, and how.

    Attributes:
        size_px: Side of the crops; a multiple of 32.
        last_size_px: Side in the cool-down that ends a run; large crops teach most and cost most.
        forger: How pairs are blended. ``faint`` works at the footage's own resolution, with donors from any
            source, and leaves few artefacts of low strength (`unmask.lab.forge.pairs`); ``plain`` works at
            the size that the network sees, and leaves every artefact at full strength
            (`unmask.lab.forge.plain`).
        clean_share: Share of pairs that are left as they were blended, without any degradation.
        last_clean_share: The same in the cool-down, where it differs. Degraded pairs first and clean ones
            last teach to tell weak artefacts from poor pictures (docs/lab/pseudo_fakes.md).
        degraded_share: Share of the others that are degraded by light, scale, blur and noise before the codec
            that nearly all of them go through.
        harsh_share: Share of all pairs that are degraded so strongly that little survives
            (`unmask.lab.forge.augment.draw_harsh_degradation`), instead of the above.
        pairs_per_step: Real faces in a step over all processes; each brings its own fake. 0 makes none, where
            a recipe has aligned pairs instead.
        margin_fractions: Lowest and highest margin around the face box; below 0 a part of it is cut off.
        swap_share: Share of fakes made by a swap between two people; the rest blend a face with itself.
        neural_share: Share of fakes whose inner face an autoencoder gave back, trained before the first step
            on the same real faces.
        autoencoder_steps: Of 32 faces, to train it.
        source_weights: How often each source is drawn from; ``a+b`` is one pool of two sources. Empty, every
            source that is there is drawn from alike.
        held_out: Identities that begin with one of these are never trained on.
    """

    size_px: int = 160
    last_size_px: int = 224
    forger: str = "faint"
    clean_share: float = 0.0
    last_clean_share: float | None = None
    degraded_share: float = 0.5
    harsh_share: float = 0.0
    pairs_per_step: int = 16
    margin_fractions: tuple[float, float] = (0.1, 0.6)
    swap_share: float = 0.35
    neural_share: float = 0.0
    autoencoder_steps: int = 2500
    source_weights: dict[str, float] = field(default_factory=dict)
    held_out: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for size_px in (self.size_px, self.last_size_px):
            require(size_px >= 32 and size_px % 32 == 0, "crop sizes must be multiples of 32", size_px)
        require(self.forger in BLENDINGS, f"forger must be one of {', '.join(BLENDINGS)}", self.forger)
        ok = self.forger == "faint" or not self.neural_share
        require(ok, "forger plain has no autoencoder, so neural_share must be 0", self.neural_share)
        require(self.pairs_per_step >= 0, "pairs_per_step must be 0 or more", self.pairs_per_step)
        low, high = self.margin_fractions
        ok = -0.5 <= low <= high <= 1
        require(ok, "margin_fractions must rise within -0.5 to 1", self.margin_fractions)
        shares = ("clean_share", "last_clean_share", "degraded_share", "harsh_share", "swap_share")
        for name in (*shares, "neural_share"):
            share = getattr(self, name)
            require(share is None or 0 <= share <= 1, f"{name} must be 0 to 1", share)
        require(self.autoencoder_steps >= 1, "autoencoder_steps must be 1 or more", self.autoencoder_steps)
        ok = all(weight > 0 for weight in self.source_weights.values())
        require(ok, "each of source_weights must be above 0", self.source_weights)

    def cooled(self) -> PairSettings:
        """What is drawn in the cool-down that ends a run."""
        share = self.clean_share if self.last_clean_share is None else self.last_clean_share
        return replace(self, size_px=self.last_size_px, clean_share=share)


def is_harsh(rng: np.random.Generator, settings: PairSettings) -> bool:
    """Whether the next pair is degraded harshly; draws nothing where none is, so older runs repeat."""
    return settings.harsh_share > 0 and rng.random() < settings.harsh_share
