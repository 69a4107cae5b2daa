"""Training clips: every real clip of a person beside a pseudo-fake of it that is coherent in time.

What a forgery tool does once is the same in every frame (region, colour, sharpness, place), what follows the
face moves with its key points, and a small jitter remains, as trackers leave it. That is had by giving
each frame the same random numbers. What happens to footage happens to the whole clip, and alike to the
real and its fake. A photo becomes a clip under a camera that drifts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from unmask.errors import require
from unmask.lab.crops.framing import View, draw_view, flip_face, frame_face
from unmask.lab.crops.samples import Sample
from unmask.lab.crops.shards import CropReader
from unmask.lab.forge import augment
from unmask.lab.forge.blend import PART_WEIGHTS, alter_face, draw_cues, draw_mask, face_width, mix, shift_face
from unmask.lab.forge.pairs import MASK_STRIDE, Batch, PairBatches, draw_degradations, regenerate_face
from unmask.lab.forge.pools import Pool
from unmask.lab.forge.settings import PairSettings
from unmask.lab.forge.swap import swap_face
from unmask.types import Floats, Image

FaceImage = tuple[Image, Floats]
Replay = Callable[[], np.random.Generator]


@dataclass(frozen=True, slots=True)
class ClipSettings:
    """What a clip is, and what judges it.

    Attributes:
        frames: Frames of a training clip.
        spacing: A key of `SPACINGS`.
        head: What judges over time, a key of `unmask.lab.models.clip_net.HEADS`.
        hidden: Width of the head; a multiple of 8.
    """

    frames: int = 8
    spacing: str = "even"
    head: str = "gru"
    hidden: int = 128

    def __post_init__(self) -> None:
        require(2 <= self.frames <= 64, "frames must be 2 to 64", self.frames)
        require(self.spacing in SPACINGS, f"spacing must be one of {', '.join(SPACINGS)}", self.spacing)
        require(self.hidden >= 8 and self.hidden % 8 == 0, "hidden must be a multiple of 8", self.hidden)


def spread_evenly(stored: int, frames: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Frames spread over all that are stored, each from anywhere in its own equal part.

    >>> spread_evenly(4, 4, np.random.default_rng(0)).tolist()
    [0, 1, 2, 3]
    """
    edges = np.arange(frames) + rng.random()
    return np.minimum(edges * stored / frames, stored - 1).astype(np.int64)


def take_burst(stored: int, frames: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Stored frames that follow each other; the last one stands where there are too few.

    >>> take_burst(3, 4, np.random.default_rng(0)).tolist()
    [0, 1, 2, 2]
    """
    start = int(rng.integers(max(1, stored - frames + 1)))
    return np.minimum(start + np.arange(frames), stored - 1)


SPACINGS: dict[str, Callable[[int, int, np.random.Generator], NDArray[np.int64]]] = {
    "even": spread_evenly,
    "burst": take_burst,
}


class ClipPair(NamedTuple):
    """A real clip with its own pseudo-fake, a list of T of each.

    Attributes:
        real: Crops, shape (S, S, 3), RGB.
        fake: The same shape.
        masks: Share of the foreign face at each pixel of the fake, shape (S, S), 0 to 1.
    """

    real: list[Image]
    fake: list[Image]
    masks: list[Floats]


def drift(rng: np.random.Generator, *, frames: int, reach: float) -> NDArray[np.float64]:
    """A smooth random path about 0, shape (frames, 2), that ends up at most ``reach`` from it.

    The sum of a steady move and a slow sway, as of a hand-held camera.
    """
    time = np.linspace(-1, 1, frames)[:, None]
    sway = np.sin(np.pi * rng.uniform(0.5, 2, 2) * time + rng.uniform(0, 2 * np.pi, 2))
    return np.asarray(reach / 2 * (rng.uniform(-1, 1, 2) * time + rng.uniform(-1, 1, 2) * sway))


def move_camera(face: FaceImage, rng: np.random.Generator, *, frames: int) -> list[FaceImage]:
    """A clip of a photo: the camera drifts, turns and zooms a little."""
    image, points = face
    side = len(image)
    places = drift(rng, frames=frames, reach=0.06 * side)
    turns = drift(rng, frames=frames, reach=1.0)
    clip = []
    for place, (angle, zoom) in zip(places, turns, strict=True):
        move = cv2.getRotationMatrix2D((side / 2, side / 2), 3 * float(angle), 1 + 0.04 * float(zoom))
        move[:, 2] += place
        clip.append(frame_face(image, points, View(np.asarray(move, np.float64), side)))
    return clip


def jitter_points(faces: Sequence[FaceImage], rng: np.random.Generator, *, face_px: float) -> list[Floats]:
    """Key points as an imperfect tracker would see them: off by about half a percent of the face."""
    return [points + rng.normal(0, 0.005 * face_px, (5, 2)).astype(np.float32) for _, points in faces]


def blend_clip(
    faces: Sequence[FaceImage], rng: np.random.Generator, *, copies: Sequence[Image] | None = None
) -> ClipPair:
    """`unmask.lab.forge.blend.blend_self` for a clip: one tool with one setting, every frame.

    Args:
        faces: Real crops of one size with their key points.
        rng: Source of every random choice.
        copies: The faces as an autoencoder gave them back; blended in place of the faces themselves.
    """
    face_px = float(np.median([face_width(points) for _, points in faces]))
    region, alteration, place = (_replay(rng) for _ in range(3))
    cues = draw_cues(rng)
    strength = rng.choice([0.4, 0.7, 1.0], p=[0.12, 0.18, 0.7])
    alter_inside = copies is not None or rng.random() < 0.65
    offsets = rng.normal(0, 0.004 * face_px, (len(faces), 2))
    pair = ClipPair([], [], [])
    seen = jitter_points(faces, rng, face_px=face_px)
    inner = [image for image, _ in faces] if copies is None else copies
    for (image, _), copy, points, offset in zip(faces, inner, seen, offsets, strict=True):
        mask = draw_mask(points, region(), size_px=len(image), weights=PART_WEIGHTS) * strength
        altered = alter_face(copy, alteration(), face_px=face_px, cues=cues)
        target, source = (image, altered) if alter_inside else (altered, image)
        source = _shake(shift_face(source, place(), face_px=face_px, strength=cues.place), offset)
        pair.real.append(target)
        pair.fake.append(mix(target, source, mask.astype(np.float32)))
        pair.masks.append(mask.astype(np.float32))
    return pair


def swap_clip(faces: Sequence[FaceImage], donors: Sequence[FaceImage], rng: np.random.Generator) -> ClipPair:
    """`unmask.lab.forge.swap.swap_face` for a clip, with a donor's face for each frame."""
    face_px = float(np.median([face_width(points) for _, points in faces]))
    choices = _replay(rng)
    points = jitter_points(faces, rng, face_px=face_px)
    pairs = [
        swap_face(image, seen, donor, donor_points, choices())
        for (image, _), seen, (donor, donor_points) in zip(faces, points, donors, strict=True)
    ]
    return ClipPair([p.real for p in pairs], [p.fake for p in pairs], [p.mask for p in pairs])


def degrade_clip(images: list[Image], chain: Sequence[augment.Operation]) -> list[Image]:
    """Apply a chain of operations to a clip: noise is new in every frame, a codec sees them all."""
    for operation in chain:
        kind = operation.func if isinstance(operation, partial) else operation
        if kind is augment.compress_h264 and isinstance(operation, partial):
            images = augment.compress_h264_clip(images, crf=operation.keywords["crf"])
        elif kind is augment.add_noise and isinstance(operation, partial):
            seed = operation.keywords["seed"]
            images = [operation(image, seed=seed + number) for number, image in enumerate(images)]
        else:
            images = [operation(image) for image in images]
    return images


def read_faces(
    reader: CropReader, sample: Sample, clip: ClipSettings, rng: np.random.Generator
) -> list[FaceImage]:
    """A clip of a stored person; a single picture is filmed by a drifting camera."""
    if len(sample) == 1:
        return move_camera(reader.read(sample, 0), rng, frames=clip.frames)
    return [reader.read(sample, int(i)) for i in SPACINGS[clip.spacing](len(sample), clip.frames, rng)]


def frame_clip(
    faces: Sequence[FaceImage],
    rng: np.random.Generator,
    *,
    margin_fractions: tuple[float, float],
    size_px: int,
    stored_margin: float,
) -> list[FaceImage]:
    """One random framing for all frames of a clip."""
    view = draw_view(
        rng,
        side_px=len(faces[0][0]),
        margin_fractions=margin_fractions,
        size_px=size_px,
        stored_margin=stored_margin,
    )
    framed = [frame_face(image, points, view) for image, points in faces]
    return [flip_face(*face) for face in framed] if rng.random() < 0.5 else framed


class ClipBatches(PairBatches):
    """`PairBatches` of clips: crops of shape (2B, T, 3, S, S), masks of (2B, T, S/16, S/16)."""

    clip = ClipSettings()

    def __getitem__(self, step: int) -> Batch:
        settings = self.settings_at(step)
        pairs = [self.draw_clip_pair(rng, settings) for rng in self.rngs_at(step)]
        crops = np.stack([pair.real for pair in pairs] + [pair.fake for pair in pairs])
        side = settings.size_px // MASK_STRIDE
        masks = np.array(
            [[cv2.resize(m, (side, side), interpolation=cv2.INTER_AREA) for m in p.masks] for p in pairs],
            np.float32,
        )
        return Batch(
            torch.from_numpy(crops).permute(0, 1, 4, 2, 3),
            torch.from_numpy(np.concatenate([np.zeros_like(masks), masks])),
        )

    def draw_clip_pair(self, rng: np.random.Generator, settings: PairSettings) -> ClipPair:
        """One real clip and its pseudo-fake, both degraded and compressed alike.

        Crops are of ``size_px``, masks are left at the size the pair was made at. Donors come from the same
        source, since the foreign face of a photo would not move.
        """
        pool = self.draw_pool(rng)
        sample, _ = pool.draw_crop(rng)
        faces = frame_clip(
            read_faces(self._reader, sample, self.clip, rng),
            rng,
            margin_fractions=settings.margin_fractions,
            size_px=settings.size_px,
            stored_margin=sample.margin_fraction,
        )
        regenerate = self.draw_regenerator(rng)
        detail = _replay(rng)
        if rng.random() < settings.swap_share:
            donors = self._find_donors(pool, faces, sample, rng)
            if regenerate is not None:
                donors = [(regenerate_face(regenerate, *donor, detail()), donor[1]) for donor in donors]
            pair = swap_clip(faces, donors, rng)
        else:
            copies = None
            if regenerate is not None:
                copies = [regenerate_face(regenerate, *face, detail()) for face in faces]
            pair = blend_clip(faces, rng, copies=copies)
        chain = draw_degradations(rng, settings, made_px=len(pair.masks[0]))
        return ClipPair(degrade_clip(pair.real, chain), degrade_clip(pair.fake, chain), pair.masks)

    def _find_donors(
        self, pool: Pool, faces: Sequence[FaceImage], sample: Sample, rng: np.random.Generator
    ) -> list[FaceImage]:
        """Another person; of a clip the frames in order, so that the foreign face is alive as well."""
        donor, number = pool.find_donor(faces[0][1], sample.identity, rng)
        numbers = np.minimum(number + np.arange(len(faces)), len(donor) - 1)
        read = {int(i): self._reader.read(donor, int(i)) for i in np.unique(numbers)}
        return [read[int(i)] for i in numbers]


def _replay(rng: np.random.Generator) -> Replay:
    """A function that gives the same random numbers from the start each time it is called."""
    seed = int(rng.integers(2**63))
    return lambda: np.random.default_rng(seed)


def _shake(image: Image, offset: NDArray[np.float64]) -> Image:
    move = np.array([[1, 0, offset[0]], [0, 1, offset[1]]])
    size = (image.shape[1], image.shape[0])
    how = cv2.INTER_CUBIC  # a linear one would soften every frame
    shaken = cv2.warpAffine(image, move, size, flags=how, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(shaken, np.uint8)
