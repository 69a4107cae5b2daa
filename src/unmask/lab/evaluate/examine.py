"""Look at clips once, and let every model score the same faces.

Decoding and detection are done once a clip; each model then gets the crops that its card asks for. What
comes back holds raw logits, so that calibrations and thresholds are chosen afterwards.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

import cv2
import numpy as np

from unmask.archive.sources import Opener
from unmask.config import BatchSettings, CropSettings, DecodeSettings, JudgeSettings, ScanSettings
from unmask.errors import DataError, MediaError, is_of_machine, why_unreadable
from unmask.faces.crop import cut_crops
from unmask.faces.detect import load_detector
from unmask.faces.track import thin_track
from unmask.judge.calibration import Calibration, Thresholds
from unmask.judge.card import Card
from unmask.judge.conclude import is_still, thresholds_of
from unmask.judge.footage import Look, judge_footage
from unmask.judge.verdict import Ruling, too_little, weigh
from unmask.lab.evaluate.clips import LabelledClip
from unmask.lab.evaluate.contenders import Contender, load_contender
from unmask.pipeline import Scanner
from unmask.reasons import Reason, because
from unmask.types import Clip, Stretch, Track
from unmask.verdicts import Outcome
from unmask.video import open_film, read_clip, read_stretches
from unmask.work.each import Do, Failure, Tell, run_each

T = TypeVar("T")
STRIP_FACES, STRIP_PEOPLE, STRIP_PX = 6, 3, 96
_STRIP = CropSettings(size_px=STRIP_PX, margin_fraction=0.5)
_LUMA = np.array([0.299, 0.587, 0.114])  # Rec. 601


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found in one clip, by every model.

    Attributes:
        problem: Why nothing was found out, or None.
        width: Of the upright frames, in pixels; 0 when there is a problem.
        height: The same.
        looks: By model what it saw in each stretch, in order; a short clip without a cut is one.
        face_px: Median of the shorter side of the largest person's boxes; 0 without a face.
        brightness: Mean luma of the faces, 0 to 255; NaN without a face.
        strip: JPEG of some faces of each person, one person a row; empty without a face.
        seconds: Wall time that this clip took its child process.
        ours: The problem is a failure of unmask or the machine, which says nothing of the clip.
    """

    problem: Reason | None = None
    width: int = 0
    height: int = 0
    looks: Mapping[str, tuple[Look, ...]] = field(default_factory=dict)
    face_px: float = 0.0
    brightness: float = float("nan")
    strip: bytes = b""
    seconds: float = 0.0
    ours: bool = False

    @property
    def people(self) -> int:
        """How many were taken for a person, in each stretch anew."""
        looks = next(iter(self.looks.values()), ())
        return sum(track.kept for look in looks for track in look.evidence.tracks)


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
    load = partial(_load, settings or ScanSettings(), tuple(contenders))
    return each_clip(clips, load, batch, failed=lambda why: Findings(problem=why.reason, ours=why.ours))


def each_clip(
    clips: Sequence[LabelledClip],
    load: Callable[[], Do[str, T]],
    batch: BatchSettings | None,
    *,
    failed: Callable[[Failure], T],
) -> Generator[tuple[int, T]]:
    """What child processes make of clips, as it is ready, with the place of the clip.

    Args:
        clips: The set.
        load: Gives what works on the path of a clip, once in each process.
        batch: Jobs and time limit.
        failed: What stands for a clip whose worker failed.
    """
    found = run_each([clip.path for clip in clips], load, batch)
    with contextlib.closing(found):
        for place, answer in found:
            yield place, failed(answer) if isinstance(answer, Failure) else answer


def judge(findings: Findings, model: str, card: Card, settings: JudgeSettings) -> Ruling:
    """The ruling on a clip as ``unmask scan`` would give it."""
    if findings.problem:
        return Ruling(Outcome.ERROR if findings.ours else Outcome.UNREADABLE, None, (findings.problem,))
    told = ScanSettings(judge=settings)
    looks = findings.looks[model]
    thresholds = thresholds_of(card, told, still=is_still(looks))
    return judge_footage(looks, card.calibration, thresholds, told).ruling


def clip_logit(findings: Findings, model: str, settings: JudgeSettings) -> float | None:
    """The logit that decides a clip: the highest of its credible people, or of all when nobody is credible.

    None where nobody was scored.
    """
    logits = person_logits(findings, model)
    if not logits:
        return None
    solid = []
    for place, look in enumerate(findings.looks[model]):
        people, _ = weigh(look.evidence, Calibration(), Thresholds(0.5, 0.5), settings)
        sampled = len(look.evidence.times_seconds)
        own = [p.id for p in people if p.kept and not too_little(p, settings, sampled_frames=sampled)]
        solid += [(place, number) for number in own if (place, number) in logits]
    return max(logits[one] for one in (solid or logits))


def person_logits(findings: Findings, model: str) -> dict[tuple[int, int], float]:
    """Mean logit of everyone who was scored, by stretch and track."""
    return {
        (place, number): float(np.mean(list(frames.values())))
        for place, look in enumerate(findings.looks.get(model, ()))
        for number, frames in look.evidence.logits.items()
        if frames
    }


def frame_logits(findings: Findings, model: str) -> list[float]:
    """Logits of all scored frames of everyone."""
    looks = findings.looks.get(model, ())
    found = [frames for look in looks for frames in look.evidence.logits.values()]
    return [logit for frames in found for logit in frames.values()]


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

    def read(self, path: str, decode: DecodeSettings | None = None) -> Clip:
        """Evenly spread frames of a clip, whatever its length.

        Args:
            path: Of the clip.
            decode: Of which part and how many; None takes what it was made with.

        Raises:
            DataError: The source cannot be opened.
            MediaError: It is no video that can be decoded.
            OSError: It cannot be read.
        """
        with self._opener.local(path) as file:
            return read_clip(file, decode or self._settings.decode)

    def examine(self, path: str) -> Findings:
        """Find the faces in all of a video and let every model score them; raises as `read`."""
        parts: list[Findings] = []
        shown = Findings(face_px=-1.0)
        with self._opener.local(path) as file:
            for stretch in read_stretches(open_film(file, self._settings.decode)):
                part = self.look(stretch)
                parts.append(part)
                if part.face_px > shown.face_px:
                    tracks = next(iter(part.looks.values()))[0].evidence.tracks
                    brightness, strip = _portray(stretch.clip, tracks)
                    shown = replace(part, brightness=brightness, strip=strip)
                del stretch  # or its pixels would stay while the next one is decoded
        looks = {name: tuple(part.looks[name][0] for part in parts) for name in self._scanners}
        return replace(shown, looks=looks)

    def look(self, stretch: Stretch) -> Findings:
        """The same in one stretch, without brightness and strip."""
        clip = stretch.clip
        tracks = self.find_faces(clip)
        found = {name: one.score_people(clip, tracks) for name, one in self._scanners.items()}
        sides = [_median_side(track) for track in tracks if track.kept]
        return Findings(
            width=clip.frames[0].width if clip.frames else 0,
            height=clip.frames[0].height if clip.frames else 0,
            looks={name: (Look.at(stretch, evidence),) for name, evidence in found.items()},
            face_px=max(sides, default=0.0),
        )

    @property
    def cards(self) -> dict[str, Card]:
        """The models' cards, by their names here."""
        return {name: one.model.card for name, one in self._scanners.items()}

    def find_faces(self, clip: Clip) -> tuple[Track, ...]:
        """The faces of a clip, followed through it."""
        return tuple(next(iter(self._scanners.values())).find_faces(clip))

    def rule(self, clip: Clip) -> dict[str, float | None]:
        """What each model says of a clip as a whole, by its name."""
        start, end = clip.frames[0].time_seconds, clip.frames[-1].time_seconds
        found = self.look(Stretch(clip, True, start, end, start, end))
        return {
            name: judge(found, name, one.model.card, self._settings.judge).p_fake
            for name, one in self._scanners.items()
        }


def _load(settings: ScanSettings, contenders: Sequence[Contender]) -> Do[str, Findings]:
    return partial(_examine_one, Examiner(settings, contenders))


def _examine_one(examiner: Examiner, path: str, _: Tell) -> Findings:
    start = time.perf_counter()
    try:
        found = examiner.examine(path)
    except MediaError as error:
        return Findings(problem=error.reason, ours=error.of_machine)
    except OSError as error:
        return Findings(problem=why_unreadable(error), ours=is_of_machine(error))
    except DataError as error:
        return Findings(problem=because("unreadable", text=str(error)))
    return replace(found, seconds=time.perf_counter() - start)


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
