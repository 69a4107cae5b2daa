"""MTCNN: three small networks in a row find faces and their five key points.

P-Net looks at every place of an image pyramid, R-Net and O-Net look again at what remains. The
weights are those of facenet-pytorch, and so are the results (Zhang et al. 2016,
https://arxiv.org/abs/1604.02878). ``recipes/export_mtcnn.py`` makes the ONNX files.

Every picture is turned once into a summed-area table, from which both the pyramid and the inputs of
R-Net and O-Net are read as exact means over pixel windows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from importlib import resources

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from unmask.boxes import centres, sides, square_boxes, suppress
from unmask.config import DetectSettings
from unmask.errors import ModelError
from unmask.types import Face, Floats, Image

Ints = NDArray[np.int64]
Table = NDArray[np.int32]  # summed areas, (H + 1, W + 1, 3); differences stay exact when sums wrap around

_CELL_PX = 12  # what P-Net sees at once
_STRIDE_PX = 2  # from one P-Net cell to the next
_CROPS_A_RUN = 256  # bounds memory when a picture is full of candidates

# Where R-Net looks around an expected face: (dx, dy) in sides of the box, and size. R-Net's own
# correction reaches about a fifth of a side, so these cover a movement of about a third.
_LOOKS = np.array(
    [(0, 0, 1), (-0.2, 0, 1), (0.2, 0, 1), (0, -0.2, 1), (0, 0.2, 1), (0, 0, 0.8), (0, 0, 1.25)], np.float32
)


class Mtcnn:
    """The detector; see `unmask.detect.FaceDetector` for the contract.

    Args:
        settings: Thresholds, smallest face, pyramid factor, threads.

    Raises:
        ModelError: The shipped weights are missing or do not fit their card.
    """

    def __init__(self, settings: DetectSettings) -> None:
        self._settings = settings
        self._pnet, self._rnet, self._onet = (
            _session(name, threads=settings.threads) for name in ("pnet", "rnet", "onet")
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
        tables = [_sum_areas(image) for image in images]
        hints = [None] * len(images) if near is None else near
        starts = [
            self._search(table) if hint is None else _looks_around(hint)
            for table, hint in zip(tables, hints, strict=True)
        ]
        owners = np.repeat(np.arange(len(images)), [len(start) for start in starts])
        boxes = np.concatenate([np.empty((0, 4), np.float32), *starts])
        boxes, owners = self._refine(tables, boxes, owners)
        return self._finish(tables, boxes, owners)

    def _search(self, table: Table) -> Floats:
        """P-Net over the pyramid of one picture: square candidate boxes, shape (N, 4)."""
        found = [self._search_scale(table, scale) for scale in self._scales(table)]
        rows = np.concatenate([np.empty((0, 9), np.float32), *found])
        rows = rows[suppress(rows[:, :4], rows[:, 4], np.zeros(len(rows), np.int64), max_iou=0.7)]
        width_height = np.tile(sides(rows[:, :4]), 2)
        return square_boxes(rows[:, :4] + rows[:, 5:] * width_height)

    def _scales(self, table: Table) -> list[float]:
        scale = _CELL_PX / self._settings.min_face_px
        shorter = min(table.shape[0], table.shape[1]) - 1
        scales = []
        while shorter * scale >= _CELL_PX:
            scales.append(scale)
            scale *= self._settings.pyramid_factor
        return scales

    def _search_scale(self, table: Table, scale: float) -> Floats:
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

    def _refine(self, tables: list[Table], boxes: Floats, owners: Ints) -> tuple[Floats, Ints]:
        """R-Net: fewer, better square boxes."""
        boxes, owners, crops = _cut(tables, boxes, owners, side=24)
        answers = _run(self._rnet, crops)
        score = _sigmoid(answers[:, 0])
        good = np.flatnonzero(score > self._settings.thresholds[1])
        good = good[suppress(boxes[good], score[good], owners[good], max_iou=0.7)]
        return square_boxes(_moved(boxes[good], answers[good, 1:])), owners[good]

    def _finish(self, tables: list[Table], boxes: Floats, owners: Ints) -> list[tuple[Face, ...]]:
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


def _session(name: str, *, threads: int) -> onnxruntime.InferenceSession:
    """One of the shipped networks, after its bytes are compared with the card."""
    folder = resources.files("unmask.detectors") / "weights"
    try:
        card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
        weights = (folder / f"{name}.onnx").read_bytes()
    except OSError as error:
        raise ModelError(f"the detector's weights are incomplete ({error}); install unmask again") from error
    expected, found = card["files"][f"{name}.onnx"]["sha256"], hashlib.sha256(weights).hexdigest()
    if found != expected:
        raise ModelError(f"{name}.onnx: SHA-256 must be {expected}, got {found}; install unmask again")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(weights, options, providers=["CPUExecutionProvider"])


def _sum_areas(image: Image) -> Table:
    table: Table = cv2.integral(image, sdepth=cv2.CV_32S)  # type: ignore[assignment]
    return table


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
    side = sides(squares)[:, :1]
    middle = centres(squares)[:, None] + side[:, None] * _LOOKS[None, :, :2]
    half = side[:, None] * _LOOKS[None, :, 2:] / 2
    return np.concatenate([middle - half, middle + half], axis=2).reshape(-1, 4)


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


def _shrink(table: Table, size: tuple[int, int]) -> Floats:
    """The picture of a summed-area table at another size (height, width); shape (1, 3, height, width)."""
    top, bottom = _edges(table.shape[0] - 1, size[0])
    left, right = _edges(table.shape[1] - 1, size[1])
    bands = table[bottom] - table[top]
    total = bands.take(right, axis=1) - bands.take(left, axis=1)
    area = ((bottom - top)[:, None] * (right - left)).astype(np.float32)
    image = np.empty((1, 3, *size), np.float32)
    np.divide(total.transpose(2, 0, 1), area, out=image[0])
    return image


def _cut(tables: list[Table], boxes: Floats, owners: Ints, *, side: int) -> tuple[Floats, Ints, Floats]:
    """Cut boxes out of their pictures, clamped to the picture and scaled to ``side``.

    Returns:
        The boxes that hold at least one pixel, their owners, and the crops (N, 3, side, side).
    """
    limit = np.array([[table.shape[1] - 1, table.shape[0] - 1] for table in tables]).reshape(-1, 2)[owners]
    whole = np.trunc(boxes).astype(np.int64)
    low, high = np.maximum(whole[:, :2] - 1, 0), np.minimum(whole[:, 2:], limit)
    good = (high > low).all(axis=1)
    boxes, owners, low, high = boxes[good], owners[good], low[good], high[good]
    crops = np.empty((len(boxes), 3, side, side), np.float32)
    for index in np.unique(owners):
        mine = np.flatnonzero(owners == index)
        crops[mine] = _cut_table(tables[index], low[mine], high[mine], side)
    return boxes, owners, crops


def _cut_table(table: Table, low: Ints, high: Ints, side: int) -> Floats:
    """Windows ``low`` to ``high`` (x, y; shape (N, 2)) of one table, scaled; shape (N, 3, side, side)."""
    start, end = _edges((high - low)[..., None], side)
    (left, top), (right, bottom) = ((low[..., None] + edge).transpose(1, 0, 2) for edge in (start, end))
    pixels, width = table.reshape(-1, 3), table.shape[1]

    def corner(rows: Ints, columns: Ints) -> Table:
        picked: Table = pixels.take(rows[:, :, None] * width + columns[:, None, :], axis=0)
        return picked

    total = corner(bottom, right) - corner(top, right) - corner(bottom, left) + corner(top, left)
    area = (bottom - top)[:, :, None] * (right - left)[:, None, :]
    crops: Floats = total.transpose(0, 3, 1, 2).astype(np.float32) / area[:, None].astype(np.float32)
    return crops
