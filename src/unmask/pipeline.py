"""Joins the stages: file -> clip -> faces -> tracks -> crops -> scores -> verdict.

The only module that knows the whole way. A `Scanner` holds what is worth loading once (the detector's and
the model's networks); everything else flows through functions.
"""

from __future__ import annotations

import hashlib
import math
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from unmask.config import ScanSettings
from unmask.errors import DamagedError, MediaError, ModelError
from unmask.faces.crop import cut_crops
from unmask.faces.detect import FaceDetector, detect_faces, load_detector
from unmask.faces.light import is_night
from unmask.faces.track import link_faces, thin_track
from unmask.judge.calibration import Thresholds
from unmask.judge.card import Card
from unmask.judge.score import CropScorer, load_model, score_crops
from unmask.judge.together import join_rulings
from unmask.judge.verdict import STAGES, Evidence, Ruling, unreadable, weigh
from unmask.types import Clip, Crops, Track
from unmask.verdicts import Outcome, Stability, Verdict
from unmask.version import __version__
from unmask.video import read_clip
from unmask.video.distort import DISTORTIONS, SMALL_LADDER, distort_clip

_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, eq=False)
class Scanner:
    """Networks that are loaded once and judge many files; see `load_scanner`."""

    settings: ScanSettings
    detector: FaceDetector
    model: CropScorer
    others: tuple[CropScorer, ...] = ()

    def scan(self, path: str | Path, *, on_sha256: Callable[[str], None] | None = None) -> Verdict:
        """Judge one file.

        Args:
            path: A video or an image.
            on_sha256: Told the file's SHA-256 before anything interprets the file.

        Returns:
            The verdict; a file that cannot be read gets the outcome ``unreadable`` and never raises.

        Raises:
            ModelError: The network fails.
        """
        sha256 = None
        watch = _Watch()
        try:
            sha256 = fingerprint(path)
            if on_sha256:
                on_sha256(sha256)
            with watch.stage("decode"):
                clip = read_clip(path, self.settings.decode)
        except (MediaError, OSError) as error:
            damaged = isinstance(error, DamagedError)
            reason = _sentence(error, str(path))
            return unreadable(path, reason, self.model.card.model_name, sha256=sha256, damaged=damaged)
        return self._judge(clip, str(path), sha256, watch)

    def find_faces(self, clip: Clip) -> tuple[Track, ...]:
        """The people in a clip, and the tracks that were dropped, with the reason."""
        faces = detect_faces(clip, self.detector, self.settings.detect)
        return link_faces(clip, faces, self.settings.track)

    def score_people(self, clip: Clip, tracks: tuple[Track, ...]) -> Evidence:
        """Cut out and score the faces of everyone kept."""
        return self._score(clip, tracks, _Watch())

    def _score(self, clip: Clip, tracks: tuple[Track, ...], watch: _Watch) -> Evidence:
        with watch.stage("detect"):
            together = self.model.card.kind == "clip"
            scored = tracks if together else [self._thin(track) for track in tracks]
            crops = cut_crops(clip, scored, self.model.card.crop_settings)
        with watch.stage("score"):
            logits = {person.track_id: self._logits(person) for person in crops}
        times = tuple(frame.time_seconds for frame in clip.frames)
        # A clip in which someone was found need not be looked at again.
        return Evidence(times, tracks, logits, dark=not crops and is_night(clip))

    def _judge(self, clip: Clip, path: str, sha256: str, watch: _Watch) -> Verdict:
        card = self.model.card
        with watch.stage("detect"):
            tracks = self.find_faces(clip)
        evidence = self._score(clip, tracks, watch)
        thresholds = _thresholds(card, self.settings)
        people, ruling = weigh(evidence, card.calibration, thresholds, self.settings.judge)
        with watch.stage("score"):
            ruling = self._ask_others(clip, tracks, ruling)
        stability = self._try_again(clip, ruling) if self._tries_again(ruling) else None
        damage = f"; the file is damaged ({clip.damage})" if clip.damaged else ""
        return Verdict(
            path=path,
            sha256=sha256,
            outcome=ruling.outcome,
            p_fake=ruling.p_fake,
            reason=ruling.reason + damage + _flips(stability, ruling),
            damaged=clip.damaged,
            people=people,
            model=card.model_name,
            unmask=__version__,
            seconds=watch.seconds(),
            stability=stability,
        )

    def _ask_others(self, clip: Clip, tracks: tuple[Track, ...], ruling: Ruling) -> Ruling:
        """What all models say together of the same faces, each with its own crops and card."""
        said = {self.model.card.name: ruling}
        for model in self.others:
            evidence = replace(self, model=model, others=()).score_people(clip, tracks)
            card, thresholds = model.card, _thresholds(model.card, self.settings)
            said[card.name] = weigh(evidence, card.calibration, thresholds, self.settings.judge)[1]
        return join_rulings(said)

    def _tries_again(self, ruling: Ruling) -> bool:
        return self.settings.stability and ruling.p_fake is not None

    def _try_again(self, clip: Clip, ruling: Ruling) -> Stability:
        """Judge worse versions of a clip."""
        card = self.model.card
        outcomes: dict[str, Outcome] = {}
        p_fake: dict[str, float | None] = {}
        for kind, level in SMALL_LADDER:
            worse = distort_clip(clip, kind, level=level)
            evidence = self.score_people(worse, self.find_faces(worse))
            thresholds = _thresholds(card, self.settings)
            _, again = weigh(evidence, card.calibration, thresholds, self.settings.judge)
            name = f"{kind} {DISTORTIONS[kind].amounts[level - 1]:g}"
            outcomes[name], p_fake[name] = again.outcome, again.p_fake
        seen = {ruling.outcome, *outcomes.values()}
        return Stability(not {Outcome.FAKE, Outcome.REAL} <= seen, outcomes, p_fake)

    def _thin(self, track: Track) -> Track:
        """A track with only those frames that are scored; frames near each other say about the same."""
        share, least = self.settings.score.frames_share, self.settings.score.min_frames
        return thin_track(track, max(least, math.ceil(share * len(track.faces))))

    def _logits(self, crops: Crops) -> dict[int, float]:
        found = score_crops(self.model, crops, self.settings.score)
        return {int(i): float(logit) for i, logit in zip(crops.frame_indices, found, strict=True)}


def load_scanner(settings: ScanSettings | None = None) -> Scanner:
    """Load the networks.

    Raises:
        ModelError: Weights are missing, altered or do not fit, were trained with another detector, or two
            models have one name.
        SettingsError: The detector is unknown.
    """
    settings = settings or ScanSettings()
    names: set[str] = set()
    models = [load_model(one, settings.score) for one in (settings.model, *settings.beside)]
    for card in (model.card for model in models):
        if card.detector != settings.detect.detector:
            raise ModelError(
                f"model {card.name} was trained with the detector {card.detector!r}, "
                f"got {settings.detect.detector!r}"
            )
        if card.name in names:
            raise ModelError(f"models that judge together must have different names, got {card.name!r} twice")
        names.add(card.name)
    return Scanner(settings, load_detector(settings.detect), models[0], tuple(models[1:]))


def fingerprint(path: str | Path) -> str:
    """SHA-256 of a file's bytes, 64 hex digits.

    Raises:
        MediaError: The path is no regular file; a pipe or a device could be read forever.
        OSError: It cannot be read.
    """
    # Without O_NONBLOCK, opening a pipe that nobody writes to would wait forever.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    if "\0" in str(path):
        raise MediaError("a path must not hold a null character")
    kind = Path(path).stat().st_mode
    if stat.S_ISDIR(kind):
        raise MediaError(f"{path}: a folder, not a file")
    if not stat.S_ISREG(kind):
        raise MediaError(f"{path}: only regular files can be scanned, not pipes or devices")
    digest = hashlib.sha256()
    with open(os.open(path, flags), "rb") as file:  # noqa: PTH123  Path.open takes no flags
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


class _Watch:
    """Wall time by stage."""

    def __init__(self) -> None:
        self._start = time.perf_counter()
        self._seconds = dict.fromkeys(STAGES, 0.0)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self._seconds[name] += time.perf_counter() - start

    def seconds(self) -> dict[str, float]:
        total = time.perf_counter() - self._start
        return {name: round(s, 4) for name, s in (self._seconds | {"total": total}).items()}


def _flips(stability: Stability | None, ruling: Ruling) -> str:
    if stability is None or stability.stable:
        return ""
    others = {Outcome.FAKE, Outcome.REAL} - {ruling.outcome}
    turned = [f"{word.value} under {name}" for name, word in stability.outcomes.items() if word in others]
    return f"; unstable: it turns {', '.join(turned)}"


def _thresholds(card: Card, settings: ScanSettings) -> Thresholds:
    if settings.threshold is None:
        return card.thresholds
    return card.thresholds.with_fake_at_least(settings.threshold)


def _sentence(error: Exception, path: str) -> str:
    """What went wrong, without the file's name in front, since the verdict names the file."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror[0].lower() + error.strerror[1:]
    label = "".join(char if char.isprintable() else "?" for char in Path(path).name)
    return str(error).removeprefix(f"{path}: ").removeprefix(f"{label}: ")
