"""What is damaged: a small sound file of every kind that unmask reads, made here."""

from __future__ import annotations

import io
import json
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from index_frames import frame_of
from media import write_video
from tiny_model import card_values, tiny_graph
from tiny_recipe import RECIPE
from training_data import store_people
from unmask.lab.datasets.audit_file import Audit, write_audit
from unmask.lab.datasets.video_index import write_index_file

VIDEOS = {
    "x264": "mp4", "x264-annexb": "ts", "x264-mkv": "mkv", "x265": "mp4", "vp8": "webm", "vp9": "webm",
    "av1": "mp4", "mpeg4-avi": "avi", "mpeg2": "mpg", "flv": "flv", "wmv": "wmv", "mjpeg": "mov",
    "gif": "gif",
}  # fmt: skip
IMAGES = (".png", ".jpg", ".webp")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file.

    Attributes:
        name: What it is called, file name and all.
        data: A sound one.
        text: Whether it is text.
    """

    name: str
    data: bytes
    text: bool = False


def make_corpus(folder: Path) -> list[Kind]:
    """A sound file of every kind.

    Args:
        folder: For what is made on the way.
    """
    kinds = [*_videos(folder / "videos"), *_images()]
    kinds += [
        Kind("card.json", json.dumps(card_values(), indent=1).encode(), text=True),
        Kind("net.onnx", tiny_graph().SerializeToString()),
        Kind("verdict.json", _verdict(), text=True),
        Kind("recipe.toml", RECIPE.format(folder="crops").encode(), text=True),
        Kind("detector.toml", _detector(folder / "detector.toml"), text=True),
        Kind("weights.safetensors", _safetensors()),
        Kind("weights.pt", _pickled()),
        Kind("scans.sqlite3", _scans(folder / "served")),
    ]
    return [*kinds, *_crops(folder / "crops"), *_tables(folder)]


def _videos(folder: Path) -> list[Kind]:
    folder.mkdir(parents=True)
    size = {"size": (64, 48), "frames": 12}
    made = {
        name: write_video(folder / f"{name}.{end}", encoding=name, **size) for name, end in VIDEOS.items()
    }
    return [Kind(f"{name}.{VIDEOS[name]}", path.read_bytes()) for name, path in made.items()]


def _images() -> list[Kind]:
    picture = np.random.default_rng(0).integers(0, 255, (24, 32, 3), np.uint8)
    return [Kind(f"image{end}", cv2.imencode(end, picture)[1].tobytes()) for end in IMAGES]


def _verdict() -> bytes:
    from unmask.verdicts import Appearance, ModelName, Outcome, Person, PersonFrame, Verdict

    frame = PersonFrame(0.5, (1.0, 2.0, 3.0, 4.0), ((1.0, 2.0),) * 5, 0.9, None, lightened=True)
    person = Person(0, 0.9, True, None, (frame, frame), False, (Appearance(0, 0.0, 1.0, 0.9, 8),))
    name = ModelName("m", "1" * 64)
    verdict = Verdict("a.mp4", "f" * 64, Outcome.FAKE, 0.9, "so", False, (person,), name, "1")
    return json.dumps(verdict.to_dict(), indent=1).encode()


def _detector(file: Path) -> bytes:
    from unmask.config import DetectSettings, TrackSettings
    from unmask.faces.settings_file import write_detector_file

    write_detector_file(file, DetectSettings(), TrackSettings())
    return file.read_bytes()


def _safetensors() -> bytes:
    import torch
    from safetensors.torch import save

    return save({"a.weight": torch.ones(4, 4), "b.bias": torch.zeros(3)})


def _pickled() -> bytes:
    import torch

    stream = io.BytesIO()
    torch.save({"state_dict": {"a.weight": torch.ones(4, 4)}, "epoch": 3}, stream)
    return stream.getvalue()


def _scans(folder: Path) -> bytes:
    from unmask.verdicts import ModelName, Outcome, Verdict
    from unmask.web.store import Row, Store

    verdict = Verdict("a.mp4", None, Outcome.NO_FACE, None, "so", False, (), ModelName("m", "1" * 64), "1")
    with closing(Store(folder)) as store:
        for number in range(20):
            store.add(Row(f"{number:032x}", "a.mp4", None, 1, None, 1.0, "queued", None, None, ""))
            store.finish(f"{number:032x}", verdict, state="done")
    return (folder / "scans.sqlite3").read_bytes()


def _crops(folder: Path) -> list[Kind]:
    store_people(folder, [("a", "REAL"), ("b", "FAKE")], size_px=32, frames=2)
    record = {"name": "a", "status": "done", "reason": "", "people": 1, "crops": 2, "frames": 2}
    record |= {"damage": "", "boxes": "own", "shard": "photos-00000.tar"}
    return [
        Kind("index.jsonl", (folder / "index.jsonl").read_bytes(), text=True),
        Kind("crops.tar", (folder / "photos-00000.tar").read_bytes()),
        Kind("manifest.jsonl", (json.dumps(record) + "\n").encode() * 3, text=True),
        Kind("sha256.txt", b"".join(b"0" * 64 + b"  a%d.tar\n" % n for n in range(3)), text=True),
    ]


def _tables(folder: Path) -> list[Kind]:
    for name in ("videos.parquet", "videos.csv"):
        write_index_file(frame_of(4), folder / name)
    pairs = [("a", "b", 3)]
    audit = Audit(videos=2, near_duplicates=pairs, exclude={"a": "a copy"}, status={"ok": 2})
    write_audit(audit, folder / "audit.json")
    return [
        Kind("videos.parquet", (folder / "videos.parquet").read_bytes()),
        Kind("videos.csv", (folder / "videos.csv").read_bytes(), text=True),
        Kind("audit.json", (folder / "audit.json").read_bytes(), text=True),
    ]
