"""Labelled real and fake crops for training, drawn so that the many fakes do not drown the few reals.

DFDC has 5.2 fakes for a real. People, not files, are split: whoever shares an identity or an original with
somebody is on the same side, and a proof of that is printed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from unmask.errors import DataError, require
from unmask.lab.crops.framing import shrink_face
from unmask.lab.crops.samples import Sample
from unmask.lab.crops.shards import CropReader, read_index
from unmask.lab.datasets.groups import join_linked
from unmask.lab.forge.clips import ClipSettings, degrade_clip, frame_clip, read_faces
from unmask.lab.forge.pairs import draw_degradations
from unmask.lab.forge.settings import PairSettings
from unmask.lab.train.samplers import SAMPLERS, Dice, Draw, People, Stored, throw_dice

VALIDATION, TEST = "val", "test"
"""What the video index calls the splits that are not trained on."""


@dataclass(frozen=True, slots=True)
class LabelledSettings:
    """Labelled crops beside the pseudo-fakes.

    Attributes:
        folders: Packed crops with labels REAL and FAKE, relative to the working directory.
        crops_per_step: Crops (clips, for a clip model) in a step over all processes.
        sampler: A key of `SAMPLERS`.
        loss_weight: Weight of their loss beside that of the pairs.
        validation_share: Share of the people that is kept for validation, 0 to below 1; where the video
            index had split them already, its split counts instead.
    """

    folders: tuple[str, ...]
    crops_per_step: int = 16
    sampler: str = "balance_originals"
    loss_weight: float = 1.0
    validation_share: float = 0.1

    def __post_init__(self) -> None:
        require(bool(self.folders), "folders must name one folder or more", self.folders)
        require(self.crops_per_step >= 1, "crops_per_step must be 1 or more", self.crops_per_step)
        known = f"sampler must be one of {', '.join(SAMPLERS)}"
        require(self.sampler in SAMPLERS, known, self.sampler)
        require(self.loss_weight > 0, "loss_weight must be above 0", self.loss_weight)
        require(
            0 <= self.validation_share < 1, "validation_share must be 0 to below 1", self.validation_share
        )


class LabelledBatch(NamedTuple):
    """Labelled crops for one step.

    Attributes:
        crops: Shape (N, 3, S, S), or (N, T, 3, S, S) for clips, uint8.
        fake: 1 for a fake, 0 for a real, shape (N,), float32.
        weights: What each one's loss counts, shape (N,), float32.
    """

    crops: Tensor
    fake: Tensor
    weights: Tensor


class LabelledBatches(Dataset[LabelledBatch]):
    """Labelled crops of step number ``step``, a function of seed and step alone.

    Two crops that stand side by side, a real and a fake under most samplers, get the same framing,
    degradation and codec, at the size of the smaller of the two, so that none of these tells the classes
    apart.

    Args:
        people: Whom to draw from.
        settings: How.
        pairs: Size, framing and degradation, as for the pseudo-fakes.
        clip: What a clip is, for a model that judges clips.
        seed: Of the run.
        cooldown_from: First step of the cool-down.
        rank: Number of this process of ``world``.
        world: How many processes train together.
    """

    def __init__(
        self,
        people: People,
        settings: LabelledSettings,
        pairs: PairSettings,
        *,
        clip: ClipSettings | None = None,
        seed: int = 0,
        cooldown_from: int = 1 << 62,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        self._people, self._settings, self._pairs, self._clip = people, settings, pairs, clip
        self._seed, self._cooldown_from, self._rank, self._world = seed, cooldown_from, rank, world
        self._sides: dict[int, float] = {}

    def __getitem__(self, step: int) -> LabelledBatch:
        pairs = self._pairs.cooled() if step >= self._cooldown_from else self._pairs
        crops, fake, weights = [], [], []
        for turn in range(self._rank, self._settings.crops_per_step, self._world):
            draw, dice = self._draw(step, turn)
            beside, _ = self._draw(step, turn ^ 1)
            sample = self._people.stored[draw.number][1]
            face_px = min(self._face_px(draw.number), self._face_px(beside.number))
            crops.append(self._cut(draw.number, face_px, dice.shared, pairs))
            fake.append(float(sample.label == "FAKE"))
            weights.append(draw.weight)
        stacked = torch.from_numpy(np.stack(crops)).movedim(-1, -3)
        return LabelledBatch(stacked, torch.tensor(fake), torch.tensor(weights))

    def _draw(self, step: int, turn: int) -> tuple[Draw, Dice]:
        dice = throw_dice(self._seed, step, turn)
        return SAMPLERS[self._settings.sampler](self._people, dice), dice

    def _face_px(self, number: int) -> float:
        """Side of a stored face's box, in pixels of its crop."""
        if number not in self._sides:
            reader, sample = self._people.stored[number]
            self._sides[number] = len(reader.read(sample, 0)[0]) / (1 + sample.margin_fraction)
        return self._sides[number]

    def _cut(
        self, number: int, face_px: float, rng: np.random.Generator, pairs: PairSettings
    ) -> NDArray[np.uint8]:
        reader, sample = self._people.stored[number]
        if self._clip is None:
            faces = [reader.read(sample, int(rng.random() * len(sample)))]
        else:
            faces = read_faces(reader, sample, self._clip, rng)
        margins = pairs.margin_fractions
        margin = sample.margin_fraction
        shrunk = [shrink_face(face, side_px=round(face_px * (1 + margin))) for face in faces]
        faces = frame_clip(shrunk, rng, margin_fractions=margins, size_px=pairs.size_px, stored_margin=margin)
        images = [image for image, _ in faces]
        chain = draw_degradations(rng, pairs, made_px=len(images[0]))
        if self._clip is None:
            for operation in chain:
                images = [operation(image) for image in images]
            return images[0]
        return np.stack(degrade_clip(images, chain))


def open_folders(folders: Sequence[str]) -> list[Stored]:
    """Every sample of some folders of packed crops, with what reads it; the test split is left alone."""
    return [
        (reader, sample)
        for folder in folders
        for reader in [CropReader(Path(folder))]
        for sample in read_index(Path(folder))
        if sample.split != TEST and sample.label in ("REAL", "FAKE")
    ]


def in_lasting_order(names: Iterable[str]) -> list[str]:
    """Each name once, in an order that chance gave them and that stays when others come or go."""
    return sorted(set(names), key=lambda name: hashlib.sha256(name.encode()).digest())


def split_people(
    stored: Sequence[Stored], *, share: float, held_out: tuple[str, ...] = ()
) -> tuple[list[Stored], list[Stored]]:
    """Split into training and validation by identity and by original at once.

    Samples that share an identity or an original, directly or through others, stay together. The order of
    the samples does not matter.

    Args:
        stored: What to split.
        share: Share of the groups that is kept for validation, at least one group unless it is 0; where the
            video index had split them already, its split counts instead.
        held_out: Groups with an identity that begins with one of these are always kept for validation.
    """
    people = [f"person {sample.identity}" for _, sample in stored]
    joined = join_linked([who, f"clip {s.original}"] for who, (_, s) in zip(people, stored, strict=True))
    groups = [joined[who] for who in people]
    kept = {
        group
        for group, (_, sample) in zip(groups, stored, strict=True)
        if sample.split == VALIDATION or (held_out and sample.identity.startswith(held_out))
    }
    if share and not any(sample.split == VALIDATION for _, sample in stored):
        names = in_lasting_order(groups)
        kept |= set(names[: max(1, round(share * len(names)))])
    sides: tuple[list[Stored], list[Stored]] = ([], [])
    for item, group in zip(stored, groups, strict=True):
        sides[group in kept].append(item)
    return sides


def prove_apart(train: Sequence[Sample], validation: Sequence[Sample], *, name: str) -> str:
    """One line that says how many are on either side, and that nobody is on both.

    Args:
        train: Trained on.
        validation: Validated on.
        name: Of the validation set.

    Raises:
        DataError: Somebody is on both sides.
    """
    counts = []
    for what in ("identity", "original"):
        ours, theirs = ({getattr(sample, what) for sample in side} for side in (train, validation))
        both = sorted(ours & theirs)
        if both:
            shown = ", ".join(both[:3]) + (", …" if len(both) > 3 else "")
            raise DataError(
                f"no {what} may be both trained on and in validation {name!r}, got {len(both)} of "
                f"{len(theirs)} ({shown}); name them in held_out, or pack them apart"
            )
        counts.append((len(ours), len(theirs)))
    people, originals = counts
    return (
        f"{name}: {people[1]} people of {originals[1]} originals to validate on, {people[0]} people of "
        f"{originals[0]} originals to train on, none on both sides"
    )


def warn_of_one_class(samples: Sequence[Sample]) -> tuple[str, ...]:
    """A line on sources that show one class alone, if there are some: they may be learned, not the face."""
    labels: dict[str, set[str]] = {}
    for sample in samples:
        labels.setdefault(sample.source, set()).add(sample.label)
    alone = {
        label: sorted(name for name, known in labels.items() if known == {label})
        for label in ("REAL", "FAKE")
    }
    if not any(alone.values()):
        return ()
    told = "; ".join(f"{label} alone: {', '.join(names)}" for label, names in alone.items() if names)
    return (
        f"labelled: some sources show one class alone ({told}), so whatever sets them apart tells the class; "
        "add the other class from the same footage, or see with recipes/probe.py how much it tells",
    )
