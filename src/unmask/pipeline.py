"""Joins the stages: file -> clip -> faces -> tracks -> crops -> scores -> verdict.

The only module that knows the whole way. A `Scanner` holds what is worth loading once (the detector's and
the model's networks); everything else flows through functions.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from unmask.config import ScanSettings
from unmask.errors import DamagedError, MediaError, ModelError, SettingsError, why_unreadable
from unmask.faces.crop import cut_crops
from unmask.faces.detect import FaceDetector, load_detector
from unmask.faces.embed import FaceEmbedder, describe_people, load_embedder
from unmask.faces.find import find_people
from unmask.faces.light import is_night
from unmask.faces.track import thin_track
from unmask.faces.turned import find_turned, surest
from unmask.files import fingerprint
from unmask.judge.conclude import About, conclude
from unmask.judge.footage import Look
from unmask.judge.score import CropScorer, load_model, score_crops
from unmask.judge.verdict import STAGES, Evidence, unreadable
from unmask.reasons import Reason, because
from unmask.types import Clip, Crops, Stretch, Track
from unmask.verdicts import Verdict
from unmask.video import Film, open_film, read_stretches
from unmask.video.distort import DISTORTIONS, SMALL_LADDER, distort_clip
from unmask.work.memory import give_back_memory


@dataclass(frozen=True, slots=True)
class Listed:
    """A file that was read through and opened, before the first frame is decoded.

    Attributes:
        watch: Measures how long it takes, from the first byte on.
        sha256: Of its bytes; None where they could not be read.
        film: What it is, with all that reading it needs; None where it cannot be opened.
        error: Why it cannot.
    """

    watch: Stopwatch
    sha256: str | None = None
    film: Film | None = None
    error: MediaError | OSError | None = None


class _Said(NamedTuple):
    """Of one person: logits by frame, and whether the face looks drawn."""

    logits: dict[int, float]
    drawn: bool


@dataclass(frozen=True, slots=True, eq=False)
class Scanner:
    """Networks that are loaded once and judge many files; see `load_scanner`."""

    settings: ScanSettings
    detector: FaceDetector
    model: CropScorer
    others: tuple[CropScorer, ...] = ()
    embedder: FaceEmbedder | None = None

    def __repr__(self) -> str:
        names = ", ".join(model.card.name for model in (self.model, *self.others))
        return f"<Scanner: {names} on faces of {type(self.detector).__name__}>"

    def scan(
        self,
        path: str | Path,
        *,
        listed: Listed | None = None,
        on_sha256: Callable[[str], None] | None = None,
        on_look: Callable[[Look], None] | None = None,
        on_stage: Callable[[str], None] | None = None,
    ) -> Verdict:
        """Judge one file.

        Args:
            path: A video or an image.
            listed: What `list_file` gave, so that the file is opened once.
            on_sha256: As of `list_file`, where that was not called; so is ``on_stage``.
            on_look: Told what was found in each stretch of a long video, except in the last.
            on_stage: Told ``decode``, ``detect`` or ``score`` when such work begins.

        Returns:
            The verdict; a file that cannot be read gets the outcome ``unreadable`` and never raises. One that
            cannot be read further is judged by what was seen until then.

        Raises:
            ModelError: The network fails.
        """
        listed = listed or self.list_file(path, on_sha256=on_sha256, on_stage=on_stage)
        looks: list[Look] = []
        error = listed.error
        if listed.film is not None:
            try:
                for look in self.watch(listed.film, stopwatch=listed.watch):
                    looks.append(look)
                    if on_look and look.end_seconds < look.until_seconds:
                        on_look(look)
            except (MediaError, OSError) as late:
                error = late
        stopped = None if error is None else why_unreadable(error)
        if stopped is not None and not looks:
            damaged = isinstance(error, DamagedError)
            return unreadable(
                path, stopped, self.model.card.model_name, sha256=listed.sha256, damaged=damaged
            )
        about = About(str(path), listed.sha256, listed.watch.seconds(), stopped)
        beside = [model.card for model in self.others]
        return conclude(looks, about, self.model.card, self.settings, beside=beside)

    def list_file(
        self,
        path: str | Path,
        *,
        on_sha256: Callable[[str], None] | None = None,
        on_stage: Callable[[str], None] | None = None,
    ) -> Listed:
        """Read a file through and open it, decoding nothing.

        Args:
            path: A video or an image.
            on_sha256: Told the file's SHA-256 before anything interprets the file.
            on_stage: As of `scan`.
        """
        watch, sha256 = Stopwatch(on_stage), None
        try:
            sha256 = fingerprint(path)
            if on_sha256:
                on_sha256(sha256)
            with watch.stage("decode"):
                return Listed(watch, sha256, open_film(path, self.settings.decode))
        except (MediaError, OSError) as error:
            return Listed(watch, sha256, error=error)

    def scan_piece(
        self, film: Film, piece: int, *, on_look: Callable[[Look], None]
    ) -> tuple[dict[str, float], Reason | None]:
        """Look at a piece of a long video, for whoever joins it with the others.

        Args:
            film: As `list_file` opened it.
            piece: Number of the film's piece.
            on_look: Told what was found in each stretch.

        Returns:
            Wall time by stage, and why it was stopped; None when it was not.

        Raises:
            ModelError: The network fails.
        """
        watch = Stopwatch()
        try:
            for look in self.watch(film, stopwatch=watch, piece=piece):
                on_look(look)
        except (MediaError, OSError) as error:
            return watch.seconds(), why_unreadable(error)
        return watch.seconds(), None

    def watch(
        self, file: str | Path | Film, *, stopwatch: Stopwatch | None = None, piece: int | None = None
    ) -> Iterator[Look]:
        """Look through a file stretch by stretch.

        Args:
            file: A video or an image, opened or not.
            stopwatch: Measures how long each stage takes.
            piece: Number of the only one of the film's pieces that is looked at; None looks at all.

        Raises:
            MediaError: The file cannot be read, or not further.
            ModelError: The network fails.
        """
        stopwatch, decode = stopwatch or Stopwatch(), self.settings.decode
        with stopwatch.stage("decode"):
            film = file.under(decode) if isinstance(file, Film) else open_film(file, decode)
        stretches = read_stretches(film, piece)
        upright = False  # as long as nobody was found for sure, the film may stand on its head
        while True:
            with stopwatch.stage("decode"):
                stretch = next(stretches, None)
            if stretch is None:
                return
            look = self._look(stretch, stopwatch, may_be_turned=not upright)
            upright = upright or (self._is_sure(look.evidence.tracks) and because("turned") not in look.notes)
            yield look
            del stretch  # or its pixels would stay while the next one is decoded
            give_back_memory()

    def _look(self, stretch: Stretch, watch: Stopwatch, *, may_be_turned: bool) -> Look:
        find = self.find_faces
        with watch.stage("detect"):
            tracks = find(stretch.clip)
            if may_be_turned and not self._is_sure(tracks):
                turned = self._find_turned(stretch.clip)
                if turned:
                    tracks, find = turned, self._find_turned
                    stretch = replace(stretch, notes=(*stretch.notes, because("turned")))
        evidence = self._score(stretch.clip, tracks, watch)
        worse = self._try_worse(stretch.clip, find) if self.settings.stability and evidence.logits else {}
        with watch.stage("score"):  # each other model cuts its own crops of the same faces
            alone = [replace(self, model=model, others=()) for model in self.others]
            beside = {one.model.card.name: one.score_people(stretch.clip, tracks).logits for one in alone}
        look = Look.at(stretch, evidence, worse=worse, beside=beside)
        if self.embedder is None or stretch.is_whole:  # then there are no other shots
            return look
        # Who was there before is known already, from where the shot began.
        new = tracks if stretch.opens_shot else tuple(track for track in tracks if track.frame_indices[0])
        with watch.stage("detect"):
            vectors = describe_people(stretch.clip, new, self.embedder)
        return replace(look, vectors=vectors, same_cosine=self.embedder.same_cosine)

    def find_faces(self, clip: Clip) -> tuple[Track, ...]:
        """The people in a clip, and the tracks that were dropped, with the reason."""
        return find_people(clip, self.detector, self.settings.detect, self.settings.track)

    def _is_sure(self, tracks: tuple[Track, ...]) -> bool:
        return surest(tracks) >= self.settings.detect.sure_confidence

    def _find_turned(self, clip: Clip) -> tuple[Track, ...]:
        return find_turned(clip, self.detector, self.settings.detect, self.settings.track)

    def score_people(self, clip: Clip, tracks: tuple[Track, ...]) -> Evidence:
        """Cut out and score the faces of everyone kept."""
        return self._score(clip, tracks, Stopwatch())

    def _score(self, clip: Clip, tracks: tuple[Track, ...], watch: Stopwatch) -> Evidence:
        with watch.stage("detect"):
            together = self.model.card.kind == "clip"
            scored = tracks if together else [self._thin(track) for track in tracks]
            crops = cut_crops(clip, scored, self.model.card.crop_settings, with_detail=True)
        with watch.stage("score"):
            said = {person.track_id: self._say(person) for person in crops}
        logits = {number: one.logits for number, one in said.items()}
        times = tuple(frame.time_seconds for frame in clip.frames)
        # A clip in which someone was found need not be looked at again.
        detail_px = {
            one.track_id: round(float(np.median(one.detail_px)), 2)
            for one in crops
            if one.detail_px is not None
        }
        drawn = frozenset(number for number, one in said.items() if one.drawn)
        return Evidence(times, tracks, logits, not crops and is_night(clip), detail_px, drawn)

    def _try_worse(self, clip: Clip, find: Callable[[Clip], tuple[Track, ...]]) -> dict[str, Evidence]:
        """What is found in worse versions of a clip."""
        found = {}
        for kind, level in SMALL_LADDER:
            worse = distort_clip(clip, kind, level=level)
            name = f"{kind} {DISTORTIONS[kind].amounts[level - 1]:g}"
            found[name] = self.score_people(worse, find(worse))
        return found

    def _thin(self, track: Track) -> Track:
        """A track with only those frames that are scored; frames near each other say about the same."""
        share, least = self.settings.score.frames_share, self.settings.score.min_frames
        wanted = max(least, math.ceil(share * len(track.faces)))
        most = self.settings.score.most_crops or self.model.card.most_crops
        return thin_track(track, min(wanted, most or wanted))

    def _say(self, crops: Crops) -> _Said:
        found = score_crops(self.model, crops, self.settings.score)
        logits = {int(i): float(logit) for i, logit in zip(crops.frame_indices, found.logits, strict=True)}
        least = self.model.card.drawn_at_least
        drawn = least is not None and found.drawn is not None and float(np.mean(found.drawn)) >= least
        return _Said(logits, drawn)


def load_scanner(
    settings: ScanSettings | None = None,
    *,
    detector: FaceDetector | None = None,
    model: CropScorer | None = None,
) -> Scanner:
    """Load the networks, or take those of one's own.

    Args:
        settings: Of every scan.
        detector: Takes the place of the one that the settings name. Whether a model fits its boxes is not
            checked then, since nothing is known of it.
        model: Takes the place of the one that the settings name; `unmask.own_card` makes it a card.

    Raises:
        ModelError: Weights are missing, altered or do not fit, were trained with another detector, or two
            models have one name.
        SettingsError: The detector or the embedder is unknown, or the settings name a model, too.
        MissingExtraError: The embedder that was asked for is not installed.

    Example:
        >>> import unmask
        >>> class Brightness:
        ...     card = unmask.own_card("brightness", size_px=64, fake_at_least=0.9, real_at_most=0.1)
        ...
        ...     def logits(self, images):  # RGB, (N, 3, 64, 64), uint8
        ...         return images.mean(axis=(1, 2, 3)) / 64 - 2
        >>> load_scanner(model=Brightness())
        <Scanner: brightness on faces of Mtcnn>
    """
    settings = settings or ScanSettings()
    if model is not None and settings.model is not None:
        raise SettingsError(f"give model= or the model of the settings, not both, got {settings.model!r}")
    names: set[str] = set()
    first = load_model(settings.model, settings.score) if model is None else model
    models = [first, *(load_model(one, settings.score) for one in settings.beside)]
    for card in (one.card for one in models):
        if detector is None and card.detector != settings.detect.detector:
            raise ModelError(
                f"model {card.name} was trained with the detector {card.detector!r}, "
                f"got {settings.detect.detector!r}"
            )
        if card.name in names:
            raise ModelError(f"models that judge together must have different names, got {card.name!r} twice")
        names.add(card.name)
    if detector is None:
        detector = load_detector(settings.detect)
    return Scanner(settings, detector, first, tuple(models[1:]), load_embedder(settings.embedder))


class Stopwatch:
    """Wall time by stage.

    Args:
        on_stage: Told the name of a stage when it begins.
    """

    def __init__(self, on_stage: Callable[[str], None] | None = None) -> None:
        self._on_stage = on_stage
        self._start = time.perf_counter()
        self._seconds = dict.fromkeys(STAGES, 0.0)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add what happens within to one of the stages."""
        if self._on_stage:
            self._on_stage(name)
        start = time.perf_counter()
        yield
        self._seconds[name] += time.perf_counter() - start

    def seconds(self) -> dict[str, float]:
        """Of each stage so far, and in total."""
        total = time.perf_counter() - self._start
        return {name: round(s, 4) for name, s in (self._seconds | {"total": total}).items()}
