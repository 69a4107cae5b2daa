"""What a worker does: one video in, its part of a shard and its record out."""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from unmask.archive.sources import Opener
from unmask.config import CropSettings
from unmask.errors import DataError, MediaError
from unmask.faces.crop import common_side, cut_crops, median_side
from unmask.faces.detect import FaceDetector, load_detector
from unmask.faces.find import find_people
from unmask.lab.crops.samples import STORED_MARGIN_FRACTION, Sample, describe_sample
from unmask.lab.crops.shards import encode_sample, placed
from unmask.lab.extract.guide import Guide, why_not
from unmask.lab.extract.plan import ExtractSettings, Video
from unmask.reasons import Reason, because
from unmask.types import Clip, Crops, Track
from unmask.video import open_film, read_stretches
from unmask.video.reading import read_evenly
from unmask.video.stretches import SHORT_SECONDS
from unmask.work.each import Tell

DONE, NO_FACE, UNREADABLE, ERROR = "done", "no_face", "unreadable", "error"


@dataclass(frozen=True, slots=True)
class VideoTask:
    """One video for a worker.

    Attributes:
        number: In the plan.
        video: What to read.
        key: What its samples' keys begin with.
        origin: The same of the video that it goes back to.
        leads: Whether other videos may take its boxes.
        guide: Boxes that may serve it, as `Guide.to_dict` gives them.
    """

    number: int
    video: Video
    key: str
    origin: str
    leads: bool = False
    guide: dict[str, Any] | None = None

    @property
    def name(self) -> str:
        """Of the video."""
        return self.video.name


@dataclass(frozen=True, slots=True)
class Extracted:
    """What came of one video.

    Attributes:
        record: What is to be known of it: a line of the manifest.
        blob: What is to be kept: a line of JSON with the record, samples and guide, then tar blocks.
        cpu_seconds: What it took, of all threads.
    """

    record: dict[str, Any]
    blob: bytes
    cpu_seconds: float = 0.0


def make_extracted(
    record: dict[str, Any], samples: Sequence[Sample] = (), tar: bytes = b"", guide: Guide | None = None
) -> Extracted:
    """A part from its contents; ``spans`` of the samples count from the beginning of ``tar``."""
    head = {
        "record": record,
        "samples": [_line(sample) for sample in samples],
        "guide": None if guide is None else guide.to_dict(),
        "bytes": len(tar),
        "crc32": zlib.crc32(tar),
    }
    return Extracted(record, json.dumps(head, separators=(",", ":")).encode() + b"\n" + tar)


def _line(sample: Sample) -> tuple[str, list[list[int]]]:
    """A line of the index of offsets as far as it is known, and the spans, which will move.

    Kept as text, or joining the parts of a large data set would spend its time on numbers.
    """
    plain = describe_sample(sample)
    spans: list[list[int]] = plain.pop("spans")
    del plain["shard"]
    return json.dumps(plain, separators=(",", ":"))[:-1], spans


def make_record(video: Video, status: str, reason: Reason | None = None, **more: Any) -> dict[str, Any]:
    """A line of the manifest.

    Args:
        video: Which.
        status: ``done``, ``no_face``, ``unreadable``, or ``error`` where unmask itself failed.
        reason: Why it is not done; None when it is.
        more: ``people``, ``crops``, ``frames``, ``damage`` and ``boxes`` where they are known.
    """
    known = {"people": 0, "crops": 0, "frames": 0, "damage": "", "boxes": ""} | more
    told = {"reason": str(reason or ""), "reason_code": reason.code if reason else ""}
    return {"name": video.name, "status": status} | told | known


@dataclass(slots=True)
class _Cut:
    """What was cut out of a clip, or of the stretches of a long one.

    Attributes:
        frames: How many were looked at.
        damage: The first that was seen, or None.
        boxes: Whose boxes the faces were found by.
        why_nobody: Why nobody is stored, in the first stretch.
        samples: One a person, with spans in ``tar``.
        tar: Their crops.
        numbered: How many numbers of people are taken.
        guide: For other videos.
    """

    frames: int
    damage: Reason | None
    boxes: str
    why_nobody: Reason | None = None
    samples: list[Sample] = field(default_factory=list)
    tar: bytearray = field(default_factory=bytearray)
    numbered: int = 0
    guide: Guide | None = None

    def store(self, sample: Sample, part: bytes) -> None:
        """Append a sample whose spans count from the beginning of its part."""
        self.samples.append(replace(sample, spans=sample.spans + np.array([len(self.tar), 0])))
        self.tar += part

    def add(self, later: _Cut) -> None:
        """Append what was cut out of the stretch that follows."""
        for sample in later.samples:
            self.samples.append(replace(sample, spans=sample.spans + np.array([len(self.tar), 0])))
        self.tar += later.tar
        self.frames, self.numbered = self.frames + later.frames, later.numbered
        self.damage = self.damage or later.damage

    def part(self, task: VideoTask) -> Extracted:
        """What a worker hands over."""
        known: dict[str, Any] = {"frames": self.frames, "damage": str(self.damage or ""), "boxes": self.boxes}
        if not self.samples:
            return make_extracted(make_record(task.video, NO_FACE, self.why_nobody, **known))
        crops = sum(map(len, self.samples))
        record = make_record(task.video, DONE, people=len(self.samples), crops=crops, **known)
        return make_extracted(record, self.samples, bytes(self.tar), self.guide)


@dataclass(frozen=True, slots=True)
class Extractor:
    """Cuts the people out of videos; holds what is loaded once."""

    settings: ExtractSettings
    detector: FaceDetector
    opener: Opener

    def __call__(self, task: VideoTask, _: Tell | None = None) -> Extracted:
        """Do one video.

        Args:
            task: Which.

        Raises:
            DataError: Its file cannot be had just now; whether it is any good is not known.
        """
        start = time.process_time()
        with self.opener.local(task.video.path) as path:
            if not path.exists():
                raise DataError(f"{task.video.path}: no such file")
            try:
                part = self._do(task, path)
            except MediaError as error:
                part = make_extracted(
                    make_record(task.video, ERROR if error.of_machine else UNREADABLE, error.reason)
                )
        return replace(part, cpu_seconds=time.process_time() - start)

    def _do(self, task: VideoTask, path: Path) -> Extracted:
        """A short clip as a whole, a longer one stretch by stretch, each face in each a person of its own."""
        film = open_film(path, self.settings.decode)
        stretches = read_stretches(film)
        first = next(stretches)
        whole = first.is_whole
        if not whole and first.until_seconds - first.since_seconds <= SHORT_SECONDS:
            first = replace(first, clip=read_evenly(film))
            whole = True
        if whole:
            return self._cut(task, first.clip).part(task)
        found = self._cut(replace(task, guide=None, leads=False), first.clip)
        del first  # or its pixels would stay while the next one is decoded
        for stretch in stretches:
            found.add(self._cut(replace(task, guide=None, leads=False), stretch.clip, people=found.numbered))
        return found.part(task)

    def _cut(self, task: VideoTask, clip: Clip, *, people: int = 0) -> _Cut:
        """What is to be stored of a clip before whose people so many others were numbered."""
        tracks, boxes = self._find(clip, task.guide)
        found = _Cut(frames=len(clip.frames), damage=clip.damage, boxes=boxes)
        kept, sizes = self._choose(clip, tracks)
        found.numbered = people + 1 + max((track.id for track in tracks), default=-1)
        if not kept:
            found.why_nobody = self._why_nobody(tracks)
            return found
        for track, crops in zip(kept, cut_crops(clip, kept, sizes), strict=True):
            sample = _describe(task, track, replace(crops, track_id=people + crops.track_id))
            part = encode_sample(
                sample, list(crops.images.transpose(0, 2, 3, 1)), quality=self.settings.quality
            )
            found.store(placed(sample, part, crops=len(crops)), part)
        found.guide = Guide.of(task.video.name, clip, kept) if task.leads else None
        return found

    def _find(self, clip: Clip, plain: dict[str, Any] | None) -> tuple[tuple[Track, ...], str]:
        """The people, and whose boxes they were found by."""
        told = "own"
        if plain is not None:
            guide = Guide.from_dict(plain)
            problem = why_not(guide, clip, self.detector, self.settings.detect)
            if problem is None:
                return guide.tracks, f"of {guide.name}"
            told = f"own, as those of {guide.name} do not fit: {problem}"
        return find_people(clip, self.detector, self.settings.detect, self.settings.track), told

    def _choose(self, clip: Clip, tracks: Sequence[Track]) -> tuple[list[Track], list[CropSettings]]:
        """Who is stored, and how large."""
        chosen = []
        at_most = CropSettings(margin_fraction=STORED_MARGIN_FRACTION, common_px=self.settings.max_side_px)
        for track in tracks:
            if track.kept and median_side(track.faces) >= self.settings.min_side_px:
                size_px = common_side(track.faces, at_most)
                chosen.append((track, CropSettings(size_px, STORED_MARGIN_FRACTION)))
        if clip.is_image:
            # A photo is of one person; a second, smaller face is a passer-by or a poster.
            chosen = sorted(chosen, key=lambda item: -item[1].size_px)[:1]
        return [track for track, _ in chosen], [size for _, size in chosen]

    def _why_nobody(self, tracks: Sequence[Track]) -> Reason:
        if not tracks:
            return because("no_face")
        longest = max(tracks, key=lambda track: len(track.faces))
        if longest.dropped:
            return longest.dropped
        return because(
            "short_side", px=round(median_side(longest.faces), 6), least_px=self.settings.min_side_px
        )


def load_extractor(settings: ExtractSettings) -> Extractor:
    """Load the detector, once for a worker.

    Raises:
        ModelError: Its weights cannot be used.
    """
    cv2.setNumThreads(1)  # many workers side by side need no more
    return Extractor(settings, load_detector(settings.detect), Opener())


def _describe(task: VideoTask, track: Track, crops: Crops) -> Sample:
    return Sample(
        key=f"{task.key}-p{crops.track_id}",
        label=task.video.label,
        identity=task.video.identity,
        original=f"{task.origin}-p{crops.track_id}",
        source=task.video.source,
        shard="",
        times_seconds=crops.times_seconds,
        points=crops.points,
        spans=np.empty((0, 2), np.int64),
        split=task.video.split,
        video=task.video.name,
        boxes=crops.boxes,
        confidences=np.array([face.confidence for face in track.faces], np.float32),
    )
