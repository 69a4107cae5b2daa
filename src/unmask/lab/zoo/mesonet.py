"""MesoNet: two small networks of 2018, built again from their paper.

D. Afchar, V. Nozick, J. Yamagishi, I. Echizen, "MesoNet: a Compact Facial Video Forgery Detection Network",
WIFS 2018, sections III-A (Meso-4) and III-B (MesoInception-4). The authors publish weights as Keras files
(``Meso4_DF.h5`` and others), which ``unmask model get`` downloads or the user brings; nothing of theirs is
shipped. Their output is the probability of a real face, so its log odds are turned round here.

How wide a face is cut is not in the files: a margin of 0.3 is our choice.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unmask.errors import MissingExtraError, ModelError
from unmask.judge.calibration import Calibration, Thresholds
from unmask.judge.card import Card

try:
    import h5py
    import torch
    from torch import Tensor, nn
    from torch.nn import functional as F
except ModuleNotFoundError as error:
    raise MissingExtraError(error.name or "torch", extra="peers") from error

SIZE_PX = 256
MARGIN_FRACTION = 0.3
_KERAS_EPS = 1e-3  # of batch normalisation
MAX_WEIGHTS_BYTES = 1 << 24
Kernels = NDArray[np.float32]


class Inception(nn.Module):
    """Four branches side by side: a 1 x 1 convolution, and three of 1 x 1 then 3 x 3 of growing dilation.

    Args:
        inputs: Channels that come in.
        widths: Channels of the four branches.
    """

    def __init__(self, inputs: int, widths: tuple[int, int, int, int]) -> None:
        super().__init__()
        first, *others = widths
        self.plain = nn.Conv2d(inputs, first, 1)
        self.narrow = nn.ModuleList(nn.Conv2d(inputs, width, 1) for width in others)
        self.wide = nn.ModuleList(
            nn.Conv2d(width, width, 3, padding=dilation, dilation=dilation)
            for dilation, width in enumerate(others, start=1)
        )

    def forward(self, features: Tensor) -> Tensor:
        """Features, shape (N, sum of widths, H, W)."""
        branches = [F.relu(self.plain(features))]
        for narrow, wide in zip(self.narrow, self.wide, strict=True):
            branches.append(F.relu(wide(F.relu(narrow(features)))))
        return torch.cat(branches, dim=1)

    def convolutions(self) -> Iterator[nn.Conv2d]:
        """In the order in which the authors made them, branch by branch."""
        yield self.plain
        for narrow, wide in zip(self.narrow, self.wide, strict=True):
            assert isinstance(narrow, nn.Conv2d) and isinstance(wide, nn.Conv2d)
            yield from (narrow, wide)


class MesoNet(nn.Module):
    """Four blocks of convolution, normalisation and pooling, then two dense layers.

    Args:
        kind: ``meso4`` or ``mesoinception4``.
    """

    def __init__(self, kind: str) -> None:
        super().__init__()
        blocks: list[nn.Module]
        if kind == "mesoinception4":
            blocks = [Inception(3, (1, 4, 4, 2)), Inception(11, (2, 4, 4, 2))]
        else:
            blocks = [nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 5, padding=2)]
        widths = [11, 12, 16, 16] if kind == "mesoinception4" else [8, 8, 16, 16]
        blocks += [nn.Conv2d(widths[1], 16, 5, padding=2), nn.Conv2d(16, 16, 5, padding=2)]
        self.blocks = nn.ModuleList(blocks)
        self.norms = nn.ModuleList(nn.BatchNorm2d(width, eps=_KERAS_EPS) for width in widths)
        self.dense = nn.ModuleList([nn.Linear(1024, 16), nn.Linear(16, 1)])

    def forward(self, images: Tensor) -> Tensor:
        """Log odds of a real face, shape (N,), of RGB images, shape (N, 3, 256, 256), 0 to 1."""
        features = images
        for block, norm, pool in zip(self.blocks, self.norms, (2, 2, 2, 4), strict=True):
            features = block(features)
            if isinstance(block, nn.Conv2d):
                features = F.relu(features)
            features = F.max_pool2d(norm(features), pool)
        flat = features.permute(0, 2, 3, 1).flatten(1)  # Keras flattens rows, columns, channels
        hidden = F.leaky_relu(self.dense[0](flat), 0.1)
        found: Tensor = self.dense[1](hidden).squeeze(1)
        return found

    def convolutions(self) -> Iterator[nn.Conv2d]:
        """In the order in which the authors made them."""
        for block in self.blocks:
            if isinstance(block, Inception):
                yield from block.convolutions()
            elif isinstance(block, nn.Conv2d):
                yield block


@dataclass(frozen=True, slots=True, eq=False)
class MesoScorer:
    """A MesoNet with what an evaluation wants to know of it."""

    card: Card
    network: MesoNet

    def logits(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Log odds of a fake, shape (N,), of RGB crops, shape (N, 3, 256, 256)."""
        with torch.inference_mode():
            found = self.network(torch.from_numpy(images).float() / 255)
        return np.asarray(-found.numpy(), np.float32)


class FakeOdds(nn.Module):
    """A MesoNet turned round.

    Args:
        network: Gives log odds of a real face.
    """

    def __init__(self, network: MesoNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        """Log odds of a fake, shape (N,), of RGB images, shape (N, 3, 256, 256), 0 to 1."""
        found: Tensor = -self.network(images)
        return found


def load_meso(weights: Path, kind: str) -> MesoScorer:
    """A peer from a Keras file of weights.

    Args:
        weights: ``.h5``, as Keras' ``save_weights`` or ``save`` wrote it.
        kind: ``meso4`` or ``mesoinception4``.

    Raises:
        ModelError: As `read_meso`.
    """
    network = read_meso(weights, kind)
    torch.set_num_threads(1)  # several clips at once scale better than threads, as for our own networks
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    return MesoScorer(_card(kind, weights, digest), network)


def read_meso(weights: Path, kind: str) -> MesoNet:
    """Build a MesoNet and fill it from a Keras file of weights.

    Args:
        weights: ``.h5``, as Keras' ``save_weights`` or ``save`` wrote it.
        kind: ``meso4`` or ``mesoinception4``.

    Raises:
        ModelError: The file is no such file, or holds other layers.
    """
    try:
        if weights.stat().st_size > MAX_WEIGHTS_BYTES:
            raise ModelError(f"{weights}: MesoNet's weights take at most {MAX_WEIGHTS_BYTES} bytes")
        layers = _read_keras(weights)
    except (OSError, KeyError, ValueError) as error:
        if isinstance(error, ModelError):
            raise
        raise ModelError(f"{weights} is no Keras file of weights ({error})") from error
    network = MesoNet(kind).eval()
    wanted: dict[str, list[nn.Module]] = {
        "conv2d": list(network.convolutions()),
        "batch_normalization": list(network.norms),
        "dense": list(network.dense),
    }
    for name, modules in wanted.items():
        found = layers.get(name, [])
        if len(found) != len(modules):
            raise ModelError(f"{weights}: {kind} has {len(modules)} layers {name}, got {len(found)}")
        for module, arrays in zip(modules, found, strict=True):
            _fill(module, arrays, f"{weights}: a layer {name} of {kind}")
    return network


def _read_keras(weights: Path) -> dict[str, list[list[Kernels]]]:
    """Arrays of each layer by kind, in the order in which the layers were made, which their numbers tell."""
    found: dict[str, list[tuple[int, list[Kernels]]]] = {}
    with h5py.File(weights, "r") as file:
        root = file.get("model_weights", file)
        for layer in root:
            match = re.fullmatch(r"(conv2d|batch_normalization|dense)(?:_(\d+))?", layer)
            names = root[layer].attrs.get("weight_names", [])
            if match is None or not len(names):
                continue
            arrays = [np.asarray(root[layer][_text(name)], np.float32) for name in names]
            found.setdefault(match[1], []).append((int(match[2] or 0), arrays))
    return {
        kind: [arrays for _, arrays in sorted(rows, key=lambda row: row[0])] for kind, rows in found.items()
    }


def _text(name: Any) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)


def _fill(module: nn.Module, arrays: list[Kernels], place: str) -> None:
    """Copy arrays of a Keras layer into a module."""
    match module:
        case nn.Conv2d():
            targets = [module.weight, module.bias]
            arrays = [arrays[0].transpose(3, 2, 0, 1), *arrays[1:]] if arrays[0].ndim == 4 else arrays
        case nn.Linear():
            targets = [module.weight, module.bias]
            arrays = [arrays[0].T, *arrays[1:]]
        case nn.BatchNorm2d():
            targets = [module.weight, module.bias, module.running_mean, module.running_var]
        case _:
            raise TypeError(f"no layer of MesoNet: {module}")
    shapes, wanted = [a.shape for a in arrays], [tuple(t.shape) for t in targets if t is not None]
    if shapes != wanted or not all(np.isfinite(array).all() for array in arrays):
        raise ModelError(f"{place} must hold finite arrays of {wanted}, got {shapes}")
    with torch.no_grad():
        for target, array in zip(targets, arrays, strict=True):
            if target is not None:
                target.copy_(torch.from_numpy(np.ascontiguousarray(array)))


def _card(kind: str, weights: Path, sha256: str) -> Card:
    return Card(
        name=kind,
        version=weights.stem,
        file="peer.onnx",  # a card must name one; a peer is never loaded through its card
        sha256=sha256,
        size_px=SIZE_PX,
        margin_fraction=MARGIN_FRACTION,
        detector="mtcnn",
        mean=(0.0, 0.0, 0.0),
        std=(255.0, 255.0, 255.0),
        person_rule="mean",
        calibration=Calibration(),
        thresholds=Thresholds(0.5, 0.5),
        licence="as its authors say",
        training_data=("as its authors say",),
        terms="as its authors say",
        recipe="none",
        commit="none",
        scores={},
        limits=("Its faces were cut by another detector in training.",),
    )
