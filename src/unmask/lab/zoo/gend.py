"""GenD: large vision encoders of which only the layer norms were tuned, with a linear head on unit features.

A. Yermakov, J. Cech, J. Matas, M. Fritz, "Deepfake Detection that Generalizes Across Benchmarks", WACV 2026,
arXiv 2508.06248. Layout of the files, alignment and order of the classes (real, fake) after the authors'
``modeling_gend.py`` and ``detector.py`` (github.com/yermandy/GenD, MIT).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from unmask.lab.zoo.entry import LAYOUT_ONLY, Entry, Hub, scale_levels

if TYPE_CHECKING:
    from torch import nn

# Eyes, nose and corners of the mouth in shares of the side, before the margin.
TEMPLATE = ((0.34, 0.46), (0.66, 0.46), (0.5, 0.64), (0.37, 0.82), (0.63, 0.82))
SIZE_PX = 224
FILES = ("config.json", "model.safetensors")
_CITE = (
    "A. Yermakov, J. Cech, J. Matas, M. Fritz: Deepfake Detection that Generalizes Across Benchmarks. "
    "WACV 2026, arXiv:2508.06248"
)
_MEASURED = (
    "arXiv:2508.06248 reports the mean AUROC over 14 data sets in its tables; it was not measured again here"
)
_LIMITS = (
    "Its faces were found by RetinaFace in training, and here by MTCNN.",
    "Its authors shrink faces by bicubic interpolation, and unmask by means over areas.",
)


def _clip(files: dict[str, Path]) -> nn.Module:
    from unmask.lab.zoo.gend_net import load_gend

    return load_gend(files, encoder="clip", size_px=SIZE_PX)


def _dinov3(files: dict[str, Path]) -> nn.Module:
    from unmask.lab.zoo.gend_net import load_gend

    return load_gend(files, encoder="dinov3", size_px=SIZE_PX)


def _pe(files: dict[str, Path]) -> nn.Module:
    from unmask.lab.zoo.gend_net import load_gend

    return load_gend(files, encoder="pe", size_px=SIZE_PX)


GEND_CLIP_L14 = Entry(
    name="gend-clip-l14",
    title="GenD on CLIP ViT-L/14",
    source=Hub("yermandy/GenD_CLIP_L_14", FILES),
    megabytes=1220,
    licence="MIT; made from OpenAI's CLIP (MIT)",
    terms="as the MIT licence says",
    cite=_CITE,
    trained_on=("FaceForensics++", "the image and text pairs of CLIP"),
    measured=_MEASURED,
    tried=LAYOUT_ONLY,
    size_px=SIZE_PX,
    margin_fraction=0.3,
    mean=scale_levels(0.48145466, 0.4578275, 0.40821073),
    std=scale_levels(0.26862954, 0.26130258, 0.27577711),
    build=_clip,
    crop="aligned",
    template=TEMPLATE,
    limits=_LIMITS,
)

GEND_DINOV3_L = Entry(
    name="gend-dinov3-l",
    title="GenD on DINOv3 ViT-L/16",
    source=Hub("yermandy/GenD_DINOv3_L", FILES),
    megabytes=1220,
    licence="MIT; made from Meta's DINOv3 (DINOv3 License, which goes with the weights)",
    terms="as the DINOv3 License says, beside the MIT licence",
    cite=_CITE,
    trained_on=("FaceForensics++", "the images of DINOv3 (LVD-1689M)"),
    measured=_MEASURED,
    tried=LAYOUT_ONLY,
    size_px=SIZE_PX,
    margin_fraction=0.3,
    mean=scale_levels(0.485, 0.456, 0.406),
    std=scale_levels(0.229, 0.224, 0.225),
    build=_dinov3,
    crop="aligned",
    template=TEMPLATE,
    limits=_LIMITS,
)

GEND_PE_L = Entry(
    name="gend-pe-l",
    title="GenD on Perception Encoder L/14",
    source=Hub("yermandy/GenD_PE_L", FILES),
    megabytes=1270,
    licence="MIT; made from Meta's Perception Encoder (Apache-2.0)",
    terms="as the MIT and Apache-2.0 licences say",
    cite=_CITE,
    trained_on=("FaceForensics++", "the images and videos of the Perception Encoder"),
    measured=_MEASURED,
    tried=LAYOUT_ONLY,
    size_px=SIZE_PX,
    margin_fraction=0.3,
    mean=scale_levels(0.5, 0.5, 0.5),
    std=scale_levels(0.5, 0.5, 0.5),
    build=_pe,
    crop="aligned",
    template=TEMPLATE,
    limits=_LIMITS,
)
