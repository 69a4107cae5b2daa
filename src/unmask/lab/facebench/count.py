"""How well faces are found, on a bench where it is known who is where.

Two things are counted apart. What the *detector* finds: every face, of a person or on a picture, is right to
find; all else is false. What is *kept*: only the faces of people, in tracks of one person each.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from unmask.config import DecodeSettings, ScanSettings
from unmask.errors import DataError
from unmask.faces.boxes import iou
from unmask.faces.detect import FaceDetector, detect_faces, load_detector
from unmask.faces.track import link_faces
from unmask.lab.facebench.bench import Bench, BenchItem, TrueFace
from unmask.types import Clip, Face, Track
from unmask.video import read_clip

SAME_IOU = 0.3
"""Overlap from which a found box is a true face; detectors frame faces differently."""
Finder = Callable[[Clip], Sequence[Sequence[Face]]]
"""Any way to find faces: for each frame of a clip those in it."""


@dataclass(slots=True)
class FaceCounts:
    """What was counted, over any number of items.

    Attributes:
        frames: Looked at.
        people: Faces of people that should be found.
        detected: Of these, those that the detector found.
        kept: Of these, those that are in a kept track.
        false_faces: Faces in kept tracks that are none of a person.
        false_people: Kept tracks most of whose faces are none of a person.
        in_tracks: Faces in kept tracks of people, and of these those of the track's own person.
        complete: Faces of people, and of these those in the person's longest track.
        marks: Confidence of each detection, and whether it is a face.
        cpu_seconds: Of detection and tracking.
    """

    frames: int = 0
    people: int = 0
    detected: int = 0
    kept: int = 0
    false_faces: int = 0
    false_people: int = 0
    in_tracks: tuple[int, int] = (0, 0)
    complete: tuple[int, int] = (0, 0)
    marks: list[tuple[float, bool]] = field(default_factory=list)
    cpu_seconds: float = 0.0

    def add(self, other: FaceCounts) -> None:
        """Count another's in."""
        for name in ("frames", "people", "detected", "kept", "false_faces", "false_people", "cpu_seconds"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("in_tracks", "complete"):
            mine, theirs = getattr(self, name), getattr(other, name)
            setattr(self, name, (mine[0] + theirs[0], mine[1] + theirs[1]))
        self.marks += other.marks

    @property
    def recall(self) -> float:
        """Share of people's faces that are kept; 1 where there is nobody."""
        return self.kept / self.people if self.people else 1.0

    @property
    def purity(self) -> float:
        """Share of the faces in people's tracks that are of the track's own person."""
        return self.in_tracks[1] / self.in_tracks[0] if self.in_tracks[0] else 1.0

    @property
    def completeness(self) -> float:
        """Share of people's faces that are in the person's longest track."""
        return self.complete[1] / self.complete[0] if self.complete[0] else 1.0

    @property
    def score(self) -> float:
        """F1 of the kept faces; without people, one minus the false faces a frame, at least 0."""
        if self.people:
            return 2 * self.kept / (self.people + self.kept + self.false_faces)
        return max(0.0, 1 - self.false_faces / max(self.frames, 1))


def load_clips(bench: Bench) -> dict[str, Clip]:
    """Decode all items of a bench, once for many trials.

    Raises:
        DataError: A clip has another number of frames or another size than the bench says.
        MediaError: One cannot be read.
    """
    clips = {}
    for item in bench.items:
        clip = read_clip(bench.folder / item.file, DecodeSettings(frames=len(item.frames), threads=1))
        sizes = {(frame.width, frame.height) for frame in clip.frames}
        if len(clip.frames) != len(item.frames) or sizes != {(item.width, item.height)}:
            raise DataError(
                f"{item.file}: the bench says {len(item.frames)} frames of {item.width} x {item.height}, "
                f"the file has {len(clip.frames)} of {sizes}; make the bench again"
            )
        clips[item.file] = clip
    return clips


def count_faces(
    bench: Bench, clips: Mapping[str, Clip], settings: ScanSettings, *, detector: FaceDetector | None = None
) -> dict[tuple[str, float], FaceCounts]:
    """Run detection and tracking over a bench.

    Args:
        bench: With the truth.
        clips: From `load_clips`.
        settings: Detection and tracking.
        detector: None loads the one that the settings name.

    Returns:
        Counts by condition and level, in the order of the bench.
    """
    detector = detector or load_detector(settings.detect)
    found: dict[tuple[str, float], FaceCounts] = defaultdict(FaceCounts)
    for item in bench.items:
        clip = clips[item.file]
        start = time.process_time()
        faces = detect_faces(clip, detector, settings.detect)
        tracks = link_faces(clip, faces, settings.track)
        spent = time.process_time() - start
        counts = count_item(item, faces, tracks)
        counts.cpu_seconds = spent
        found[item.condition, item.level].add(counts)
    return dict(found)


def count_item(
    item: BenchItem, faces: Sequence[Sequence[Face]], tracks: Sequence[Track] | None
) -> FaceCounts:
    """Compare what was found in one item with the truth.

    Args:
        item: The truth.
        faces: For each frame what the detector found.
        tracks: From `link_faces`; None for a detector without tracking, all of whose faces are kept.
    """
    counts = FaceCounts(frames=len(item.frames))
    for index, truth in enumerate(item.frames):
        matches = match_truth(faces[index], truth)
        people = {n for n, true in enumerate(truth) if true.kind == "person" and not true.ignore}
        counts.people += len(people)
        counts.detected += len(people & set(matches.values()))
        ignored = {n for n, true in enumerate(truth) if true.ignore}
        counts.marks += [
            (face.confidence, row in matches)
            for row, face in enumerate(faces[index])
            if matches.get(row) not in ignored
        ]
    alone = [
        Track(number, (index,), (face,))
        for number, (index, face) in enumerate((i, f) for i, some in enumerate(faces) for f in some)
    ]
    _count_kept(counts, item, [t for t in tracks if t.kept] if tracks is not None else alone)
    return counts


def match_truth(faces: Sequence[Face], truth: Sequence[TrueFace]) -> dict[int, int]:
    """Which found face is which true one: the best overlaps first, each at most once."""
    if not faces or not truth:
        return {}
    found = np.stack([face.box for face in faces])
    overlap = iou(found, np.array([true.box for true in truth], np.float32))
    matches: dict[int, int] = {}
    for place in np.argsort(-overlap, axis=None, kind="stable"):
        row, column = divmod(int(place), len(truth))
        if overlap[row, column] < SAME_IOU:
            break
        if row not in matches and column not in matches.values():
            matches[row] = column
    return matches


def _count_kept(counts: FaceCounts, item: BenchItem, kept: Sequence[Track]) -> None:
    shown: dict[int, list[tuple[int, Face]]] = defaultdict(list)  # by frame: number of the track, face
    for number, track in enumerate(kept):
        for index, face in zip(track.frame_indices, track.faces, strict=True):
            shown[index].append((number, face))
    whose: dict[int, Counter[int | None]] = defaultdict(Counter)
    best: Counter[tuple[int, int]] = Counter()
    total: Counter[int] = Counter()
    for index, truth in enumerate(item.frames):
        rows = shown[index]
        matches = match_truth([face for _, face in rows], truth)
        for row, (number, _) in enumerate(rows):
            true = truth[matches[row]] if row in matches else None
            if true is None or true.kind != "person":
                whose[number][None] += 1
                counts.false_faces += 1
                continue
            whose[number][true.who] += 1
            if not true.ignore:
                counts.kept += 1
                best[true.who, number] += 1
        total.update(true.who for true in truth if true.kind == "person" and not true.ignore)
    for votes in whose.values():
        person, most = votes.most_common(1)[0]
        if person is None:
            counts.false_people += 1
        else:
            pure = counts.in_tracks
            counts.in_tracks = (pure[0] + votes.total(), pure[1] + most)
    for who, frames in total.items():
        longest = max((n for (person, _), n in best.items() if person == who), default=0)
        counts.complete = (counts.complete[0] + frames, counts.complete[1] + longest)


def overall(counts: Iterable[FaceCounts]) -> FaceCounts:
    """All counts in one."""
    whole = FaceCounts()
    for one in counts:
        whole.add(one)
    return whole


def mean_score(found: Mapping[tuple[str, float], FaceCounts]) -> float:
    """Mean of the scores of conditions and levels, each with the same weight."""
    return float(np.mean([counts.score for counts in found.values()]))


def precision_recall(counts: FaceCounts) -> list[tuple[float, float, float]]:
    """Threshold, precision and recall of the detector at each confidence, from sure to unsure.

    Recall is of the faces of people; precision counts a face on a picture as right to find.
    """
    ordered = sorted(counts.marks, key=lambda mark: -mark[0])
    right = np.cumsum([hit for _, hit in ordered]) if ordered else np.zeros(0)
    most = max(counts.people, int(right[-1]) if len(right) else 0, 1)
    return [
        (confidence, float(right[n] / (n + 1)), float(right[n] / most))
        for n, (confidence, _) in enumerate(ordered)
    ]
