"""CenterFace: one network finds faces of all sizes and their five key points in one look.

Finds more small, covered and turned faces than MTCNN, at several times the cost of a whole-frame search
(Xu et al. 2019, https://arxiv.org/abs/1911.03599). ``recipes/export_centerface.py`` makes the ONNX file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from unmask.config import DetectSettings
from unmask.faces.boxes import sides, square_boxes, suppress
from unmask.faces.detectors.weights_file import load_session
from unmask.types import Face, Floats, Image

_LARGEST_PX = 1920  # longer sides are shrunk to it: a network run whole on 8K would take gigabytes
_CELL_PX = 4  # the network answers for every fourth pixel
_MULTIPLE_PX = 32  # sides of its input
_AROUND = 2.0  # how much is looked at around an expected face, in sides of its box
_LEAST_PX = 64  # the network needs some surroundings
_MAX_IOU = 0.3  # boxes that overlap more are the same face

# Its scores run from 0.3 to 0.9 where MTCNN's probabilities run from 0.5 to 1. Slope and offset were chosen
# by hand, so that the same thresholds serve both.
_SLOPE, _OFFSET = 2.0, 1.1


class CenterFace:
    """The detector; see `unmask.faces.detect.FaceDetector` for the contract.

    Args:
        settings: The last threshold, smallest face, threads.

    Raises:
        ModelError: The shipped weights are missing or do not fit their card.
    """

    def __init__(self, settings: DetectSettings) -> None:
        self._settings = settings
        self._network = load_session("centerface", card="centerface.json", threads=settings.threads)

    def detect(
        self, images: Sequence[Image], *, near: Sequence[Floats | None] | None = None
    ) -> list[tuple[Face, ...]]:
        """Find faces.

        Args:
            images: RGB, (H, W, 3), uint8, of one or several sizes.
            near: For each image None, to search all of it, or boxes (K, 4) in its pixels: then only what lies
                around them is looked at.

        Returns:
            For each image its faces in pixels of that image, most confident first.
        """
        hints = [None] * len(images) if near is None else near
        return [self._fitted(image, hint) for image, hint in zip(images, hints, strict=True)]

    def _fitted(self, image: Image, hint: Floats | None) -> tuple[Face, ...]:
        zoom = max(image.shape[:2]) / _LARGEST_PX
        if zoom <= 1:
            return self._one(image, hint)
        size = tuple(max(1, round(side / zoom)) for side in image.shape[1::-1])
        small = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        faces = self._one(small, None if hint is None else hint / np.float32(zoom))
        return tuple(
            replace(f, box=f.box * np.float32(zoom), points=f.points * np.float32(zoom)) for f in faces
        )

    def _one(self, image: Image, hint: Floats | None) -> tuple[Face, ...]:
        parts = [(0, 0, image.shape[1], image.shape[0])] if hint is None else _around(hint, image)
        boxes, points, confidence = (
            np.concatenate(rows)
            for rows in zip(
                (np.empty((0, 4), np.float32), np.empty((0, 5, 2), np.float32), np.empty(0, np.float32)),
                *(self._look(image, part) for part in parts),
                strict=True,
            )
        )
        smallest = self._settings.min_face_px
        good = (confidence > self._settings.thresholds[2]) & (sides(boxes).max(axis=1) >= smallest)
        boxes, points, confidence = boxes[good], points[good], confidence[good]
        order = np.argsort(-confidence, kind="stable")
        kept = suppress(boxes[order], confidence[order], np.zeros(len(order), np.int64), max_iou=_MAX_IOU)
        return tuple(
            Face(boxes[row], points[row], float(confidence[row])) for row in order[np.sort(kept)].tolist()
        )

    def _look(self, image: Image, part: tuple[int, int, int, int]) -> tuple[Floats, Floats, Floats]:
        """Boxes, key points and confidence of all candidates in a part of an image, in its pixels."""
        left, top, right, bottom = part
        height, width = bottom - top, right - left
        padded = np.zeros((1, 3, _rounded(height), _rounded(width)), np.float32)
        padded[0, :, :height, :width] = image[top:bottom, left:right].transpose(2, 0, 1)
        heat, size, shift, spots = (a[0] for a in self._network.run(None, {"image": padded}))
        score = np.clip(heat[0], 1e-6, 1 - 1e-6)
        confidence = np.reciprocal(1 + np.exp(-_OFFSET - _SLOPE * np.log(score / (1 - score))))
        rows, columns = np.nonzero(confidence > self._settings.thresholds[2])
        down, across = np.exp(size[:, rows, columns]) * _CELL_PX
        y = (rows + shift[0, rows, columns] + 0.5) * _CELL_PX + top
        x = (columns + shift[1, rows, columns] + 0.5) * _CELL_PX + left
        corner, extent = np.stack([x - across / 2, y - down / 2], axis=1), np.stack([across, down], axis=1)
        boxes = np.concatenate([corner, corner + extent], axis=1).astype(np.float32)
        # Key points come as y x, in sides of the box.
        places = spots[:, rows, columns].reshape(5, 2, -1)[:, ::-1].transpose(2, 0, 1)
        points = (places * extent[:, None] + corner[:, None]).astype(np.float32)
        return boxes, points, confidence[rows, columns].astype(np.float32)


def _rounded(length: int) -> int:
    return -(-length // _MULTIPLE_PX) * _MULTIPLE_PX


def _around(hint: Floats, image: Image) -> list[tuple[int, int, int, int]]:
    """The parts of an image around expected faces; boxes outside of it or without area give none."""
    limit = np.array([image.shape[1], image.shape[0]] * 2)
    squares = square_boxes(np.asarray(hint, np.float32).reshape(-1, 4), scale=_AROUND)
    room = np.maximum(_LEAST_PX - sides(squares), 0) / 2
    squares = squares + np.concatenate([-room, room], axis=1)
    low, high = np.floor(squares[:, :2]), np.ceil(squares[:, 2:])
    parts = np.clip(np.concatenate([low, high], axis=1), 0, limit).astype(int)
    return [(a, b, c, d) for a, b, c, d in parts.tolist() if c - a > 0 and d - b > 0]
