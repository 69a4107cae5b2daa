"""What is known of a stored person (label, identity, framing, where its crops lie), as object and as JSON."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unmask.errors import DataError
from unmask.types import Floats

STORED_MARGIN_FRACTION = 1.0  # crops are twice as wide as the face box, to leave room for jitter
MAX_KEY = 70


def make_key(name: str) -> str:
    """A name as a sample's key: without what a tar, its reader or a file system minds.

    >>> make_key("a b.mp4")
    'a_b_mp4'
    """
    return re.sub(r"[^A-Za-z0-9_-]", "_", name)[-MAX_KEY:]


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One person in one clip, as stored.

    Attributes:
        key: Unique name, without a dot.
        label: ``REAL`` or ``FAKE``, or empty where nobody knows.
        identity: Who it is, or the clip's name where that is unknown; never on both sides of a split.
        original: Key of the clip that a fake was made from; its own name for a real one.
        source: Which collection or part it comes from.
        shard: File name of its tar.
        times_seconds: Container time of each crop, shape (T,), float64.
        points: Five key points of each crop in its pixels, shape (T, 5, 2).
        spans: Offset and length of each crop's file in the tar, shape (T, 2), int64.
        split: Of the clip, as in the video index; may be empty.
        video: Path of the clip, as in the video index; may be empty.
        boxes: Face boxes in pixels of the upright frame, shape (T, 4); (0, 4) in old indexes.
        confidences: The detector's, 0 to 1, shape (T,); (0,) in old indexes.
        margin_fraction: How much of the face's surroundings is stored, as in `unmask.config.CropSettings`.
        sums: CRC-32 of each crop's file, shape (T,), uint32; (0,) in old indexes.
        aligned: Whether a fake shows the same frames, cut alike, as the sample that is its ``original``.
    """

    key: str
    label: str
    identity: str
    original: str
    source: str
    shard: str
    times_seconds: NDArray[np.float64]
    points: Floats
    spans: NDArray[np.int64]
    split: str = ""
    video: str = ""
    boxes: Floats = field(default_factory=lambda: np.empty((0, 4), np.float32))
    confidences: Floats = field(default_factory=lambda: np.empty(0, np.float32))
    margin_fraction: float = STORED_MARGIN_FRACTION
    sums: NDArray[np.uint32] = field(default_factory=lambda: np.empty(0, np.uint32))
    aligned: bool = False

    def __len__(self) -> int:
        return len(self.times_seconds)

    @property
    def has_points(self) -> bool:
        """Whether the key points are known; of faces that came cut out already they are not, and are NaN."""
        return bool(np.isfinite(self.points).all())

    @property
    def end(self) -> int:
        """Offset in the shard where its last crop ends."""
        return int(self.spans[-1].sum()) if len(self.spans) else 0


_ARRAYS: dict[str, tuple[type, tuple[int, ...], int]] = {
    "times_seconds": (np.float64, (-1,), 6),
    "points": (np.float32, (-1, 5, 2), 2),
    "spans": (np.int64, (-1, 2), 0),
    "boxes": (np.float32, (-1, 4), 2),
    "confidences": (np.float32, (-1,), 4),
    "sums": (np.uint32, (-1,), 0),
}
"""Type, shape and stored decimal places of the fields that hold an array."""


_RARE: dict[str, Any] = {"margin_fraction": STORED_MARGIN_FRACTION, "aligned": False}
"""Fields that are stored only where they differ from this."""


def describe_sample(sample: Sample) -> dict[str, Any]:
    """A sample as plain JSON types, numbers rounded: points and boxes to 0.01 px, times to microseconds."""
    plain = {item.name: getattr(sample, item.name) for item in fields(Sample)}
    for name, (_, _, places) in _ARRAYS.items():
        values = plain[name]
        plain[name] = (values if places == 0 else np.round(values.astype(np.float64), places)).tolist()
    if not sample.has_points:  # JSON has no NaN
        del plain["points"]
    for name, usual in _RARE.items():
        if plain[name] == usual:
            del plain[name]
    return plain


def parse_sample(plain: dict[str, Any]) -> Sample:
    """The sample that `describe_sample` described; fields that came later may be missing.

    Raises:
        DataError: A field is missing, unknown or of the wrong kind.
    """
    try:
        arrays: dict[str, Any] = {
            name: np.array(plain[name], kind).reshape(shape)
            for name, (kind, shape, _) in _ARRAYS.items()
            if name in plain
        }
        if "points" not in plain:
            arrays["points"] = np.full((len(arrays["times_seconds"]), 5, 2), np.nan, np.float32)
        sample = Sample(**(plain | arrays))
        if not len(sample.times_seconds) == len(sample.points) == len(sample.spans):
            raise ValueError("times, points and spans differ in length")
        if len(sample.sums) not in (0, len(sample.spans)):
            raise ValueError("sums and spans differ in length")
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise DataError(f"is no sample: {error}") from error
    return sample


def moved(sample: Sample, *, shard: str, offset: int) -> Sample:
    """The sample with its shard's name and its spans moved to where its part begins in that shard."""
    return replace(sample, shard=shard, spans=sample.spans + np.array([offset, 0]))
