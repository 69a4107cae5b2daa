"""Packed face crops: tar shards that WebDataset can read, with an index of byte offsets for random access.

A sample is one person in one clip. The tar holds its crops as ``KEY.000.jpg``, ``KEY.001.jpg``, … and then
``KEY.json`` with label, boxes, points, times and confidences; `INDEX_NAME` repeats that in one line a sample
and says where each crop's bytes lie. Random access to 30 crops through the offsets is five times quicker
than loose files.
"""

from __future__ import annotations

import io
import json
import os
import tarfile
import weakref
import zlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from unmask.errors import DataError
from unmask.lab.crops.samples import Sample, describe_sample, moved, parse_sample
from unmask.lab.crops.sums import check_sum
from unmask.types import Floats, Image

INDEX_NAME = "index.jsonl"
JPEG_QUALITY = 96
_BLOCK_BYTES = 512
MAX_OPEN_SHARDS = 64
"""Of one reader. A process may have 1,024 open files as a rule, and a training has several readers."""
TAR_END = bytes(2 * _BLOCK_BYTES)
"""What follows the last sample of a shard."""


def encode_sample(sample: Sample, images: Sequence[Image], *, quality: int | None = JPEG_QUALITY) -> bytes:
    """A sample's part of a tar: every crop, then its description.

    Args:
        sample: ``spans``, ``sums`` and ``shard`` are left out of the description.
        images: RGB crops, one for each time.
        quality: Of JPEG, 1 to 100, colour at full resolution; None for PNG, which loses nothing.

    Returns:
        Whole tar blocks without an end mark; `placed` tells where the crops lie in them.
    """
    return pack_files(sample, [_encode(image, quality) for image in images])


def pack_files(sample: Sample, files: Sequence[tuple[str, bytes]]) -> bytes:
    """A sample's part of a tar from pictures that are encoded already, each an ending and its bytes."""
    plain = describe_sample(sample)
    del plain["spans"], plain["sums"], plain["shard"]
    stream = io.BytesIO()
    with tarfile.TarFile(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for number, (ending, data) in enumerate(files):
            _add(tar, f"{sample.key}.{number:03d}.{ending}", data)
        _add(tar, f"{sample.key}.json", json.dumps(plain, separators=(",", ":")).encode())
        end = tar.offset
    return stream.getvalue()[:end]


def _encode(image: Image, quality: int | None) -> tuple[str, bytes]:
    if quality is None:
        return "png", bytes(cv2.imencode(".png", image[..., ::-1])[1])
    flags = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, 0x111111]
    return "jpg", bytes(cv2.imencode(".jpg", image[..., ::-1], flags)[1])


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))


def placed(sample: Sample, part: bytes, *, crops: int) -> Sample:
    """The sample with its spans and sums: those of the first ``crops`` files of its part of a tar."""
    spans = []
    at = 0
    for _ in range(crops):
        size = int(part[at + 124 : at + 135], 8)  # where a tar header tells the size, in octal digits
        spans.append((at + _BLOCK_BYTES, size))
        at += _BLOCK_BYTES + -(-size // _BLOCK_BYTES) * _BLOCK_BYTES
    sums = [zlib.crc32(part[start : start + size]) for start, size in spans]
    return replace(sample, spans=np.array(spans, np.int64).reshape(-1, 2), sums=np.array(sums, np.uint32))


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
        self._index = (folder / INDEX_NAME).open("a", encoding="utf-8")

    def write(self, sample: Sample, images: Sequence[Image]) -> None:
        """Add a person; ``spans``, ``sums`` and ``shard`` are filled in here.

        Args:
            sample: All other fields are taken as given.
            images: RGB crops, one for each time.
        """
        part = encode_sample(sample, images)
        stored = placed(sample, part, crops=len(images))
        line = describe_sample(moved(stored, shard=self._name, offset=self._file.tell()))
        self._file.write(part)
        self._file.flush()
        self._index.write(json.dumps(line) + "\n")
        self._index.flush()

    def close(self) -> None:
        """Finish the tar and the index; `contextlib.closing` calls it."""
        self._file.write(TAR_END)
        self._file.close()
        self._index.close()


def read_index(folder: Path) -> list[Sample]:
    """All samples of a folder of shards, in the order in which they are stored.

    Raises:
        DataError: The index is missing, was changed, or a line of it is no sample.
    """
    file = folder / INDEX_NAME
    if not file.is_file():
        raise DataError(f"{folder} must hold {INDEX_NAME}; make it with: unmask extract VIDEOS -o {folder}")
    check_sum(folder, INDEX_NAME)
    samples = []
    with file.open("rb") as lines:  # what is no text is found where its line is read
        for number, line in enumerate(lines, start=1):
            try:
                samples.append(parse_sample(json.loads(line)))
            except (ValueError, RecursionError) as error:
                raise DataError(f"{file}: line {number} is no sample: {error}") from error
    return samples


def check_shards(folder: Path, samples: Sequence[Sample]) -> None:
    """Hold the size of every shard against the index, without reading it.

    Raises:
        DataError: A shard is missing or cut short; it is named, with how many people are left in it.
    """
    by_shard: dict[str, list[Sample]] = {}
    for sample in samples:
        by_shard.setdefault(sample.shard, []).append(sample)
    for name, stored in by_shard.items():
        file = folder / name
        size = file.stat().st_size if file.is_file() else 0
        whole = sum(sample.end <= size for sample in stored)
        if whole < len(stored):
            raise DataError(
                f"{file} must hold {len(stored)} people, {whole} are left in its {size} bytes: it is cut"
                " short; extract again into an empty folder"
            )


class CropReader:
    """Reads crops by sample and number, from any thread; keeps the shards open that it read last.

    Args:
        folder: The folder that `read_index` read.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._shards: OrderedDict[str, _Shard] = OrderedDict()

    def __reduce__(self) -> tuple[type[CropReader], tuple[Path]]:
        """For another process, which opens shards of its own."""
        return type(self), (self._folder,)

    def read(self, sample: Sample, number: int) -> tuple[Image, Floats]:
        """One crop, RGB, and its key points in its pixels, shape (5, 2).

        Raises:
            DataError: The shard is cut short or changed, or the bytes are no picture.
        """
        start, length = (int(value) for value in sample.spans[number])
        data = self._open(sample.shard).read(length, start)
        picture = decode_crop(data) if len(data) == length and is_whole(sample, number, data) else None
        if picture is None:
            raise DataError(
                f"{self._folder / sample.shard}: crop {number} of {sample.key} is cut short or damaged;"
                " extract it again"
            )
        return picture, np.array(sample.points[number], np.float32)

    def _open(self, name: str) -> _Shard:
        """The shard, which is now the one that was read last; each step by itself is safe among threads."""
        shard = self._shards.pop(name, None)
        if shard is None:
            try:
                shard = _Shard(self._folder / name)
            except OSError as error:
                raise DataError(f"{self._folder / name}: {error.strerror}") from error
        self._shards[name] = shard
        if len(self._shards) > MAX_OPEN_SHARDS:
            self._shards.popitem(last=False)
        return shard


class _Shard:
    """An open shard. It is closed when nobody holds it any more, so never under a thread that reads it."""

    def __init__(self, file: Path) -> None:
        self._descriptor = os.open(file, os.O_RDONLY)
        self._close = weakref.finalize(self, os.close, self._descriptor)

    def read(self, length: int, start: int) -> bytes:
        """Without a position of its own, which threads and forked processes would share."""
        return os.pread(self._descriptor, length, start)


def is_whole(sample: Sample, number: int, data: bytes) -> bool:
    """Whether these are the bytes of a crop that were stored, as far as the index tells."""
    return not len(sample.sums) or zlib.crc32(data) == int(sample.sums[number])


def decode_crop(data: bytes) -> Image | None:
    """RGB from the bytes of a JPEG or PNG; None where they are none."""
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    return None if picture is None else np.ascontiguousarray(picture[..., ::-1], np.uint8)
