"""Scenes from public-domain portraits, and the recorder of what facenet-pytorch's MTCNN finds in them.

``mtcnn.json`` was made by facenet-pytorch 2.6.0 (wheel SHA-256 ecb82b27...cca) on torch 2.13 with:

    python -m zipfile -e facenet_pytorch-2.6.0-py3-none-any.whl /tmp/facenet
    python tests/references/mtcnn.py /tmp/facenet

Only its ``models/mtcnn.py`` and what that imports are used. torchvision is not needed: of it MTCNN only
calls ``batched_nms``, which is written out below.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

RECORD = Path(__file__).with_suffix(".json")
SETTINGS = {
    "default": {"min_face_size": 20, "thresholds": [0.6, 0.7, 0.7], "factor": 0.709},
    "coarse": {"min_face_size": 48, "thresholds": [0.7, 0.8, 0.9], "factor": 0.6},
}


def portraits() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Eileen Collins (NASA) and Grace Hopper (US Navy); both in the public domain."""
    import matplotlib.cbook
    import skimage.data
    from PIL import Image

    with matplotlib.cbook.get_sample_data("grace_hopper.jpg") as file, Image.open(file) as hopper:
        return skimage.data.astronaut(), np.asarray(hopper.convert("RGB"))


def halve(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Half the size by means of 2 x 2 pixels; numpy alone, so that every machine makes the same pixels."""
    height, width = (length // 2 * 2 for length in image.shape[:2])
    blocks = image[:height, :width].reshape(height // 2, 2, width // 2, 2, 3)
    return blocks.mean(axis=(1, 3)).astype(np.uint8)


def scenes() -> dict[str, NDArray[np.uint8]]:
    """Scenes by name; RGB."""
    collins, hopper = portraits()
    small, tiny = halve(hopper), halve(halve(collins))
    group = np.full((720, 1280, 3), (70, 90, 110), np.uint8)
    for image, left, top in [(collins, 0, 100), (hopper, 500, 60), (small, 1020, 10), (tiny, 1100, 500)]:
        room = group[top : top + image.shape[0], left : left + image.shape[1]]
        room[:] = image[: room.shape[0], : room.shape[1]]
    noise = np.random.default_rng(7).integers(0, 256, (240, 321, 3), np.uint8)
    return {
        "collins": collins,
        "hopper": hopper,
        "hopper_mirrored": np.ascontiguousarray(hopper[:, ::-1]),
        "collins_twice_as_large": collins.repeat(2, axis=0).repeat(2, axis=1),
        "collins_quarter": tiny,
        "face_cut_by_border": np.ascontiguousarray(collins[:, 215:]),
        "group": group,
        "noise": noise,
    }


def _batched_nms(boxes, scores, groups, max_iou):
    import torch

    keep = []
    order = torch.argsort(scores, descending=True, stable=True)
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    while len(order):
        best, rest = order[0], order[1:]
        keep.append(int(best))
        low = torch.maximum(boxes[best, :2], boxes[rest, :2])
        high = torch.minimum(boxes[best, 2:], boxes[rest, 2:])
        shared = (high - low).clamp(min=0).prod(dim=1)
        iou = shared / (area[best] + area[rest] - shared)
        order = rest[(iou <= max_iou) | (groups[rest] != groups[best])]
    return torch.tensor(keep, dtype=torch.long)


def load_reference(folder: Path):
    """facenet-pytorch's MTCNN class from an unpacked wheel, without torchvision."""
    stubs = ["torchvision", "torchvision.ops", "torchvision.ops.boxes", "torchvision.transforms"]
    stubs += ["torchvision.transforms.functional", "facenet_pytorch", "facenet_pytorch.models"]
    for name in stubs:
        sys.modules[name] = ModuleType(name)
    sys.modules["torchvision.ops.boxes"].batched_nms = _batched_nms
    sys.modules["torchvision.transforms"].functional = sys.modules["torchvision.transforms.functional"]
    sys.modules["facenet_pytorch"].__path__ = [str(folder / "facenet_pytorch")]
    sys.modules["facenet_pytorch.models"].__path__ = [str(folder / "facenet_pytorch" / "models")]
    from facenet_pytorch.models.mtcnn import MTCNN

    return MTCNN


def main() -> None:
    mtcnn = load_reference(Path(sys.argv[1]))
    record: dict[str, dict[str, object]] = {}
    for setting, values in SETTINGS.items():
        network = mtcnn(keep_all=True, **values)
        for name, image in scenes().items():
            boxes, confidences, points = network.detect(image, landmarks=True)
            found = {"boxes": [], "points": [], "confidences": []}
            if boxes is not None:
                found = {
                    "boxes": np.round(boxes.astype(float), 3).tolist(),
                    "points": np.round(points.astype(float), 3).tolist(),
                    "confidences": np.round(confidences.astype(float), 6).tolist(),
                }
            record.setdefault(setting, {})[name] = found
    RECORD.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
