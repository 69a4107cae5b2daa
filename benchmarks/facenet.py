"""facenet-pytorch's MTCNN as published, from its wheel, beside any version of torch.

    pip download --no-deps facenet-pytorch==2.6.0

The package pins old versions of torch and needs torchvision, of which MTCNN calls one function:
``batched_nms``. It is replaced by OpenCV's compiled one, the very one that unmask's detector uses. All else
(networks, pyramid, stages) is the code in the wheel.
"""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from unmask.faces.boxes import suppress

if TYPE_CHECKING:
    import torch

_STUBS = (
    "torchvision",
    "torchvision.ops",
    "torchvision.ops.boxes",
    "torchvision.transforms",
    "torchvision.transforms.functional",
    "facenet_pytorch",
    "facenet_pytorch.models",
)


def _batched_nms(
    boxes: torch.Tensor, scores: torch.Tensor, groups: torch.Tensor, max_iou: float
) -> torch.Tensor:
    import torch

    return torch.from_numpy(suppress(boxes.numpy(), scores.numpy(), groups.numpy(), max_iou=max_iou))


def load_mtcnn(wheel: Path, folder: Path) -> Any:
    """MTCNN with its default settings, on one thread.

    Args:
        wheel: ``facenet_pytorch-2.6.0-py3-none-any.whl``.
        folder: Where the wheel is unpacked.
    """
    import torch

    torch.set_num_threads(1)
    torch.set_num_interop_threads(1)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    for name in _STUBS:
        sys.modules[name] = ModuleType(name)
    setattr(sys.modules["torchvision.ops.boxes"], "batched_nms", _batched_nms)  # noqa: B010  no such attribute to types
    setattr(  # noqa: B010
        sys.modules["torchvision.transforms"],
        "functional",
        sys.modules["torchvision.transforms.functional"],
    )
    for name in ("facenet_pytorch", "facenet_pytorch.models"):
        sys.modules[name].__path__ = [str(folder.joinpath(*name.split(".")))]
    from facenet_pytorch.models.mtcnn import MTCNN

    return MTCNN()
