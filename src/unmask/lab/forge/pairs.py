"""Training batches: every real face beside its own pseudo-fake.

A batch is a function of (seed, step, rank) and nothing else, so a run that was stopped anywhere goes on
with exactly the data it would have seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from unmask.faces.crop import scale_square
from unmask.lab.crops.framing import draw_view, flip_face, frame_face
from unmask.lab.crops.samples import Sample
from unmask.lab.crops.shards import CropReader
from unmask.lab.forge.augment import (
    Operation,
    apply_chain,
    draw_codec,
    draw_degradation,
    draw_harsh_degradation,
)
from unmask.lab.forge.blend import Pair, blend_self, face_width, keep_detail
from unmask.lab.forge.neural import Regenerator
from unmask.lab.forge.plain import draw_plain_pair
from unmask.lab.forge.pools import Pool, open_pools
from unmask.lab.forge.settings import PairSettings, is_harsh
from unmask.lab.forge.swap import swap_face
from unmask.types import Floats, Image

MASK_STRIDE = 16


class Batch(NamedTuple):
    """Pairs for one step; the first half are reals, the second half their fakes in the same order.

    Attributes:
        crops: Shape (2B, 3, S, S), uint8.
        masks: Share of foreign face in each patch, shape (2B, S/16, S/16), 0 to 1.
    """

    crops: Tensor
    masks: Tensor


def draw_degradations(rng: np.random.Generator, settings: PairSettings, *, made_px: int) -> list[Operation]:
    """The degradations of crops after they were made, down to the scaling to what a network sees.

    Args:
        rng: Source of every random choice.
        settings: How many crops are spared which part of it, and the side of what the network sees.
        made_px: Side of the crops as they were made.
    """
    chain: list[Operation] = []
    if is_harsh(rng, settings):
        chain += draw_harsh_degradation(rng, size_px=made_px)
    elif rng.random() >= settings.clean_share:
        if rng.random() < settings.degraded_share:
            chain += draw_degradation(rng, size_px=made_px)
        chain += draw_codec(rng)
    return [*chain, partial(scale_square, size_px=settings.size_px)]


def stack_pairs(pairs: Sequence[Pair], *, size_px: int) -> Batch:
    """Pairs whose crops are of ``size_px``, and whose masks are of any size, as a batch."""
    crops = np.stack([pair.real for pair in pairs] + [pair.fake for pair in pairs])
    side = size_px // MASK_STRIDE
    masks = np.stack([cv2.resize(pair.mask, (side, side), interpolation=cv2.INTER_AREA) for pair in pairs])
    return Batch(
        torch.from_numpy(crops).permute(0, 3, 1, 2),
        torch.from_numpy(np.concatenate([np.zeros_like(masks), masks])),
    )


class PairBatches(Dataset[Batch]):
    """Batch number ``step`` of a run.

    Args:
        folder: Packed crops.
        settings: What to draw.
        seed: Of the run.
        steps: Length of the run.
        cooldown_steps: How many of them at the end are a cool-down.
        rank: Number of this process of ``world``; each makes its own part of the batch.
        world: How many processes train together.
        regenerate: Gives faces back through an autoencoder; for ``neural_share`` of the fakes.
    """

    def __init__(
        self,
        folder: Path,
        settings: PairSettings,
        *,
        seed: int,
        steps: int,
        cooldown_steps: int = 0,
        rank: int = 0,
        world: int = 1,
        regenerate: Regenerator | None = None,
    ) -> None:
        self._reader = CropReader(folder)
        self._settings, self._cooled, self._regenerate = settings, settings.cooled(), regenerate
        self._cooldown_from = steps - cooldown_steps
        self._seed, self._steps, self._rank, self._world = seed, steps, rank, world
        self._pools = open_pools(folder, settings)

    def __len__(self) -> int:
        return self._steps

    def __getitem__(self, step: int) -> Batch:
        settings = self.settings_at(step)
        pairs = [self.draw_pair(rng, settings) for rng in self.rngs_at(step)]
        return stack_pairs(pairs, size_px=settings.size_px)

    def settings_at(self, step: int) -> PairSettings:
        """What step number ``step`` is drawn from."""
        return self._cooled if step >= self._cooldown_from else self._settings

    def rngs_at(self, step: int) -> list[np.random.Generator]:
        """The source of every random choice for each pair of this process."""
        mine = range(self._rank, self._settings.pairs_per_step, self._world)
        return [np.random.default_rng([self._seed, step, number]) for number in mine]

    def draw_pair(self, rng: np.random.Generator, settings: PairSettings) -> Pair:
        """One real face and its pseudo-fake, both degraded and compressed alike.

        Crops are of ``size_px``, the mask is left at the size the pair was made at.

        Args:
            rng: Source of every random choice.
            settings: How to draw it.
        """
        if settings.forger == "plain":
            return draw_plain_pair(self.draw_pool(rng), self._reader, rng, settings)
        pair = self.draw_clean_pair(rng, settings)
        chain = draw_degradations(rng, settings, made_px=len(pair.mask))
        return Pair(apply_chain(pair.real, chain), apply_chain(pair.fake, chain), pair.mask)

    def draw_clean_pair(self, rng: np.random.Generator, settings: PairSettings) -> Pair:
        """One real face and its pseudo-fake at the footage's resolution, blended but not yet degraded."""
        sample, chosen = self.draw_pool(rng).draw_crop(rng)
        image, points = self._view(sample, chosen, rng, settings)
        regenerate = self.draw_regenerator(rng)
        if rng.random() < settings.swap_share:
            # From any source: what is swapped into poor footage is often cleaner than the footage.
            donor, number = self.draw_pool(rng).find_donor(points, sample.identity, rng)
            donor_image, donor_points = self._reader.read(donor, number)
            if regenerate is not None:
                donor_image = regenerate_face(regenerate, donor_image, donor_points, rng)
            return swap_face(image, points, donor_image, donor_points, rng)
        copy = None if regenerate is None else regenerate_face(regenerate, image, points, rng)
        return blend_self(image, points, rng, copy=copy)

    def draw_regenerator(self, rng: np.random.Generator) -> Regenerator | None:
        """The autoencoder, where there is one, for its share of the fakes."""
        regenerate = self._regenerate
        there = regenerate is not None and rng.random() < self._settings.neural_share
        return regenerate if there else None

    def draw_pool(self, rng: np.random.Generator) -> Pool:
        """One source's faces, as often as the settings say."""
        weights = np.array([weight for _, weight in self._pools])
        return self._pools[int(rng.choice(len(self._pools), p=weights / weights.sum()))][0]

    def _view(
        self, sample: Sample, number: int, rng: np.random.Generator, settings: PairSettings
    ) -> tuple[Image, Floats]:
        image, points = self._reader.read(sample, number)
        margins, size_px = settings.margin_fractions, settings.size_px
        view = draw_view(
            rng,
            side_px=len(image),
            margin_fractions=margins,
            size_px=size_px,
            stored_margin=sample.margin_fraction,
        )
        image, points = frame_face(image, points, view)
        return flip_face(image, points) if rng.random() < 0.5 else (image, points)


def regenerate_face(regenerate: Regenerator, image: Image, points: Floats, rng: np.random.Generator) -> Image:
    """A face out of the autoencoder, with a random share of the detail that it lost."""
    share = float(rng.uniform(0, 0.9))
    return keep_detail(regenerate(image, points), image, share=share, face_px=face_width(points))
