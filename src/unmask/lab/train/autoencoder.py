"""Train the autoencoder whose artefacts pseudo-fakes carry, on the real faces of a recipe."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset

from unmask.files import whole_file
from unmask.lab.crops.framing import flip_face
from unmask.lab.crops.shards import CropReader
from unmask.lab.forge.augment import apply_chain, draw_light
from unmask.lab.forge.neural import FaceAutoencoder, align_face, reconstruction_loss
from unmask.lab.forge.outline import warp_smoothly
from unmask.lab.forge.pools import open_pools
from unmask.lab.forge.settings import PairSettings
from unmask.lab.train.checkpoint import write_tensors
from unmask.lab.train.feed import calm_worker

FACES_PER_STEP = 32


class WarpedFaces(Dataset[tuple[NDArray[np.uint8], NDArray[np.uint8]]]):
    """Step number to a batch of bent faces and the faces themselves; a function of seed and step."""

    def __init__(self, folder: Path, settings: PairSettings, *, seed: int) -> None:
        self._reader, self._seed = CropReader(folder), seed
        self._pools = open_pools(folder, settings)

    def __getitem__(self, step: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        rng = np.random.default_rng([self._seed, 7, step])
        bent, straight = [], []
        for _ in range(FACES_PER_STEP):
            pool = self._pools[int(rng.integers(len(self._pools)))][0]
            image, points = self._reader.read(*pool.draw_crop(rng))
            if rng.random() < 0.5:
                image, points = flip_face(image, points)
            face = apply_chain(align_face(image, points), draw_light(rng))
            # As the swapping tools do: it sees a bent face and gives the straight one, so it learns faces.
            reach_px = float(rng.uniform(0, 0.04)) * len(face)
            bent.append(warp_smoothly(face, rng, reach_px=reach_px, cells=5).astype(np.uint8))
            straight.append(face)
        return np.stack(bent), np.stack(straight)


def train_autoencoder(
    crops: Path, settings: PairSettings, file: Path, *, steps: int, seed: int, say: Callable[[str], None]
) -> None:
    """Train and write it, or leave an existing file alone.

    Args:
        crops: Packed crops of real faces.
        settings: Which of them are drawn.
        file: Where the weights go, in one step at the end.
        steps: Of 32 faces.
        seed: Of every random choice.
        say: Takes a line of progress now and then.
    """
    if file.exists():
        return
    torch.manual_seed(seed)
    net = FaceAutoencoder().to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in torch's hints
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3, betas=(0.9, 0.99))
    faces = WarpedFaces(crops, settings, seed=seed)
    loader = DataLoader(
        faces, batch_size=None, sampler=range(steps), num_workers=1, worker_init_fn=calm_worker
    )
    for step, batch in enumerate(loader):
        optimizer.param_groups[0]["lr"] = 1e-3 * min(1.0, 4 * (steps - step) / steps)
        bent, straight = (part.permute(0, 3, 1, 2).float() / 255 for part in batch)
        loss = reconstruction_loss(net(bent), straight)
        loss.backward()  # type: ignore[no-untyped-call]  # missing in torch's hints
        optimizer.step()
        optimizer.zero_grad()
        if (step + 1) % 100 == 0:
            say(f"autoencoder: {steps} steps | step {step + 1} | loss {float(loss.detach()):.4f}")
    with whole_file(file) as draft:
        write_tensors(net.state_dict(), draft)
