"""Training batches: every real face beside its own pseudo-fake.

A batch is a function of (seed, step, rank) and nothing else, so a run that was stopped anywhere goes on
with exactly the data it would have seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from unmask.config import CropSettings, PairSettings
from unmask.crop import scale_square
from unmask.data.augment import Operation, apply_chain, draw_codec, draw_degradation
from unmask.data.blend import Pair, blend_self, face_width, keep_detail
from unmask.data.neural import Regenerator
from unmask.data.outline import move_points, shrink_first
from unmask.data.shards import STORED_MARGIN_FRACTION, CropReader, Sample, read_index
from unmask.data.swap import describe_pose, swap_face
from unmask.errors import DataError
from unmask.types import Floats, Image

MASK_STRIDE = 16
DONOR_CANDIDATES = 64
WHOLE_SHARE, SMALLEST_FOOTAGE = 0.6, 0.5  # of pairs at the stored size; the others as if made smaller


class Batch(NamedTuple):
    """Pairs for one step; the first half are reals, the second half their fakes in the same order.

    Attributes:
        crops: Shape (2B, 3, S, S), uint8.
        masks: Share of foreign face in each patch, shape (2B, S/16, S/16), 0 to 1.
    """

    crops: Tensor
    masks: Tensor


@dataclass(frozen=True, slots=True)
class Pool:
    """Crops to draw from, with what finding donors needs.

    Attributes:
        samples: One a person and clip.
        identities: For each identity its samples, so that a crowd in one clip weighs no more than one person.
        poses: Pose of every crop of every sample, shape (N, 10).
        owners: Sample of every crop, shape (N,).
        numbers: Number within its sample of every crop, shape (N,).
    """

    samples: Sequence[Sample]
    identities: Sequence[Sequence[Sample]]
    poses: Floats
    owners: NDArray[np.int64]
    numbers: NDArray[np.int64]

    @classmethod
    def of(cls, samples: Sequence[Sample]) -> Pool:
        """Build a pool; raises `DataError` when there is nothing in it."""
        if not samples:
            raise DataError("a pool needs at least one sample, got 0; check the recipe's sources")
        points = np.concatenate([np.array(sample.points, np.float32) for sample in samples])
        owners = np.repeat(np.arange(len(samples)), [len(sample) for sample in samples])
        numbers = np.concatenate([np.arange(len(sample)) for sample in samples])
        identities: dict[str, list[Sample]] = {}
        for sample in samples:
            identities.setdefault(sample.identity, []).append(sample)
        return cls(samples, list(identities.values()), describe_pose(points), owners, numbers)

    def draw_crop(self, rng: np.random.Generator) -> tuple[Sample, int]:
        """A random identity, one of its samples, and a crop of that."""
        samples = self.identities[int(rng.integers(len(self.identities)))]
        sample = samples[int(rng.integers(len(samples)))]
        return sample, int(rng.integers(len(sample)))

    def find_donor(self, points: Floats, identity: str, rng: np.random.Generator) -> tuple[Sample, int]:
        """Another person in about the same pose, from a random few."""
        chosen = rng.integers(0, len(self.owners), DONOR_CANDIDATES)
        distance = np.abs(self.poses[chosen] - describe_pose(points)).sum(axis=1)
        order = chosen[np.argsort(distance)]
        others = [index for index in order if self.samples[self.owners[index]].identity != identity]
        index = others[0] if others else order[0]
        return self.samples[self.owners[index]], int(self.numbers[index])


class View(NamedTuple):
    """A framing of a packed crop.

    Attributes:
        move: Margin, shift and tilt as an affine map, shape (2, 3).
        side_px: Side of the framed crop; even, as codecs want it.
    """

    move: NDArray[np.float64]
    side_px: int


def draw_view(
    rng: np.random.Generator, *, side_px: int, margin_fractions: tuple[float, float], size_px: int
) -> View:
    """A random framing at the stored resolution, or at less, as if the footage had been made smaller.

    Forgers, cameras and codecs work on footage, and a network sees what is cut from it and scaled: so all
    that is done to a pair is done at this side, and `scale_square` comes last.

    Args:
        rng: Source of every random choice.
        side_px: Of the packed crop.
        margin_fractions: Lowest and highest margin around the face box.
        size_px: What the network sees; the framed crop is 0.4 to 1.3 times as large.
    """
    box_px = side_px / (1 + STORED_MARGIN_FRACTION)
    margin = rng.uniform(*margin_fractions)
    footage = 1.0 if rng.random() < WHOLE_SHARE else rng.uniform(SMALLEST_FOOTAGE, 1.0)
    framed_px = np.clip(box_px * (1 + margin) * footage, 0.4 * size_px, 1.3 * size_px)
    side = 2 * round(float(framed_px) / 2)
    scale = side / (box_px * (1 + margin))
    move = cv2.getRotationMatrix2D((side_px / 2, side_px / 2), float(rng.normal(0, 4)), scale)
    shift = rng.uniform(-0.05, 0.05, 2) * side
    move[:, 2] = move[:, 2] + side / 2 - side_px / 2 + shift
    return View(np.asarray(move, np.float64), side)


def frame_face(image: Image, points: Floats, view: View) -> tuple[Image, Floats]:
    """Apply a framing, shrinking by area first so that fine detail does not alias."""
    move, side = view
    before = len(image)
    image, points = shrink_first(image, points, scale=float(np.hypot(move[0, 0], move[0, 1])))
    move = np.hstack([move[:, :2] * (before / len(image)), move[:, 2:]])
    framed = cv2.warpAffine(image, move, (side, side), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(framed, np.uint8), move_points(points, move)


def draw_wear(rng: np.random.Generator, settings: PairSettings, *, made_px: int) -> list[Operation]:
    """What happens to crops after they were made, down to the scaling to what a network sees.

    Args:
        rng: Source of every random choice.
        settings: How many crops are spared which part of it, and the side of what the network sees.
        made_px: Side of the crops as they were made.
    """
    chain: list[Operation] = []
    if rng.random() >= settings.clean_share:
        if rng.random() < settings.degraded_share:
            chain += draw_degradation(rng, size_px=made_px)
        chain += draw_codec(rng)
    return [*chain, partial(scale_square, size_px=settings.size_px)]


def flip_face(image: Image, points: Floats) -> tuple[Image, Floats]:
    """Mirror a crop; left and right points change places."""
    mirrored = points[[1, 0, 2, 4, 3]].copy()
    mirrored[:, 0] = image.shape[1] - 1 - mirrored[:, 0]
    return np.ascontiguousarray(image[:, ::-1]), mirrored


def open_pools(folder: Path, settings: PairSettings) -> list[tuple[Pool, float]]:
    """The real faces of packed crops by source, each pool with its weight; who is held out is left out.

    Raises:
        DataError: The folder has no index, or a source of the settings has no sample.
    """
    samples = [
        s for s in read_index(folder) if s.label == "REAL" and not s.identity.startswith(settings.held_out)
    ]
    return [
        (Pool.of([s for s in samples if s.source in sources.split("+")]), weight)
        for sources, weight in settings.source_weights.items()
    ]


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
        crops = np.stack([pair.real for pair in pairs] + [pair.fake for pair in pairs])
        side = settings.size_px // MASK_STRIDE
        masks = np.stack(
            [cv2.resize(pair.mask, (side, side), interpolation=cv2.INTER_AREA) for pair in pairs]
        )
        return Batch(
            torch.from_numpy(crops).permute(0, 3, 1, 2),
            torch.from_numpy(np.concatenate([np.zeros_like(masks), masks])),
        )

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
        pair = self.draw_clean_pair(rng, settings)
        chain = draw_wear(rng, settings, made_px=len(pair.mask))
        return Pair(apply_chain(pair.real, chain), apply_chain(pair.fake, chain), pair.mask)

    def draw_clean_pair(self, rng: np.random.Generator, settings: PairSettings) -> Pair:
        """One real face and its pseudo-fake as they leave the forger's hands, at the footage's resolution."""
        sample, chosen = self.draw_pool(rng).draw_crop(rng)
        image, points = self._view(sample, chosen, rng, settings)
        regenerate = self.draw_regenerator(rng)
        if rng.random() < settings.swap_share:
            # From any source: what a forger puts into poor footage is often cleaner than the footage.
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
        view = draw_view(rng, side_px=len(image), margin_fractions=margins, size_px=size_px)
        image, points = frame_face(image, points, view)
        return flip_face(image, points) if rng.random() < 0.5 else (image, points)


def regenerate_face(regenerate: Regenerator, image: Image, points: Floats, rng: np.random.Generator) -> Image:
    """A face out of the autoencoder, with a random share of the detail that it lost."""
    share = float(rng.uniform(0, 0.9))
    return keep_detail(regenerate(image, points), image, share=share, face_px=face_width(points))


def view_centre(image: Image, crop: CropSettings) -> Image:
    """The crop that inference would cut from the frame, from a packed one."""
    side = len(image)
    half = side / (1 + STORED_MARGIN_FRACTION) * (1 + crop.margin_fraction) / 2
    start, stop = round(side / 2 - half), round(side / 2 + half)
    return scale_square(image[max(start, 0) : stop, max(start, 0) : stop], size_px=crop.size_px)
