"""MTCNN: three small networks in a row find faces and their five key points.

P-Net looks at every place of an image pyramid, R-Net and O-Net look again at what remains. The
weights are those of facenet-pytorch, and so are the results (Zhang et al. 2016,
https://arxiv.org/abs/1604.02878). ``recipes/export_mtcnn.py`` makes the ONNX files.

Every picture is turned once into a summed-area table, from which both the pyramid and the inputs of
R-Net and O-Net are read as exact means over pixel windows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from unmask.config import DetectSettings
from unmask.faces.boxes import sides, square_boxes, suppress
from unmask.faces.detectors.weights_file import load_session
from unmask.types import Face, Floats, Image

Ints = NDArray[np.int64]

_CELL_PX = 12  # what P-Net sees at once
_STRIDE_PX = 2  # from one P-Net cell to the next
_CROPS_A_RUN = 32  # more are not faster and take more memory

# Where R-Net looks around an expected face: (dx, dy) in sides of the box. Its own correction reaches about
# a fifth of a side, so these cover a movement of about a third, and a change of size by a quarter.
_LOOKS = np.array([(0, 0), (-0.2, -0.2), (0.2, -0.2), (-0.2, 0.2), (0.2, 0.2)], np.float32)


@dataclass(frozen=True, slots=True)
class _Sums:
    """Summed areas of a picture, or of the part of it that will be looked at.

    Attributes:
        table: Shape (H + 1, W + 1, 3); differences stay exact when the sums wrap around.
        corner: ``x y`` of the part's first pixel in the picture.
    """

    table: NDArray[np.int32]
    corner: Ints

    @property
    def size(self) -> Ints:
        """Width and height."""
        return np.array([self.table.shape[1] - 1, self.table.shape[0] - 1])


class Mtcnn:
    """The detector; see `unmask.faces.detect.FaceDetector` for the contract.

    Args:
        settings: Thresholds, smallest face, pyramid factor, threads.

    Raises:
        ModelError: The shipped weights are missing or do not fit their card.
    """

    def __init__(self, settings: DetectSettings) -> None:
        self._settings = settings
        self._pnet, self._rnet, self._onet = (
            load_session(name, threads=settings.threads) for name in ("pnet", "rnet", "onet")
        )

    def detect(
        self, images: Sequence[Image], *, near: Sequence[Floats | None] | None = None
    ) -> list[tuple[Face, ...]]:
        """Find faces.

        Args:
            images: RGB, (H, W, 3), uint8, of one or several sizes.
            near: For each image None, to search all of it, or boxes (K, 4) in its pixels: then faces are
                looked for only there and at most about a third of a side away.

        Returns:
            For each image its faces in pixels of that image, most confident first.
        """
        hints = [None] * len(images) if near is None else near
        found: list[tuple[Face, ...]] = [()] * len(images)
        # A searched image fills the networks' batches alone; together they would only take memory.
        searched = [[i] for i, hint in enumerate(hints) if hint is None]
        followed = [i for i, hint in enumerate(hints) if hint is not None]
        for group in [*searched, followed]:
            faces = self._detect([images[i] for i in group], [hints[i] for i in group])
            for i, some in zip(group, faces, strict=True):
                found[i] = some
        return found

    def _detect(self, images: Sequence[Image], hints: Sequence[Floats | None]) -> list[tuple[Face, ...]]:
        looks = [None if hint is None else _looks_around(hint) for hint in hints]
        tables = [_sum_areas(image, look) for image, look in zip(images, looks, strict=True)]
        starts = [
            self._search(sums.table) if look is None else look
            for sums, look in zip(tables, looks, strict=True)
        ]
        owners = np.repeat(np.arange(len(images)), [len(start) for start in starts])
        boxes = np.concatenate([np.empty((0, 4), np.float32), *starts])
        boxes, owners = self._refine(tables, boxes, owners)
        return self._finish(tables, boxes, owners)

    def _search(self, table: NDArray[np.int32]) -> Floats:
        """P-Net over the pyramid of one picture: square candidate boxes, shape (N, 4)."""
        found = [self._search_scale(table, scale) for scale in self._scales(table)]
        rows = np.concatenate([np.empty((0, 9), np.float32), *found])
        rows = rows[
            suppress(
                rows[:, :4], rows[:, 4], np.zeros(len(rows), np.int64), max_iou=self._settings.max_overlap
            )
        ]
        width_height = np.tile(sides(rows[:, :4]), 2)
        return square_boxes(rows[:, :4] + rows[:, 5:] * width_height)

    def _scales(self, table: NDArray[np.int32]) -> list[float]:
        height, width = table.shape[0] - 1, table.shape[1] - 1
        scale = _CELL_PX / self._settings.smallest_face_px(width, height)
        shorter = min(height, width)
        scales = []
        while shorter * scale >= _CELL_PX:
            scales.append(scale)
            scale *= self._settings.pyramid_factor
        return scales

    def _search_scale(self, table: NDArray[np.int32], scale: float) -> Floats:
        """Candidates at one scale: box, score, P-Net's correction; shape (N, 9)."""
        height, width = table.shape[0] - 1, table.shape[1] - 1
        image = _shrink(table, (int(height * scale + 1), int(width * scale + 1)))
        answer = self._pnet.run(None, {"image": image})[0][0]
        threshold = self._settings.thresholds[0]
        cells = np.argwhere(answer[0] >= np.log(threshold / (1 - threshold)))
        rows, columns = cells.T
        corner = _STRIDE_PX * cells[:, ::-1].astype(np.float32)
        low = np.floor((corner + 1) / np.float32(scale))
        high = np.floor((corner + _CELL_PX) / np.float32(scale))
        answers = answer[:, rows, columns].T
        score = _sigmoid(answers[:, 0])
        found = np.concatenate([low, high, score[:, None], answers[:, 1:]], axis=1)
        return found[suppress(found[:, :4], score, np.zeros(len(found), np.int64), max_iou=0.5)]

    def _refine(self, tables: list[_Sums], boxes: Floats, owners: Ints) -> tuple[Floats, Ints]:
        """R-Net: fewer, better square boxes."""
        boxes, owners, crops = _cut(tables, boxes, owners, side=24)
        answers = _run(self._rnet, crops)
        score = _sigmoid(answers[:, 0])
        good = np.flatnonzero(score > self._settings.thresholds[1])
        good = good[suppress(boxes[good], score[good], owners[good], max_iou=self._settings.max_overlap)]
        return square_boxes(_moved(boxes[good], answers[good, 1:])), owners[good]

    def _finish(self, tables: list[_Sums], boxes: Floats, owners: Ints) -> list[tuple[Face, ...]]:
        """O-Net: the faces, with key points."""
        boxes, owners, crops = _cut(tables, boxes, owners, side=48)
        answers = _run(self._onet, crops)
        score = _sigmoid(answers[:, 0])
        faces: list[list[Face]] = [[] for _ in tables]
        moved = _moved(boxes, answers[:, 1:5])
        spots = answers[:, 5:].reshape(-1, 2, 5).transpose(0, 2, 1)  # five x, then five y
        points = spots * (sides(boxes) + 1)[:, None] + boxes[:, None, :2] - 1
        for index in range(len(tables)):
            mine = np.flatnonzero((owners == index) & (score > self._settings.thresholds[2]))
            mine = mine[np.argsort(-score[mine], kind="stable")]
            for row in mine[_suppress_inside(moved[mine], max_cover=0.7)]:
                faces[index].append(Face(moved[row], points[row], float(score[row])))
        return [tuple(found) for found in faces]


def _sum_areas(image: Image, looks: Floats | None) -> _Sums:
    """Sum up a picture, or only the part around the boxes at which it will be looked."""
    size = np.array([image.shape[1], image.shape[0]])
    low, high = np.zeros(2, np.int64), size
    if looks is not None:
        # R-Net moves a box by at most a few tenths of its side, so half a side is room enough.
        room = sides(looks) / 2
        edges = np.concatenate([looks[:, :2] - room, looks[:, 2:] + room, np.ones((1, 2), np.float32)])
        low = np.clip(edges.min(axis=0).astype(np.int64), 0, size - 1)
        high = np.clip(np.ceil(edges.max(axis=0)).astype(np.int64), low + 1, size)
    part = image[low[1] : high[1], low[0] : high[0]]
    table: NDArray[np.int32] = cv2.integral(part, sdepth=cv2.CV_32S)  # type: ignore[assignment]
    return _Sums(table, low)


def _run(session: onnxruntime.InferenceSession, crops: Floats) -> Floats:
    """Run a network over any number of crops, also none."""
    starts = range(0, max(len(crops), 1), _CROPS_A_RUN)
    return np.concatenate([session.run(None, {"image": crops[i : i + _CROPS_A_RUN]})[0] for i in starts])


def _sigmoid(logit: Floats) -> Floats:
    probability: Floats = np.reciprocal(1 + np.exp(-logit))
    return probability


def _moved(boxes: Floats, shift: Floats) -> Floats:
    """Boxes after a network's correction; these networks count both border pixels, hence the 1."""
    return boxes + shift * np.tile(sides(boxes) + 1, 2)


def _looks_around(boxes: Floats) -> Floats:
    """Squares around expected faces, where R-Net looks for them; shape (K * looks, 4)."""
    squares = square_boxes(np.asarray(boxes, np.float32).reshape(-1, 4))
    moves = sides(squares)[:, None] * _LOOKS[None]
    return (squares[:, None] + np.tile(moves, 2)).reshape(-1, 4)


def _suppress_inside(boxes: Floats, *, max_cover: float) -> Ints:
    """Indices of boxes, best first, of which no better one covers (or is covered) too much."""
    size = sides(boxes) + 1
    low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    area = size.prod(axis=1)
    shared = np.maximum(high - low + 1, 0).prod(axis=2)
    clash = shared > max_cover * np.minimum(area[:, None], area[None])
    kept: list[int] = []
    for row in range(len(boxes)):
        if not clash[row, kept].any():
            kept.append(row)
    return np.asarray(kept, np.int64)


def _edges(length: Ints | int, count: int) -> tuple[Ints, Ints]:
    """First pixel and end of each of ``count`` windows over ``length`` pixels.

    The windows overlap by a pixel where the length does not divide, as in adaptive mean pooling, with
    which the networks' pictures were scaled.
    """
    steps = np.arange(count)
    return steps * length // count, -(-(steps + 1) * length // count)


def _shrink(table: NDArray[np.int32], size: tuple[int, int]) -> Floats:
    """The picture of a summed-area table at another size (height, width); shape (1, 3, height, width)."""
    top, bottom = _edges(table.shape[0] - 1, size[0])
    left, right = _edges(table.shape[1] - 1, size[1])
    bands = table[bottom] - table[top]
    total = bands.take(right, axis=1) - bands.take(left, axis=1)
    area = ((bottom - top)[:, None] * (right - left)).astype(np.float32)
    image = np.empty((1, 3, *size), np.float32)
    np.divide(total.transpose(2, 0, 1), area, out=image[0])
    return image


def _cut(tables: list[_Sums], boxes: Floats, owners: Ints, *, side: int) -> tuple[Floats, Ints, Floats]:
    """Cut boxes out of their pictures, clamped to the picture and scaled to ``side``.

    Returns:
        The boxes that hold at least one pixel, their owners, and the crops (N, 3, side, side).
    """
    corner = np.array([sums.corner for sums in tables], np.int64).reshape(-1, 2)[owners]
    size = np.array([sums.size for sums in tables], np.int64).reshape(-1, 2)[owners]
    whole = np.trunc(boxes).astype(np.int64)
    low, high = np.maximum(whole[:, :2] - 1 - corner, 0), np.minimum(whole[:, 2:] - corner, size)
    good = (high > low).all(axis=1)
    boxes, owners, low, high = boxes[good], owners[good], low[good], high[good]
    crops = np.empty((len(boxes), 3, side, side), np.float32)
    for index in np.unique(owners):
        mine = np.flatnonzero(owners == index)
        crops[mine] = _cut_table(tables[index].table, low[mine], high[mine], side)
    return boxes, owners, crops


def _cut_table(table: NDArray[np.int32], low: Ints, high: Ints, side: int) -> Floats:
    """Windows ``low`` to ``high`` (x, y; shape (N, 2)) of one table, scaled; shape (N, 3, side, side)."""
    start, end = _edges((high - low)[..., None], side)
    (left, top), (right, bottom) = ((low[..., None] + edge).transpose(1, 0, 2) for edge in (start, end))
    pixels, width = table.reshape(-1, 3), table.shape[1]

    def corner(rows: Ints, columns: Ints) -> NDArray[np.int32]:
        picked: NDArray[np.int32] = pixels.take(rows[:, :, None] * width + columns[:, None, :], axis=0)
        return picked

    total = corner(bottom, right) - corner(top, right) - corner(bottom, left) + corner(top, left)
    area = (bottom - top)[:, :, None] * (right - left)[:, None, :]
    crops: Floats = total.transpose(0, 3, 1, 2).astype(np.float32) / area[:, None].astype(np.float32)
    return crops
