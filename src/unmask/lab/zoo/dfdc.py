"""One of the seven EfficientNet-B7 that together won the Deepfake Detection Challenge in 2020.

S. Seferbekov, github.com/selimsef/dfdc_deepfake_challenge (MIT), release 0.0.1. Layout of the files, size,
margin and normalisation after its ``training/zoo/classifiers.py`` and ``kernel_utils.py``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from unmask.lab.zoo.entry import LAYOUT_ONLY, Entry, Web, scale_levels

if TYPE_CHECKING:
    from torch import nn


def _build(files: dict[str, Path]) -> nn.Module:
    from unmask.lab.zoo.dfdc_net import load_dfdc

    (weights,) = files.values()
    return load_dfdc(weights)


DFDC_B7 = Entry(
    name="dfdc-b7",
    title="EfficientNet-B7 NS of the DFDC winner, one of seven",
    source=Web(
        "https://github.com/selimsef/dfdc_deepfake_challenge/releases/download/0.0.1/"
        "final_111_DeepFakeClassifier_tf_efficientnet_b7_ns_0_36"
    ),
    megabytes=270,
    licence="MIT; made from the noisy-student weights of EfficientNet (Apache-2.0)",
    terms="as the MIT licence says; DFDC, which it learned from, has terms of its own",
    cite="S. Seferbekov: DFDC 1st place solution. github.com/selimsef/dfdc_deepfake_challenge, 2020",
    trained_on=("DFDC", "ImageNet and JFT (noisy student)"),
    measured="all seven together: log loss 0.428 on DFDC's private test set, the best of the challenge",
    tried=LAYOUT_ONLY,
    size_px=380,
    margin_fraction=2 / 3,
    mean=scale_levels(0.485, 0.456, 0.406),
    std=scale_levels(0.229, 0.224, 0.225),
    build=_build,
    limits=(
        "Nobody has published a hash of the file, so a download can be checked by its layout only.",
        "Its author shows narrow faces with black at their sides; here what is around them is shown.",
        "The winner judged with seven such networks and a rule for clips of its own; this is one.",
    ),
)
