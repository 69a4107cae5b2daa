"""Faces as an autoencoder gives them back, for pseudo-fakes with the texture of neural swaps.

Most swaps in the wild, and most of DFDC's, come out of an autoencoder: skin loses pores, teeth and eyes
blur, colours drift. A small one, trained on the same real faces that the detector learns from, leaves the
same artefacts. It only ever gives a face back as itself, and exists for training alone.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from unmask.errors import DataError
from unmask.faces.points import CANONICAL_POINTS, fit_affine, shrink_first
from unmask.types import Floats, Image

SIZE_PX = 96
CODE_SIZE = 384
# The square of the mean face's frame that is given back: centre and half side, in half eye distances.
CENTRE, REACH = (0.0, 0.85), 2.5


class FaceAutoencoder(nn.Module):
    """Four halvings, a narrow code, four doublings.

    Example:
        >>> tuple(FaceAutoencoder()(torch.zeros(2, 3, 96, 96)).shape)
        (2, 3, 96, 96)
    """

    def __init__(self) -> None:
        super().__init__()
        widths, side = (3, 24, 48, 96, 128), SIZE_PX // 16
        down: list[nn.Module] = []
        for inputs, outputs in itertools.pairwise(widths):
            down += [nn.Conv2d(inputs, outputs, 5, 2, 2), nn.LeakyReLU(0.1)]
        self.encode = nn.Sequential(*down, nn.Flatten(), nn.Linear(widths[-1] * side * side, CODE_SIZE))
        up: list[nn.Module] = [nn.Linear(CODE_SIZE, widths[-1] * side * side)]
        up += [nn.Unflatten(1, (widths[-1], side, side))]
        for inputs, outputs in ((128, 96), (96, 48), (48, 24), (24, 16)):
            up += [nn.Conv2d(inputs, outputs * 4, 3, 1, 1), nn.LeakyReLU(0.1), nn.PixelShuffle(2)]
        self.decode = nn.Sequential(*up, nn.Conv2d(16, 3, 3, 1, 1))

    def forward(self, faces: Tensor) -> Tensor:
        """Give faces back.

        Args:
            faces: Aligned, shape (N, 3, 96, 96), 0 to 1.
        """
        given: Tensor = torch.sigmoid(self.decode(self.encode(faces)))
        return given


def reconstruction_loss(given: Tensor, faces: Tensor) -> Tensor:
    """Difference of pixels and of their gradients, without which everything stays a blur."""
    loss = F.l1_loss(given, faces)
    for axis in (2, 3):
        loss = loss + F.l1_loss(given.diff(dim=axis), faces.diff(dim=axis))
    return loss


def align_move(points: Floats) -> NDArray[np.float32]:
    """The affine map, shape (2, 3), from a crop to the autoencoder's frame.

    Args:
        points: Five key points in crop pixels, shape (5, 2).
    """
    scale = SIZE_PX / (2 * REACH)
    return fit_affine(points, (CANONICAL_POINTS - np.array(CENTRE, np.float32) + REACH) * scale)


def align_face(image: Image, points: Floats) -> Image:
    """Cut an aligned face of shape (96, 96, 3)."""
    image, points = shrink_first(image, points, scale=float(np.hypot(*align_move(points)[0, :2])))
    aligned = cv2.warpAffine(
        image, align_move(points), (SIZE_PX, SIZE_PX), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(aligned, np.uint8)


class Regenerator:
    """Gives faces in crops back through trained weights, which each process loads once when first needed.

    Args:
        file: What `unmask.lab.train.autoencoder` wrote.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._net: FaceAutoencoder | None = None

    def __call__(self, image: Image, points: Floats) -> Image:
        """A crop with its face given back by the autoencoder; its surroundings stay.

        Args:
            image: RGB, shape (S, S, 3).
            points: Five key points in crop pixels, shape (5, 2).

        Raises:
            DataError: The weights cannot be read.
        """
        if self._net is None:
            self._net = self._load()
        faces = torch.from_numpy(align_face(image, points)).permute(2, 0, 1)[None].float() / 255
        with torch.inference_mode():
            given = (self._net(faces)[0].permute(1, 2, 0) * 255).numpy()
        height, width = image.shape[:2]
        move = align_move(points)
        how = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        placed = cv2.warpAffine(given, move, (width, height), flags=how, borderMode=cv2.BORDER_REPLICATE)
        inside = np.zeros((SIZE_PX, SIZE_PX), np.float32)
        inside[5:-5, 5:-5] = 1
        soft = cv2.GaussianBlur(inside, (0, 0), 2.5)
        weight = cv2.warpAffine(soft, move, (width, height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
        mixed = image + weight[..., None] * (np.clip(placed, 0, 255) - image)
        return np.asarray(mixed + 0.5, np.uint8)

    def _load(self) -> FaceAutoencoder:
        net = FaceAutoencoder().eval()
        try:
            net.load_state_dict(torch.load(self._file, map_location="cpu", weights_only=True))
        except (OSError, RuntimeError, EOFError, ValueError) as error:
            raise DataError(
                f"{self._file} must hold the autoencoder's weights: {error}; remove it to train it anew"
            ) from error
        return net
