"""Look at clips once, and let every model score the same faces.

Decoding and detection are done once a clip; each model then gets the crops that its card asks for. What
comes back holds raw logits, so that calibrations and thresholds are chosen afterwards.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import cv2
import numpy as np

from unmask.batch import Failure, run_each
from unmask.config import BatchSettings, CropSettings, JudgeSettings, ScanSettings
from unmask.datasets.sources import Opener
from unmask.errors import DataError, MediaError
from unmask.evaluate.clips import LabelledClip
from unmask.evaluate.contenders import Contender, load_contender
from unmask.faces.crop import cut_crops
from unmask.faces.detect import load_detector
from unmask.faces.track import thin_track
from unmask.judge.calibration import Calibration, Thresholds
from unmask.judge.card import Card
from unmask.judge.verdict import Evidence, Ruling, too_little, weigh
from unmask.pipeline import Scanner
from unmask.types import Clip, Track
from unmask.verdicts import Outcome
from unmask.video import read_clip

STRIP_FACES, STRIP_PEOPLE, STRIP_PX = 6, 3, 96
_STRIP = CropSettings(size_px=STRIP_PX, margin_fraction=0.5)
_LUMA = np.array([0.299, 0.587, 0.114])  # Rec. 601


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found in one clip, by every model.

    Attributes:
        problem: Why it is unreadable, or empty.
        width: Of the upright frames, in pixels; 0 when unreadable.
        height: The same.
        times_seconds: Of the sampled frames.
        tracks: Everyone found.
        logits: By model, track and frame.
        face_px: Median of the shorter side of the largest person's boxes; 0 without a face.
        brightness: Mean luma of the faces, 0 to 255; NaN without a face.
        strip: JPEG of some faces of each person, one person a row; empty without a face.
        seconds: Wall time that this clip took its child process.
    """

    problem: str = ""
    width: int = 0
    height: int = 0
    times_seconds: tuple[float, ...] = ()
    tracks: tuple[Track, ...] = ()
    logits: dict[str, dict[int, dict[int, float]]] | None = None
    face_px: float = 0.0
    brightness: float = float("nan")
    strip: bytes = b""
    seconds: float = 0.0

    @property
    def people(self) -> int:
        """How many were taken for a person."""
        return sum(track.kept for track in self.tracks)

    def evidence(self, model: str) -> Evidence:
        """What one model says, for `unmask.judge.verdict.weigh`."""
        return Evidence(self.times_seconds, self.tracks, (self.logits or {}).get(model, {}))


def examine(
    clips: Sequence[LabelledClip],
    contenders: Sequence[Contender],
    settings: ScanSettings | None = None,
    batch: BatchSettings | None = None,
) -> Generator[tuple[int, Findings]]:
    """Look at clips in child processes; findings come as they are ready, with the place of their clip.

    Args:
        clips: What to look at.
        contenders: The models.
        settings: Decoding, detection and tracking; its model is not used.
        batch: Jobs and time limit.

    Raises:
        ModelError: A model cannot be loaded.
    """
    settings = settings or ScanSettings()
    load = partial(_load, settings, tuple(contenders))
    found = run_each([clip.path for clip in clips], load, batch)
    with contextlib.closing(found):
        for place, answer in found:
            yield place, Findings(problem=answer.reason) if isinstance(answer, Failure) else answer


def judge(findings: Findings, model: str, card: Card, settings: JudgeSettings) -> Ruling:
    """The ruling on a clip as ``unmask scan`` would give it."""
    if findings.problem:
        return Ruling(Outcome.UNREADABLE, None, findings.problem)
    return weigh(findings.evidence(model), card.calibration, card.thresholds, settings)[1]


def clip_logit(findings: Findings, model: str, settings: JudgeSettings) -> float | None:
    """The logit that decides a clip: the highest of its credible people, or of all when nobody is credible.

    None where nobody was scored.
    """
    logits = person_logits(findings, model)
    if not logits:
        return None
    people, _ = weigh(findings.evidence(model), Calibration(), Thresholds(0.5, 0.5), settings)
    sampled = len(findings.times_seconds)
    solid = [p.id for p in people if p.kept and not too_little(p, settings, sampled_frames=sampled)]
    return max(logits[number] for number in (solid or logits))


def person_logits(findings: Findings, model: str) -> dict[int, float]:
    """Mean logit of everyone who was scored, by track."""
    found = findings.evidence(model).logits
    return {number: float(np.mean(list(frames.values()))) for number, frames in found.items() if frames}


class Examiner:
    """The networks of a child process, and what it does with a clip.

    Args:
        settings: Decoding, detection and tracking.
        contenders: The models; the first lends its scanner to all.
    """

    def __init__(self, settings: ScanSettings, contenders: Sequence[Contender]) -> None:
        self._settings = settings
        detector = load_detector(settings.detect)
        self._scanners: dict[str, Scanner] = {}
        for contender in contenders:
            scorer = load_contender(contender, settings.score)
            self._scanners[contender.name] = Scanner(settings, detector, scorer)
        self._opener = Opener()

    def read(self, path: str) -> Clip:
        """Decode a clip.

        Raises:
            DataError: The source cannot be opened.
            MediaError: It is no video that can be decoded.
            OSError: It cannot be read.
        """
        with self._opener.local(path) as file:
            return read_clip(file, self._settings.decode)

    def look(self, clip: Clip) -> Findings:
        """Find the faces and let every model score them."""
        if not clip.frames:
            return Findings(problem="no frame could be decoded")
        tracks = next(iter(self._scanners.values())).find_faces(clip)
        logits = {name: one.score_people(clip, tracks).logits for name, one in self._scanners.items()}
        sides = [_median_side(track) for track in tracks if track.kept]
        return Findings(
            width=clip.frames[0].width,
            height=clip.frames[0].height,
            times_seconds=tuple(frame.time_seconds for frame in clip.frames),
            tracks=tracks,
            logits={name: {i: dict(frames) for i, frames in found.items()} for name, found in logits.items()},
            face_px=max(sides, default=0.0),
        )

    def rule(self, clip: Clip) -> dict[str, float | None]:
        """What each model says of a clip as a whole, by its name."""
        found = self.look(clip)
        return {
            name: judge(found, name, one.model.card, self._settings.judge).p_fake
            for name, one in self._scanners.items()
        }


def _load(
    settings: ScanSettings, contenders: Sequence[Contender]
) -> Callable[[str, Callable[[str], None]], Findings]:
    return partial(_examine_one, Examiner(settings, contenders))


def _examine_one(examiner: Examiner, path: str, _tell: Callable[[str], None]) -> Findings:
    start = time.perf_counter()
    try:
        clip = examiner.read(path)
    except (MediaError, DataError, OSError) as error:
        return Findings(problem=str(error))
    found = examiner.look(clip)
    brightness, strip = _portray(clip, found.tracks)
    seconds = time.perf_counter() - start
    return replace(found, brightness=brightness, strip=strip, seconds=seconds)


def _portray(clip: Clip, tracks: Sequence[Track]) -> tuple[float, bytes]:
    """How bright the faces are, and a strip of some of them, as JPEG."""
    kept = sorted((track for track in tracks if track.kept), key=_median_side, reverse=True)[:STRIP_PEOPLE]
    if not kept:
        return float("nan"), b""
    thin = [thin_track(track, STRIP_FACES) for track in kept]
    rows = [crops.images.transpose(0, 2, 3, 1) for crops in cut_crops(clip, thin, _STRIP)]
    edge = STRIP_PX // 6  # half of the margin: what is left is mostly face
    inner = np.concatenate([row[:, edge:-edge, edge:-edge] for row in rows])
    sheet = np.zeros((len(rows) * STRIP_PX, STRIP_FACES * STRIP_PX, 3), np.uint8)
    for number, row in enumerate(rows):
        top = number * STRIP_PX
        sheet[top : top + STRIP_PX, : len(row) * STRIP_PX] = np.concatenate(list(row), axis=1)
    _, data = cv2.imencode(".jpg", sheet[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 80])
    return float((inner @ _LUMA).mean()), data.tobytes()


def _median_side(track: Track) -> float:
    return float(np.median([(face.box[2:] - face.box[:2]).min() for face in track.faces]))
