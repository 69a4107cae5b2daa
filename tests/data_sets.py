"""Small data sets on disk: clips of a portrait, their fakes, and labels in the layout of DFDC."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np

from portraits import moving_views, write_clip


def write_labels(folder: Path, rows: dict[str, tuple[str, str | None]]) -> Path:
    """A ``metadata.json`` from label and original by name."""
    table = {n: {"label": label, "split": "train", "original": of} for n, (label, of) in rows.items()}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "metadata.json").write_text(json.dumps(table))
    return folder


def changed(images):
    """The same views with another mouth and nose."""
    fakes = []
    for image in images:
        fake = image.copy()
        fake[60:110, 60:120] = 255 - fake[60:110, 60:120]
        fakes.append(fake)
    return fakes


def write_set(folder: Path) -> Path:
    """Two parts: a with two fakes of which one changed nothing, b with one, and c alone."""
    views = {"a": moving_views(12), "b": moving_views(12, brightness=-40)}
    views["c"] = [np.ascontiguousarray(view[:, ::-1]) for view in moving_views(12, brightness=30)]
    one, other = folder / "part_0", folder / "part_1"
    write_labels(one, {"a.mp4": ("REAL", None), "a1.mp4": ("FAKE", "a.mp4"), "a2.mp4": ("FAKE", "a.mp4")})
    write_labels(other, {"b.mp4": ("REAL", None), "b1.mp4": ("FAKE", "b.mp4"), "c.mp4": ("REAL", None)})
    write_clip(one / "a.mp4", views["a"])
    write_clip(one / "a1.mp4", changed(views["a"]))
    write_clip(one / "a2.mp4", views["a"])
    (one / "a2.mp4").write_bytes((one / "a2.mp4").read_bytes() + b"\0" * 8)  # Other bytes, the same pictures.
    write_clip(other / "b.mp4", views["b"])
    write_clip(other / "b1.mp4", changed(views["b"]))
    write_clip(other / "c.mp4", views["c"])
    return folder


def zip_folder(folder: Path, target: Path, *, packed: bool) -> Path:
    """The folder, with its own name, as a zip."""
    kind = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    with zipfile.ZipFile(target, "w", kind) as zipped:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                zipped.write(file, file.relative_to(folder.parent))
    return target


def write_names(folder: Path, names: list[str]) -> Path:
    """Empty files."""
    for name in names:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"")
    return folder
