"""Labelled pairs that are aligned pixel by pixel: a real face and a fake made from that very picture.

Such a pair differs in the manipulation alone, so it is trained on like a real and its pseudo-fake: both get
the same framing and degradation, and where they differ is the region that the network should find.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial

import cv2
import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Dataset

from unmask.errors import DataError, require
from unmask.lab.forge.augment import Operation, apply_chain, occlude
from unmask.lab.forge.blend import Pair
from unmask.lab.forge.clips import frame_clip
from unmask.lab.forge.pairs import Batch, draw_degradations, stack_pairs
from unmask.lab.forge.settings import PairSettings
from unmask.lab.train.samplers import Stored
from unmask.types import Floats, Image

CODEC_DIFFERENCE, CERTAIN_DIFFERENCE = 6.0, 20.0
"""Grey levels up to which two codings of one picture differ, and from which a pixel was manipulated."""


@dataclass(frozen=True, slots=True)
class AlignedSettings:
    """Aligned pairs beside the pseudo-fakes.

    Attributes:
        pairs_per_step: For each folder of packed crops, relative to the working directory, how many pairs of
            a step come from it, over all processes.
        margin_fractions: Lowest and highest margin around the face box. Faces that were cut tightly have
            nothing to show beyond their own margin.
        validation_share: Share of the people that is kept for validation, 0 to below 1; where the stored
            faces are split already, that counts instead.
        mixup_share: Share of pairs whose fake is mixed with its real, half of it or more being left, and
            stays a fake (after Zhang et al., "mixup: Beyond Empirical Risk Minimization", ICLR 2018).
        cutout_share: Share of pairs that lose the same part of the face on both sides (after DeVries &
            Taylor, "Improved Regularization of Convolutional Neural Networks with Cutout", 2017).
    """

    pairs_per_step: dict[str, int] = field(default_factory=dict)
    margin_fractions: tuple[float, float] = (-0.15, 0.0)
    validation_share: float = 0.05
    mixup_share: float = 0.0
    cutout_share: float = 0.0

    def __post_init__(self) -> None:
        low, high = self.margin_fractions
        ok = bool(self.pairs_per_step) and all(count >= 1 for count in self.pairs_per_step.values())
        require(ok, "pairs_per_step must name a folder, each with 1 pair or more", self.pairs_per_step)
        require(
            -0.5 <= low <= high <= 1, "margin_fractions must rise within -0.5 to 1", self.margin_fractions
        )
        require(
            0 <= self.validation_share < 1, "validation_share must be 0 to below 1", self.validation_share
        )
        for name in ("mixup_share", "cutout_share"):
            share = getattr(self, name)
            require(0 <= share <= 1, f"{name} must be 0 to 1", share)

    @property
    def total(self) -> int:
        """Pairs of a step, over all folders and processes."""
        return sum(self.pairs_per_step.values())


@dataclass(frozen=True, slots=True)
class Original:
    """A real sample with the fakes that are aligned with it.

    Attributes:
        real: The real one.
        fakes: One or more.
    """

    real: Stored
    fakes: tuple[Stored, ...]


def find_originals(stored: Sequence[Stored]) -> list[Original]:
    """Every real sample that aligned fakes were made from, in the order in which they are stored.

    A fake is aligned where its index says so, or where it was cut by the boxes of its original.
    """
    reals = {item[1].key: item for item in stored if item[1].label == "REAL"}
    fakes: dict[str, list[Stored]] = {}
    for reader, sample in stored:
        real = reals.get(sample.original)
        if sample.label != "FAKE" or real is None:
            continue
        if sample.aligned or _cut_alike(real[1].boxes, sample.boxes):
            fakes.setdefault(sample.original, []).append((reader, sample))
    return [Original(reals[key], tuple(made)) for key, made in fakes.items()]


def _cut_alike(first: Floats, second: Floats) -> bool:
    return len(first) > 0 and first.shape == second.shape and bool(np.allclose(first, second))


def find_difference(real: Image, fake: Image) -> Floats:
    """How surely each pixel was manipulated, shape (S, S), 0 to 1, from two aligned pictures."""
    apart = cv2.absdiff(real, fake).max(axis=2).astype(np.float32)
    smooth = cv2.GaussianBlur(apart, (0, 0), max(1.0, len(real) / 56))
    sureness = (smooth - CODEC_DIFFERENCE) / (CERTAIN_DIFFERENCE - CODEC_DIFFERENCE)
    return np.asarray(np.clip(sureness, 0, 1), np.float32)


def mix_fake(real: Image, fake: Image, rng: np.random.Generator) -> Image:
    """A fake that is half or more of what it was, the rest being its real."""
    share = float(rng.uniform(0.5, 1))
    return np.asarray(cv2.addWeighted(fake, share, real, 1 - share, 0), np.uint8)


def draw_cutout(rng: np.random.Generator, difference: Floats) -> list[Operation]:
    """Covers a part of the face, unless that hid more than half of what tells a pair apart.

    Args:
        rng: Source of every random choice.
        difference: What `find_difference` found, shape (S, S).
    """
    side = len(difference)
    width, height = (int(value) for value in rng.integers(side // 4, side * 2 // 3, 2))
    x, y = int(rng.integers(side - width + 1)), int(rng.integers(side - height + 1))
    red, green, blue = (int(value) for value in rng.integers(0, 256, 3))
    if difference[y : y + height, x : x + width].sum() > difference.sum() / 2:
        return []
    return [partial(occlude, box=(x, y, x + width, y + height), colour=(red, green, blue))]


class AlignedBatches(Dataset[Batch]):
    """Aligned pairs of step number ``step``, a function of seed and step alone.

    In each epoch of a folder every original comes once, with one of its fakes.

    Args:
        folders: For each folder its originals and how many pairs of a step come from it.
        settings: How they are framed.
        pairs: Size and degradation, as for the pseudo-fakes.
        seed: Of the run.
        cooldown_from: First step of the cool-down.
        rank: Number of this process of ``world``.
        world: How many processes train together.
    """

    def __init__(
        self,
        folders: Sequence[tuple[Sequence[Original], int]],
        settings: AlignedSettings,
        pairs: PairSettings,
        *,
        seed: int = 0,
        cooldown_from: int = 1 << 62,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        self._folders, self._settings, self._pairs = folders, settings, pairs
        self._seed, self._cooldown_from, self._rank, self._world = seed, cooldown_from, rank, world

    def __getitem__(self, step: int) -> Batch:
        settings = self._pairs.cooled() if step >= self._cooldown_from else self._pairs
        turns = [
            (place, step * count + number)
            for place, (_, count) in enumerate(self._folders)
            for number in range(count)
        ]
        pairs = [self._draw(place, turn, settings) for place, turn in turns[self._rank :: self._world]]
        return stack_pairs(pairs, size_px=settings.size_px)

    def _draw(self, place: int, turn: int, settings: PairSettings) -> Pair:
        """Pair number ``turn`` of a folder, both sides framed and degraded alike."""
        originals = self._folders[place][0]
        epoch, number = divmod(turn, len(originals))
        chosen = originals[int(_shuffle(self._seed, place, epoch, len(originals))[number])]
        rng = np.random.default_rng([self._seed, place, turn, 3])
        crop = int(rng.integers(len(chosen.real[1])))
        fake_reader, fake_sample = chosen.fakes[int(rng.integers(len(chosen.fakes)))]
        reader, sample = chosen.real
        real, fake = reader.read(sample, crop)[0], fake_reader.read(fake_sample, crop)[0]
        if real.shape != fake.shape:
            raise DataError(
                f"{fake_sample.key} must have the size of its original, {real.shape[1]}x{real.shape[0]}, got "
                f"{fake.shape[1]}x{fake.shape[0]}; extract them again"
            )
        low, high = self._settings.margin_fractions
        stored = sample.margin_fraction
        nowhere = np.zeros((5, 2), np.float32)  # nothing here needs key points
        (real, _), (fake, _) = frame_clip(
            [(real, nowhere), (fake, nowhere)],
            rng,
            margin_fractions=(min(low, stored), min(high, stored)),
            size_px=settings.size_px,
            stored_margin=stored,
        )
        chain = draw_degradations(rng, settings, made_px=len(real))
        dice = np.random.default_rng([self._seed, place, turn, 4])  # of its own: all else stays as without
        if dice.random() < self._settings.mixup_share:
            fake = mix_fake(real, fake, dice)
        if dice.random() < self._settings.cutout_share:
            cutout = draw_cutout(dice, find_difference(real, fake))
            real, fake = apply_chain(real, cutout), apply_chain(fake, cutout)
        return Pair(apply_chain(real, chain), apply_chain(fake, chain), find_difference(real, fake))


@lru_cache(maxsize=8)
def _shuffle(seed: int, place: int, epoch: int, count: int) -> NDArray[np.int64]:
    return np.random.default_rng([seed, place, epoch]).permutation(count)
