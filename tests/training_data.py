"""Packed crops of the two public-domain portraits, for tests of training."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
from matplotlib import pyplot
from matplotlib.cbook import get_sample_data
from skimage.data import astronaut

from inline_crew import InlineCrew
from portraits import write_image
from unmask.faces.crop import scale_square
from unmask.lab.crops.samples import Sample
from unmask.lab.crops.shards import ShardWriter, read_index
from unmask.lab.datasets.collection import list_sources
from unmask.lab.extract.plan import ExtractSettings, make_plan, videos_of_collection
from unmask.lab.extract.run import extract
from unmask.lab.extract.store import CropStore
from unmask.lab.extract.worker import load_extractor


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
    videos = videos_of_collection(list_sources(photos, collection="photos"))
    settings = ExtractSettings()
    with CropStore(folder / "crops", make_plan(videos, settings)) as store:
        extract(store, InlineCrew(load_extractor(settings)))
    assert len(read_index(folder / "crops")) == len(videos)
    return folder / "crops"


# Where the detector finds the first portrait's face, so that tests of training need not run it.
COLLINS_POINTS = [(90.6, 94.3), (133.3, 95.8), (112.0, 121.7), (88.6, 132.5), (131.7, 133.5)]


def stored_face(number, *, fake=False):
    """A crop twice as wide as the face, one of many by light and place; a fake's inner face is blurred."""
    left, top = 114 - number % 4, 8 - number % 3
    image = astronaut()[top : top + 219, left : left + 219]
    image = np.clip(image * (0.7 + 0.05 * (number % 9)), 0, 255).astype(np.uint8)
    if fake:
        image[70:150, 70:150] = cv2.GaussianBlur(image[70:150, 70:150], (0, 0), 3)
    return image


def store_people(folder: Path, people, *, source="photos", frames=1, split="", size_px=219) -> Path:
    """Packed crops of ``people``, pairs of a name and a label; a fake is called ``NAME-of-ORIGINAL``."""
    with closing(ShardWriter(folder, name=f"{source}-00000.tar")) as writer:
        for number, (name, label) in enumerate(people):
            original = name.partition("-of-")[2] or name
            sample = Sample(
                key=f"{source}_{name}-p0",
                label=label,
                identity=original,
                original=f"{source}_{original}-p0",
                source=source,
                shard="",
                times_seconds=np.arange(frames, dtype=np.float64),
                points=np.tile(np.array(COLLINS_POINTS, np.float32) * size_px / 219, (frames, 1, 1)),
                spans=np.empty((0, 2), np.int64),
                split=split,
            )
            fake = label == "FAKE"
            images = [stored_face(number + frame, fake=fake) for frame in range(frames)]
            writer.write(sample, [scale_square(image, size_px=size_px) for image in images])
    return folder


def store_sets(folder: Path) -> Path:
    """Packed crops for the recipe of `tiny_recipe`, under ``train``, ``val`` and ``labelled``."""
    store_people(folder / "train", [("ann", "REAL"), ("ben", "REAL")], frames=4)
    store_people(folder / "val", [("carl", "REAL"), ("f-of-carl", "FAKE")], frames=4)
    people = [(f"p{i}", "REAL") for i in range(4)] + [(f"f-of-p{i}", "FAKE") for i in range(4)]
    store_people(folder / "labelled", people)
    return folder
