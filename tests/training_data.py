"""Packed crops of the two public-domain portraits, for tests of training."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from matplotlib import pyplot
from matplotlib.cbook import get_sample_data
from skimage.data import astronaut

from portraits import write_image
from unmask.data.pack import list_sources, pack_faces


def hopper():
    """Portrait of Grace Hopper (US Navy, public domain), RGB."""
    with get_sample_data("grace_hopper.jpg") as file:
        return np.ascontiguousarray(pyplot.imread(file, format="jpg")[..., :3])


def portraits():
    """Two faces of two people, each about 100 px wide or more, by name."""
    return {"collins": np.ascontiguousarray(astronaut()[:300, 60:380]), "hopper": hopper()[:420]}


def write_portraits(folder: Path, *, labelled=False) -> Path:
    """A folder of photos; labelled, the mirrored ones are called fakes of the others."""
    folder.mkdir(parents=True)
    metadata = {}
    for name, image in portraits().items():
        write_image(folder / f"{name}.png", image)
        metadata[f"{name}.png"] = {"label": "REAL", "split": "train"}
        if labelled:
            write_image(folder / f"{name}_fake.png", np.ascontiguousarray(image[:, ::-1] // 2))
            metadata[f"{name}_fake.png"] = {"label": "FAKE", "split": "train", "original": f"{name}.png"}
    if labelled:
        (folder / "metadata.json").write_text(json.dumps(metadata))
    return folder


def pack_portraits(folder: Path, *, labelled=False) -> Path:
    """A folder of packed crops."""
    photos = write_portraits(folder / "photos", labelled=labelled)
    results = list(pack_faces(list_sources(photos, collection="photos"), folder / "crops"))
    assert [people for _, people in results] == [1] * len(results)
    return folder / "crops"
