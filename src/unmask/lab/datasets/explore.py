"""What is in a data set: counts, classes, fakes per original; and what a sample of it looks like."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from unmask.archive.sources import Opener
from unmask.config import BatchSettings, DecodeSettings, DetectSettings
from unmask.errors import DataError, MediaError
from unmask.faces.crop import cut_square
from unmask.faces.detect import FaceDetector, detect_faces, load_detector
from unmask.lab.datasets.video_index import clip_of, usable
from unmask.types import Floats, Image
from unmask.video import read_clip
from unmask.work.each import Do, Failure, Tell, run_each

if TYPE_CHECKING:
    from pandas import DataFrame

_FACE_PX = 112
_FACE_SCALE = 1.5
_LIMIT_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class SplitRow:
    """One line of the counts; only usable videos are counted.

    Attributes:
        name: Of the split, or ``all``.
        total: Videos.
        fake: Of these labelled fake.
        real: Of these labelled real.
        originals: Clips that the videos go back to, in the set or not.
        absent: Of the originals, those that are not in the set.
    """

    name: str
    total: int
    fake: int
    real: int
    originals: int
    absent: int


@dataclass(frozen=True, slots=True)
class SampledVideo:
    """One sampled video.

    Attributes:
        name: As in the index.
        label: ``REAL``, ``FAKE`` or empty.
        brightness: Mean level of its middle frame, 0 to 255; None when it could not be read.
        face: Its surest face, RGB, (112, 112, 3); None where there is none or nobody looked.
    """

    name: str
    label: str
    brightness: float | None
    face: Image | None = None


@dataclass(slots=True)
class Exploration:
    """What is in a data set.

    Attributes:
        counts: By split, then in all.
        upsampling: For each split and in all the rarer class and how often each of its videos must be shown
            until both are shown equally often; absent where a class is missing.
        fakes_per_original: How many originals have how many fakes.
        statuses: How many videos by status.
        hours: Playing time of usable videos; None when containers were not opened.
        size_bytes: Of usable videos.
        looks: The sampled videos.
        people: For each label how many videos have how many people, from an extraction.
    """

    counts: list[SplitRow]
    upsampling: dict[str, tuple[str, float]]
    fakes_per_original: Counter[int]
    statuses: Counter[str]
    hours: float | None
    size_bytes: int
    looks: list[SampledVideo] = field(default_factory=list)
    people: dict[str, Counter[int]] = field(default_factory=dict)


def explore_index(frame: DataFrame) -> Exploration:
    """Count what the index alone tells.

    Args:
        frame: The index.
    """
    rows = usable(frame)
    names = [str(name) for name in rows["split"].dropna().unique()]
    parts = [(name, rows[rows["split"] == name]) for name in sorted(names, key=_usual_order)]
    parts += [("all", rows)] if len(parts) != 1 or rows["split"].isna().any() else []
    counts = [_count(name, part, rows) for name, part in parts]
    fakes = rows[(rows["label"] == "FAKE") & rows["original"].notna()]
    per_original = Counter(int(count) for count in fakes["original"].value_counts())
    childless = set(rows.index[rows["label"] == "REAL"]) - set(fakes["original"])
    if childless:
        per_original[0] = len(childless)
    known = rows["duration_seconds"].notna().any()
    return Exploration(
        counts=counts,
        upsampling={row.name: _upsampling(row) for row in counts if row.fake and row.real},
        fakes_per_original=per_original,
        statuses=Counter(map(str, frame["status"])),
        hours=float(rows["duration_seconds"].sum()) / 3600 if known else None,
        size_bytes=int(rows["size_bytes"].sum()),
    )


def look_at_sample(
    frame: DataFrame,
    *,
    videos: int = 200,
    faces: int = 40,
    jobs: int = 1,
    on_done: Callable[[int, int], None] | None = None,
) -> list[SampledVideo]:
    """Decode the middle frame of some videos, chosen by hash; of the first few also find the face.

    Args:
        frame: The index.
        videos: How many.
        faces: In how many of these a face is looked for.
        jobs: Processes.
        on_done: Told how many of how many are done.
    """
    from pandas.util import hash_array

    rows = usable(frame)
    order = np.argsort(hash_array(rows.index.to_numpy(dtype=object)), kind="stable")[:videos]
    tasks = [
        (str(name), str(path), label if isinstance(label, str) else "", number < faces)
        for number, (name, path, label) in enumerate(
            zip(rows.index[order], rows["path"].iloc[order], rows["label"].iloc[order], strict=True)
        )
    ]
    looks = []
    batch = BatchSettings(jobs=jobs, time_limit_seconds=_LIMIT_SECONDS)
    for number, look in run_each(tasks, _load_looker, batch, at_home=True):
        name, _, label, _ = tasks[number]
        looks.append(SampledVideo(name, label, None) if isinstance(look, Failure) else look)
        if on_done is not None:
            on_done(len(looks), len(tasks))
    place = {task[0]: number for number, task in enumerate(tasks)}
    return sorted(looks, key=lambda look: place[look.name])


def faces_of_crops(folder: Path, *, faces: int = 40) -> list[SampledVideo]:
    """Faces out of an extraction, one a video, evenly spread over it.

    Raises:
        DataError: The folder holds no extraction, or a shard is damaged.
    """
    from unmask.lab.crops.shards import CropReader, read_index

    samples = {sample.video or sample.original: sample for sample in reversed(read_index(folder))}
    chosen = [samples[name] for name in sorted(samples)]
    places = np.linspace(0, len(chosen) - 1, min(faces, len(chosen))).astype(int)
    chosen = [chosen[place] for place in places]
    reader = CropReader(folder)
    looks = []
    for sample in chosen:
        image, _points = reader.read(sample, len(sample) // 2)
        side = image.shape[0]
        middle = np.array(
            [side / 4, side / 4, side * 3 / 4, side * 3 / 4], np.float32
        )  # Stored twice as wide.
        look = SampledVideo(Path(sample.video).name or sample.key, sample.label, None, _face(image, middle))
        looks.append(look)
    return looks


def count_people(frame: DataFrame, folder: Path) -> dict[str, Counter[int]]:
    """For each label how many videos have how many people, by an extraction.

    Raises:
        DataError: The folder holds no extraction.
    """
    from unmask.lab.crops.shards import read_index

    people = Counter(sample.video for sample in read_index(folder))
    counts: dict[str, Counter[int]] = {}
    rows = usable(frame)
    for path, label in zip(rows["path"], rows["label"], strict=True):
        known = label if isinstance(label, str) else ""
        counts.setdefault(known, Counter())[people[str(path)]] += 1
    return counts


_Picked = tuple[str, str, str, bool]
"""A video that is sampled: name, path, label, and whether a face is wanted."""


def _load_looker() -> Do[_Picked, SampledVideo]:
    return partial(_look, detector=load_detector(DetectSettings()))


def _look(task: _Picked, _: Tell, *, detector: FaceDetector) -> SampledVideo:
    name, path, label, wants_face = task
    try:
        with Opener() as opener, opener.local(path) as file:
            clip = read_clip(file, DecodeSettings(frames=1, threads=1))
            image = clip.frames[0].picture.rgb()
    except (MediaError, DataError):
        return SampledVideo(name, label, None)
    found = detect_faces(clip, detector, DetectSettings())[0] if wants_face else ()
    face = _face(image, found[0].box) if found else None
    return SampledVideo(name, label, float(image.mean()), face)


def _face(image: Image, box: Floats) -> Image:
    centre, side = (box[:2] + box[2:]) / 2, float((box[2:] - box[:2]).max()) * _FACE_SCALE / 2
    wide = np.concatenate([centre - side, centre + side]).astype(np.float32)
    return cut_square(image, wide, size_px=_FACE_PX)[0]


def _usual_order(name: str) -> tuple[int, str]:
    usual: Sequence[str] = ("train", "val", "validation", "test")
    return (usual.index(name) if name in usual else len(usual), name)


def _count(name: str, rows: DataFrame, everything: DataFrame) -> SplitRow:
    clips = set(clip_of(rows))
    return SplitRow(
        name=name,
        total=len(rows),
        fake=int((rows["label"] == "FAKE").sum()),
        real=int((rows["label"] == "REAL").sum()),
        originals=len(clips),
        absent=len(clips - set(everything.index)),
    )


def _upsampling(row: SplitRow) -> tuple[str, float]:
    rarer = "real" if row.real < row.fake else "fake"
    return rarer, max(row.fake, row.real) / min(row.fake, row.real)
