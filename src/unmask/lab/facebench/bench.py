"""A bench for face detection: clips and photos of which is known who is where, in one folder.

`write_bench` draws the clips (``draw.py``) that a plan (``plan.py``) asks for;
`read_bench` reads and checks ``bench.json``:

```json
{"version": 1, "items": [{"file": "dark_0.10_03.mp4", "condition": "dark", "level": 0.1, "width": 480,
  "height": 270, "frames": [[{"who": 0, "kind": "person", "box": [10, 20, 60, 80], "ignore": false}]]}]}
```
"""

from __future__ import annotations

import json
import math
import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from unmask.errors import DataError
from unmask.files import write_whole
from unmask.lab.facebench.draw import draw_scene
from unmask.lab.facebench.scene import Cast, Drawing, Scene
from unmask.video.encoding import REPEATABLE

BENCH_NAME = "bench.json"
KINDS = ("person", "picture")
"""What is true of a face: a person, or a picture of one (poster, print, painting)."""
_VERSION = 1
_MAX_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class TrueFace:
    """One face that is known to be in a frame.

    Attributes:
        who: Number of the person or picture in the item.
        kind: One of `KINDS`.
        box: ``x0 y0 x1 y1`` in pixels, within the image.
        ignore: Found or not, it does not count: hidden or cut off for the most part.
    """

    who: int
    kind: str
    box: tuple[float, float, float, float]
    ignore: bool = False


@dataclass(frozen=True, slots=True)
class BenchItem:
    """A clip or a photo with its truth.

    Attributes:
        file: Name in the bench's folder.
        condition: What makes it hard, such as ``dark``.
        level: How hard, in the unit of the condition.
        width: In pixels.
        height: In pixels.
        frames: For each frame the faces in it.
    """

    file: str
    condition: str
    level: float
    width: int
    height: int
    frames: tuple[tuple[TrueFace, ...], ...]


@dataclass(frozen=True, slots=True)
class Bench:
    """All items of a bench, and the folder they lie in."""

    folder: Path
    items: tuple[BenchItem, ...]


def write_bench(
    folder: Path,
    scenes: Sequence[Scene],
    cast: Cast,
    *,
    photos: Path | None = None,
    on_done: Callable[[int, int], None] = lambda done, total: None,
) -> Bench:
    """Draw and encode clips, take boxed photos over, and write the truth beside them.

    Args:
        folder: Where to; clips of the same name are replaced.
        scenes: What to draw; the same scenes and cast give the same pictures.
        cast: Whose faces, hands and paintings.
        photos: An imglab XML file with photos beside it, whose boxes are taken as people.
        on_done: Told how many of how many are done.

    Raises:
        DataError: The XML file or a photo cannot be read, or a box lies outside its image.
        OSError: The folder cannot be written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    items = _photo_items(photos, folder) if photos else []
    for number, scene in enumerate(scenes):
        drawing = draw_scene(scene, cast)
        name = f"{scene.condition}_{scene.level:g}_{number:03d}.mp4"
        encode(folder / name, drawing, crf=scene.crf)
        height, width = drawing.images[0].shape[:2]
        truth = tuple(
            tuple(TrueFace(f.who, f.kind, f.box, f.ignore) for f in frame) for frame in drawing.truth
        )
        items.append(BenchItem(name, scene.condition, scene.level, width, height, truth))
        on_done(number + 1, len(scenes))
    text = json.dumps({"version": _VERSION, "items": [asdict(item) for item in items]})
    write_whole(folder / BENCH_NAME, text)
    return Bench(folder, tuple(items))


def encode(path: Path, drawing: Drawing, *, crf: int) -> None:
    """Encode a drawing as H.264 at a constant quality (CRF)."""
    import av

    from unmask.files import whole_file

    with whole_file(path) as draft, av.open(str(draft), "w", format="mp4") as output:
        stream = output.add_stream(
            "libx264",
            rate=drawing.frames_per_second,
            options={"crf": str(crf), "preset": "veryfast", "x264-params": REPEATABLE},
        )
        stream.height, stream.width = drawing.images[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for image in drawing.images:
            output.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        output.mux(stream.encode(None))


def read_bench(path: Path) -> Bench:
    """Read a bench and check all of it.

    Args:
        path: The folder, or its ``bench.json``.

    Raises:
        DataError: It is missing or breaks a rule; the message says which item, rule and value.
    """
    file = path / BENCH_NAME if path.is_dir() else path
    try:
        if file.stat().st_size > _MAX_BYTES:
            raise DataError(f"{file}: a bench must be at most {_MAX_BYTES >> 20} MB")
        plain = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{file}: {error.strerror}; make one with: unmask data facebench -o DIR") from error
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DataError(f"{file} is no JSON file: {error}") from error
    try:
        table = _keys(plain, ("version", "items"), where="the bench")
        if table["version"] != _VERSION:
            raise DataError(f"version must be {_VERSION}, got {table['version']!r}")
        if not isinstance(table["items"], list) or not table["items"]:
            raise DataError("items must be a list of one or more")
        items = tuple(
            _item(entry, f"item {number}", file.parent) for number, entry in enumerate(table["items"])
        )
    except DataError as error:
        raise DataError(f"{file}: {error}") from error
    return Bench(file.parent, items)


def _keys(entry: object, names: Sequence[str], *, where: str) -> dict[str, Any]:
    if not isinstance(entry, dict):
        raise DataError(f"{where} must be an object, got {entry!r:.60}")
    for key in entry:
        if key not in names:
            raise DataError(f"{where} has an unknown key {key!r}; choose from: {', '.join(names)}")
    for name in names:
        if name not in entry:
            raise DataError(f"{where} must have a key {name!r}")
    return entry


def _item(entry: object, where: str, folder: Path) -> BenchItem:
    table = _keys(entry, [field.name for field in fields(BenchItem)], where=where)
    name = table["file"]
    if not isinstance(name, str) or Path(name).name != name or not (folder / name).is_file():
        raise DataError(f"{where}: file must be a file in the bench's folder, got {name!r}")
    where = f"{where} ({name})"
    for key in ("width", "height"):
        if type(table[key]) is not int or table[key] < 1:
            raise DataError(f"{where}: {key} must be 1 or more, got {table[key]!r}")
    if not isinstance(table["condition"], str) or not _is_number(table["level"]):
        raise DataError(f"{where}: condition must be a text and level a number")
    if not isinstance(table["frames"], list) or not table["frames"]:
        raise DataError(f"{where}: frames must be a list of one or more")
    frames = tuple(
        tuple(_face(face, where, table["width"], table["height"]) for face in frame)
        for frame in table["frames"]
    )
    return BenchItem(name, table["condition"], table["level"], table["width"], table["height"], frames)


def _face(entry: object, where: str, width: int, height: int) -> TrueFace:
    table = _keys(entry, [field.name for field in fields(TrueFace)], where=f"{where}: a face")
    box = table["box"]
    if not (isinstance(box, list) and len(box) == 4 and all(map(_is_number, box))):
        raise DataError(f"{where}: a box must be four numbers, got {box!r}")
    x0, y0, x1, y1 = box
    if not (0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height):
        raise DataError(f"{where}: a box must lie within the {width} x {height} image, got {box}; cut it off")
    if table["kind"] not in KINDS:
        raise DataError(f"{where}: kind must be one of {', '.join(KINDS)}, got {table['kind']!r}")
    if type(table["who"]) is not int or type(table["ignore"]) is not bool:
        raise DataError(f"{where}: who must be a whole number and ignore true or false")
    return TrueFace(table["who"], table["kind"], (x0, y0, x1, y1), table["ignore"])


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _photo_items(xml: Path, folder: Path) -> list[BenchItem]:
    """Boxed photos of an imglab file, copied into the bench."""
    import cv2

    try:
        root = ET.fromstring(xml.read_bytes())
    except OSError as error:
        raise DataError(f"{xml}: {error.strerror}") from error
    except ET.ParseError as error:
        raise DataError(f"{xml} is no imglab XML file: {error}") from error
    items = []
    for entry in root.iter("image"):
        source = xml.parent / Path(entry.get("file", "")).name
        data = source.read_bytes() if source.is_file() else b""
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
        if image is None:
            raise DataError(f"{source}: an unreadable image; take it out of {xml.name}")
        height, width = image.shape[:2]
        faces = []
        for who, box in enumerate(entry.iter("box")):
            left, top, across, down = (
                float(box.get(key, "nan")) for key in ("left", "top", "width", "height")
            )
            if not (0 <= left + across / 2 <= width and 0 <= top + down / 2 <= height):
                raise DataError(f"{source}: a box must lie within the image, got {left, top, across, down}")
            edges = (max(left, 0), max(top, 0), min(left + across, width), min(top + down, height))
            faces.append(TrueFace(who, "person", edges, bool(int(box.get("ignore", "0")))))
        (folder / source.name).write_bytes(data)
        items.append(BenchItem(source.name, "photos", 0.0, width, height, (tuple(faces),)))
    return items
