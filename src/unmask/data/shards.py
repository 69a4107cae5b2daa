"""Packed face crops: tar shards that WebDataset can read, with an index of byte offsets for random access.

A sample is one person in one clip. Its key is ``SOURCE_CLIP-pID``; the tar holds ``KEY.000.jpg``,
``KEY.001.jpg``, … and the index one JSON line a sample with label, identity, original, times, key points
and where each picture's bytes lie. Random access to 30 crops through the offsets is five times quicker
than loose files.
"""

from __future__ import annotations

import io
import json
import os
import tarfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np

from unmask.errors import DataError
from unmask.types import Floats, Image

INDEX_NAME = "index.jsonl"
JPEG_QUALITY = 96
STORED_MARGIN_FRACTION = 1.0  # crops are twice as wide as the face box, to leave room for jitter


@dataclass(frozen=True, slots=True)
class Sample:
    """One person in one clip, as stored.

    Attributes:
        key: Unique name.
        label: ``REAL`` or ``FAKE``.
        identity: Who it is, or the clip's name where that is unknown; never on both sides of a split.
        original: Key of the clip that a fake was made from; its own name for a real one.
        source: Which collection it comes from.
        shard: File name of its tar.
        times_seconds: Container time of each crop.
        points: Five key points of each crop in its pixels, T x 5 x 2.
        spans: Offset and length of each crop's JPEG in the tar, T x 2.
    """

    key: str
    label: str
    identity: str
    original: str
    source: str
    shard: str
    times_seconds: tuple[float, ...]
    points: tuple[tuple[tuple[float, float], ...], ...]
    spans: tuple[tuple[int, int], ...]

    def __len__(self) -> int:
        return len(self.spans)


class ShardWriter:
    """Writes one shard; the index line of a sample is written after its pictures are on disk.

    Args:
        folder: Where shards and index lie; made if absent.
        name: File name of this shard, such as ``crops-00000.tar``.
    """

    def __init__(self, folder: Path, *, name: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._name = name
        self._file = (folder / name).open("wb")
        self._tar = tarfile.TarFile(fileobj=self._file, mode="w", format=tarfile.USTAR_FORMAT)
        self._index = (folder / INDEX_NAME).open("a", encoding="utf-8")

    def write(self, sample: Sample, images: Sequence[Image]) -> None:
        """Add a person; ``sample.spans`` and ``sample.shard`` are filled in here.

        Args:
            sample: All fields but spans and shard are taken as given.
            images: RGB crops, one for each time.
        """
        spans = []
        for number, image in enumerate(images):
            flags = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, 0x111111]
            _, data = cv2.imencode(".jpg", image[..., ::-1], flags)
            info = tarfile.TarInfo(f"{sample.key}.{number:03d}.jpg")
            info.size = len(data)
            self._tar.addfile(info, io.BytesIO(data.tobytes()))
            spans.append((self._file.tell() - -(-len(data) // 512) * 512, len(data)))
        self._file.flush()
        line = asdict(sample) | {"spans": spans, "shard": self._name}
        self._index.write(json.dumps(line) + "\n")
        self._index.flush()

    def close(self) -> None:
        """Finish the tar and the index; `contextlib.closing` calls it."""
        self._tar.close()
        self._file.close()
        self._index.close()


def read_index(folder: Path) -> list[Sample]:
    """All samples of a folder of shards, in the order they were written.

    Raises:
        DataError: The index is missing, or a line of it is no sample.
    """
    file = folder / INDEX_NAME
    if not file.is_file():
        raise DataError(f"{folder} must hold {INDEX_NAME}; make it with: unmask data pack VIDEOS -o {folder}")
    samples = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            fields = json.loads(line)
            spans = tuple((int(start), int(length)) for start, length in fields.pop("spans"))
            points = tuple(tuple((float(x), float(y)) for x, y in face) for face in fields.pop("points"))
            times = tuple(float(time) for time in fields.pop("times_seconds"))
            samples.append(Sample(**fields, spans=spans, points=points, times_seconds=times))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise DataError(f"{file}: line {number} is no sample: {error}") from error
    return samples


class CropReader:
    """Reads crops by sample and number; opens each shard once for a process.

    Args:
        folder: The folder that `read_index` read.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, int] = {}

    def read(self, sample: Sample, number: int) -> tuple[Image, Floats]:
        """One crop, RGB, and its key points in its pixels, shape (5, 2).

        Raises:
            DataError: The shard is cut short or the bytes are no picture.
        """
        descriptor = self._files.get(sample.shard)
        if descriptor is None:
            try:
                descriptor = os.open(self._folder / sample.shard, os.O_RDONLY)
            except OSError as error:
                raise DataError(f"{self._folder / sample.shard}: {error.strerror}") from error
            self._files[sample.shard] = descriptor
        start, length = sample.spans[number]
        data = os.pread(descriptor, length, start)
        picture = (
            cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if len(data) == length else None
        )
        if picture is None:
            raise DataError(
                f"{self._folder / sample.shard}: crop {number} of {sample.key} is cut short or damaged"
            )
        return np.ascontiguousarray(picture[..., ::-1]), np.array(sample.points[number], np.float32)
