"""MesoNet's four published files: the small reference.

D. Afchar, V. Nozick, J. Yamagishi, I. Echizen, "MesoNet: a Compact Facial Video Forgery Detection Network",
WIFS 2018. Files at one commit of github.com/DariusAf/MesoNet (Apache-2.0), whose hashes were taken here.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from unmask.zoo.entry import Entry, Web

if TYPE_CHECKING:
    from torch import nn

_FOLDER = (
    "https://raw.githubusercontent.com/DariusAf/MesoNet/2144d56a30e48cdcac1976ff13a1c5cdc86376c6/weights/"
)


def _build(files: dict[str, Path], kind: str) -> nn.Module:
    from unmask.zoo.mesonet import FakeOdds, read_meso

    (weights,) = files.values()
    return FakeOdds(read_meso(weights, kind)).eval()


def _entry(name: str, title: str, *, kind: str, source: Web, trained_on: str, measured: str) -> Entry:
    return Entry(
        name=name,
        title=title,
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
        tried="the published weights were loaded, converted and run",
        size_px=256,
        margin_fraction=0.3,
        mean=(0.0, 0.0, 0.0),
        std=(255.0, 255.0, 255.0),
        build=partial(_build, kind=kind),
        limits=(
            "How wide its authors cut a face is not in the files: a margin of 0.3 is our choice.",
            "It was trained on forgeries of 2018 and tells newer ones little better than chance.",
        ),
    )


_DEEPFAKES = "deepfakes that its authors gathered from the web in 2018"
_FACE2FACE = "Face2Face clips of FaceForensics"
_OVER_98 = "its authors tell of over 98 % for deepfakes, on their own data"
_OVER_95 = "its authors tell of over 95 % for Face2Face, on FaceForensics"

MESO = (
    _entry(
        "meso4-df",
        "Meso-4 on deepfakes",
        kind="meso4",
        source=Web(
            _FOLDER + "Meso4_DF.h5", "036ed30d04ffd9c7506f825b97c86aa64915f5818931da96817b169aad790af5"
        ),
        trained_on=_DEEPFAKES,
        measured=_OVER_98,
    ),
    _entry(
        "meso4-f2f",
        "Meso-4 on Face2Face",
        kind="meso4",
        source=Web(
            _FOLDER + "Meso4_F2F.h5", "bcfda015d217b9f8d6557693edbdf9f4e79cfd22672541968dd0e2954462b5d7"
        ),
        trained_on=_FACE2FACE,
        measured=_OVER_95,
    ),
    _entry(
        "mesoinception4-df",
        "MesoInception-4 on deepfakes",
        kind="mesoinception4",
        source=Web(
            _FOLDER + "MesoInception_DF.h5",
            "234586d40058e76ef8b6f27ca4b63c06e31c2a5a69c0d8ba6f30b1468ab7bafa",
        ),
        trained_on=_DEEPFAKES,
        measured=_OVER_98,
    ),
    _entry(
        "mesoinception4-f2f",
        "MesoInception-4 on Face2Face",
        kind="mesoinception4",
        source=Web(
            _FOLDER + "MesoInception_F2F.h5",
            "d4533ac8a3197dc35c47405d23d99e888c1d0135e267e03540c7451feaccff3f",
        ),
        trained_on=_FACE2FACE,
        measured=_OVER_95,
    ),
)
