"""MesoNet's four published files: the small reference.

D. Afchar, V. Nozick, J. Yamagishi, I. Echizen, "MesoNet: a Compact Facial Video Forgery Detection Network",
WIFS 2018. Files at one commit of github.com/DariusAf/MesoNet (Apache-2.0), whose hashes were taken here.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from unmask.lab.zoo.entry import Entry, Web

if TYPE_CHECKING:
    from torch import nn

_FOLDER = (
    "https://raw.githubusercontent.com/DariusAf/MesoNet/2144d56a30e48cdcac1976ff13a1c5cdc86376c6/weights/"
)


def _build(files: dict[str, Path], kind: str) -> nn.Module:
    from unmask.lab.zoo.mesonet import FakeOdds, read_meso

    (weights,) = files.values()
    return FakeOdds(read_meso(weights, kind)).eval()


def _entry(name: str, source: Web, *, kind: str, taught: tuple[str, str, str], auc: str) -> Entry:
    title, trained_on, measured = taught
    return Entry(
        name=name,
        title=f"{_TITLES[kind]} on {title}",
        source=source,
        megabytes=0.2,
        licence="Apache-2.0",
        terms="as the Apache-2.0 licence says",
        cite=(
            "D. Afchar, V. Nozick, J. Yamagishi, I. Echizen: MesoNet: a Compact Facial Video Forgery "
            "Detection Network. WIFS 2018, arXiv:1809.00888"
        ),
        trained_on=(trained_on,),
        measured=measured,
        tried=f"the published weights were converted and measured: AUC {auc} on the 40 clips of dfdc_mini",
        size_px=256,
        margin_fraction=0.3,
        mean=(0.0, 0.0, 0.0),
        std=(255.0, 255.0, 255.0),
        build=partial(_build, kind=kind),
        limits=(
            "How wide its authors cut a face is not in the files: a margin of 0.3 is our choice.",
            "It was trained on forgeries of 2018.",
        ),
    )


_TITLES = {"meso4": "Meso-4", "mesoinception4": "MesoInception-4"}
_DEEPFAKES = (
    "deepfakes",
    "deepfakes that its authors gathered from the web in 2018",
    "its authors tell of over 98 % for deepfakes, on their own data",
)
_FACE2FACE = (
    "Face2Face",
    "Face2Face clips of FaceForensics",
    "its authors tell of over 95 % for Face2Face, on FaceForensics",
)

MESO = (
    _entry(
        "meso4-df",
        Web(_FOLDER + "Meso4_DF.h5", "036ed30d04ffd9c7506f825b97c86aa64915f5818931da96817b169aad790af5"),
        kind="meso4",
        taught=_DEEPFAKES,
        auc="0.48 (0.35 to 0.60)",
    ),
    _entry(
        "meso4-f2f",
        Web(_FOLDER + "Meso4_F2F.h5", "bcfda015d217b9f8d6557693edbdf9f4e79cfd22672541968dd0e2954462b5d7"),
        kind="meso4",
        taught=_FACE2FACE,
        auc="0.63 (0.51 to 0.75)",
    ),
    _entry(
        "mesoinception4-df",
        Web(
            _FOLDER + "MesoInception_DF.h5",
            "234586d40058e76ef8b6f27ca4b63c06e31c2a5a69c0d8ba6f30b1468ab7bafa",
        ),
        kind="mesoinception4",
        taught=_DEEPFAKES,
        auc="0.46 (0.30 to 0.61)",
    ),
    _entry(
        "mesoinception4-f2f",
        Web(
            _FOLDER + "MesoInception_F2F.h5",
            "d4533ac8a3197dc35c47405d23d99e888c1d0135e267e03540c7451feaccff3f",
        ),
        kind="mesoinception4",
        taught=_FACE2FACE,
        auc="0.62 (0.49 to 0.75)",
    ),
)
