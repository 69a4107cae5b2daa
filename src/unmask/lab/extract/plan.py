"""The plan of an extraction: which videos, in which order, in which shard, and whose boxes serve whom.

Everything here is a function of the list of videos and the settings, so that every run of the same
extraction has the same plan, and every video the same place.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from unmask.archive.plan import share_out
from unmask.config import DecodeSettings, DetectSettings, TrackSettings
from unmask.errors import DataError, require
from unmask.lab.crops.samples import make_key
from unmask.lab.crops.shards import JPEG_QUALITY
from unmask.lab.datasets.collection import LabelledFile
from unmask.version import __version__

if TYPE_CHECKING:
    from pandas import DataFrame

_READABLE = ("ok", "unlisted", "")


@dataclass(frozen=True, slots=True)
class ExtractSettings:
    """What is cut out of each video, and how it is stored.

    Attributes:
        frames: Sampled from each video, evenly spread.
        max_side_px: Largest crop that is stored; a face is stored at its own size up to there.
        min_side_px: Median of the longer side of a face's box, below which it is left out.
        quality: Of JPEG, 1 to 100; None stores PNG, which loses nothing and takes about four times the space.
        reuse_boxes: Let the boxes found on an original serve its fakes where they fit.
        videos_per_shard: How many videos share a tar; an original and its fakes are never parted.
        detect: Face detection.
        track: Linking faces into people.
    """

    frames: int = 30
    max_side_px: int = 360
    min_side_px: int = 48
    quality: int | None = JPEG_QUALITY
    reuse_boxes: bool = True
    videos_per_shard: int = 128
    detect: DetectSettings = field(default_factory=DetectSettings)
    track: TrackSettings = field(default_factory=TrackSettings)

    def __post_init__(self) -> None:
        require(32 <= self.max_side_px <= 2048, "max_side_px must be 32 to 2048", self.max_side_px)
        require(self.min_side_px >= 0, "min_side_px must be 0 or more", self.min_side_px)
        require(self.quality is None or 1 <= self.quality <= 100, "quality must be 1 to 100", self.quality)
        require(self.videos_per_shard >= 1, "videos_per_shard must be 1 or more", self.videos_per_shard)
        _ = self.decode  # checks the frames

    @property
    def decode(self) -> DecodeSettings:
        """One thread: many videos at a time need no more, and it gives the same pixels everywhere."""
        return DecodeSettings(frames=self.frames, threads=1)


@dataclass(frozen=True, slots=True)
class Video:
    """One video, or photo, as the plan knows it.

    Attributes:
        name: Unique in the plan; as in the video index.
        path: What opens it, see `unmask.archive.sources`.
        source: Collection or part.
        label: ``REAL``, ``FAKE`` or empty.
        original: Name of the real video that a fake was made from; its own for others.
        identity: Who is in it, as far as is known; else what it goes back to.
        split: As in the video index; may be empty.
        problem: Why it need not be tried; empty for all others.
    """

    name: str
    path: str
    source: str = ""
    label: str = ""
    original: str = ""
    identity: str = ""
    split: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """All videos in the order in which they are stored.

    Attributes:
        videos: The videos.
        keys: What their samples' keys begin with; unique.
        origins: The key of the video that each goes back to; its own for a real one.
        leaders: For each video the number of the one whose boxes it may take; its own for a leader.
        shards: For each video the number of its shard, rising.
        digest: SHA-256 of all that decides what is stored.
        settings: What the plan was made with.
    """

    videos: tuple[Video, ...]
    keys: tuple[str, ...]
    origins: tuple[str, ...]
    leaders: tuple[int, ...]
    shards: tuple[int, ...]
    digest: str
    settings: ExtractSettings

    def __len__(self) -> int:
        return len(self.videos)


def make_plan(videos: Sequence[Video], settings: ExtractSettings) -> Plan:
    """Order videos by part and family, and share them out among shards.

    A family is an original and its fakes. It is led by the original, or, when that is not there, by the
    first fake, since all of them show the same scene.

    Args:
        videos: In any order.
        settings: What to cut.

    Raises:
        DataError: There are no videos, or two with one name.

    >>> fake = Video("b.mp4", "/b.mp4", original="c.mp4")
    >>> videos = [fake, Video("c.mp4", "/c.mp4"), Video("a.mp4", "/a.mp4")]
    >>> plan = make_plan(videos, ExtractSettings(videos_per_shard=2))
    >>> [video.name for video in plan.videos], plan.leaders, plan.shards
    (['a.mp4', 'c.mp4', 'b.mp4'], (0, 1, 1), (0, 1, 1))
    """
    if not videos:
        raise DataError("an extraction needs at least one video, got none")
    twice = [name for name, count in Counter(video.name for video in videos).items() if count > 1]
    if twice:
        raise DataError(f"videos must have different names, got {twice[0]!r} more than once")
    families: dict[str, list[Video]] = {}
    for video in videos:
        families.setdefault(video.original or video.name, []).append(video)
    for original, members in families.items():
        members.sort(key=lambda video: (bool(video.problem), video.name != original, video.name))
    ordered: list[Video] = []
    leaders: list[int] = []
    shards: list[int] = []
    in_order = [
        members for _, members in sorted(families.items(), key=lambda item: (item[1][0].source, item[0]))
    ]
    for members, shard in zip(
        in_order, share_out(map(len, in_order), per_shard=settings.videos_per_shard), strict=True
    ):
        leaders += [len(ordered)] * len(members)
        shards += [shard] * len(members)
        ordered += members
    keys = _make_keys(ordered)
    key_of = {video.name: key for video, key in zip(ordered, keys, strict=True)}
    origins = tuple(key_of.get(v.original or v.name) or _key(v.source, v.original) for v in ordered)
    digest = _digest(ordered, settings)
    return Plan(tuple(ordered), keys, origins, tuple(leaders), tuple(shards), digest, settings)


def _key(source: str, name: str) -> str:
    """A name for samples: no dot, nothing that a file system minds, short enough for a tar header."""
    stem = str(PurePosixPath(name).with_suffix(""))
    full = stem if not source or stem.startswith(f"{source}/") else f"{source}_{stem}"
    return make_key(full)


def _make_keys(videos: Sequence[Video]) -> tuple[str, ...]:
    keys = [_key(video.source, video.name) for video in videos]
    often = Counter(keys)
    return tuple(
        key if often[key] == 1 else f"{key}-{hashlib.sha256(video.name.encode()).hexdigest()[:8]}"
        for key, video in zip(keys, videos, strict=True)
    )


def _digest(videos: Sequence[Video], settings: ExtractSettings) -> str:
    """Not of the paths: a data set may move between two runs."""
    digest = hashlib.sha256(json.dumps([__version__, asdict(settings)], sort_keys=True).encode())
    for v in videos:
        facts = (v.name, v.source, v.label, v.original, v.identity, v.split, v.problem)
        digest.update(json.dumps(facts).encode())
    return digest.hexdigest()


def videos_of_index(frame: DataFrame, *, source: str | None = None) -> list[Video]:
    """The videos of a video index; rows that are missing, damaged or duplicate come with their problem.

    Args:
        frame: From `unmask.data.index`.
        source: What to call the collection; None takes each row's part.
    """
    columns = ("path", "part", "label", "original", "person", "split", "status", "why")
    texts = {name: frame[name].fillna("").astype(str).tolist() for name in columns if name in frame}
    empty = [""] * len(frame)
    videos = []
    seen: Counter[str] = Counter()
    for number, name in enumerate(frame.index.astype(str)):
        row = {column: texts.get(column, empty)[number] for column in columns}
        problem = "" if row["status"] in _READABLE else row["status"]
        if problem and row["why"]:
            problem += f": {row['why']}"
        original = row["original"] or name
        seen[name] += 1
        videos.append(
            Video(
                name=name if seen[name] == 1 else f"{name}#{seen[name]}",
                path=row["path"],
                source=row["part"] if source is None else source,
                label=row["label"],
                original=original,
                identity=row["person"] or str(PurePosixPath(original).with_suffix("")),
                split=row["split"],
                problem=problem,
            )
        )
    return videos


def videos_of_collection(sources: Sequence[LabelledFile]) -> list[Video]:
    """The videos and photos of collections, named ``COLLECTION/FILE``."""
    return [
        Video(
            name=f"{source.collection}/{source.name}",
            path=str(source.path),
            source=source.collection,
            label=source.label,
            original=f"{source.collection}/{source.original}",
            identity=PurePosixPath(source.original).stem,
        )
        for source in sources
    ]
