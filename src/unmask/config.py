"""Settings of a scan, one frozen dataclass per stage, units in the field names.

Each class checks itself: a value outside its range raises `SettingsError` with rule and value.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from unmask.errors import MAX_TIME_SECONDS, check_time_limit, require


@dataclass(frozen=True, slots=True)
class DecodeSettings:
    """How frames are sampled from a file, and the limits that hostile files meet.

    Attributes:
        frames: How many frames, evenly spread over a clip of one shot and up to 15 s. Of longer videos so
            many of each ten seconds, five sixths of it behind a cut, and at least 8 of each shot that has
            them.
        steady_frames: No more than so many of each ten seconds of a shot after its first ten.
        max_frames: About how many in all; beyond it they are spread more thinly.
        start_seconds: Where to begin, counted from the first frame.
        end_seconds: Where to end; None goes to the end.
        max_pixels: Largest frame, in pixels, that is decoded; the default admits 8K.
        time_limit_seconds: Wall time without anything new after which reading stops: while the packets are
            listed from one to the next, as long as they hold no more bytes than the file; then for the
            decoding of a short clip, or of each stretch of a long video.
        max_streams: Streams a container may declare.
        drop_unreferenced: Skip packets that no other frame needs (same pixels, less work).
        threads: Most threads of a decoder. One gives the same pixels on every machine, damaged files too,
            and costs the least CPU time; many files at a time need no more.
    """

    frames: int = 30
    steady_frames: int = 6
    max_frames: int = 10_000
    start_seconds: float = 0.0
    end_seconds: float | None = None
    max_pixels: int = 8192 * 8192
    time_limit_seconds: float = 120.0
    max_streams: int = 64
    drop_unreferenced: bool = True
    threads: int = 4

    def __post_init__(self) -> None:
        require(1 <= self.threads <= 64, "threads must be 1 to 64", self.threads)
        require(1 <= self.frames <= 10_000, "frames must be 1 to 10000", self.frames)
        require(self.steady_frames >= 1, "steady_frames must be 1 or more", self.steady_frames)
        require(self.max_frames >= 1, "max_frames must be 1 or more", self.max_frames)
        require(0 <= self.start_seconds < math.inf, "start_seconds must be 0 or more", self.start_seconds)
        ok = self.end_seconds is None or self.start_seconds < self.end_seconds
        require(ok, f"end_seconds must be above start_seconds ({self.start_seconds:g})", self.end_seconds)
        require(self.max_pixels >= 1, "max_pixels must be 1 or more", self.max_pixels)
        check_time_limit(self.time_limit_seconds)
        require(self.max_streams >= 1, "max_streams must be 1 or more", self.max_streams)


@dataclass(frozen=True, slots=True)
class DetectSettings:
    """How faces are found.

    Attributes:
        detector: A name in `unmask.faces.detect.DETECTORS`.
        max_side_px: The search runs on frames shrunk to at most this longer side; never enlarged.
        min_face_px: Smallest face that is searched for, in pixels of the shrunk frame. With 28 faces of 20 px
            were found as well, as boxes are refined, at two thirds of the cost.
        min_face_fraction: The same in shares of the shrunk frame's longer side, for MTCNN, whose cost depends
            on it; the larger of both counts. With a thirtieth a frame costs about as much at any size.
        thresholds: Confidence, 0 to 1, that a candidate must pass in the three stages of MTCNN. The usual
            first one, 0.6, found the same 42 of these 43 with a quarter more work.
        pyramid_factor: From one size of the image pyramid to the next, 0 to 1.
        max_overlap: Candidates of the first two stages whose IoU with a better one is above this are dropped.
        search_every: One in so many sampled frames is searched as a whole; between, faces are followed.
        sure_confidence: From this on, frames around the coming and going of a face are searched too.
        dark_below: Mean level of a frame, 0 to 255, below which a frame without a face is searched again in a
            lightened copy; 0 never does.
        threads: Threads of the detector; on networks this small more cost more than they save.
        batch_frames: Shrunk frames that are held in memory at a time; 8 took 45 MB more and were not faster.
    """

    detector: str = "mtcnn"
    max_side_px: int = 960
    min_face_px: int = 28
    min_face_fraction: float = 0.0333
    thresholds: tuple[float, float, float] = (0.7, 0.7, 0.7)
    pyramid_factor: float = 0.709
    max_overlap: float = 0.7
    search_every: int = 5
    sure_confidence: float = 0.95
    dark_below: float = 50.0
    threads: int = 1
    batch_frames: int = 2

    def __post_init__(self) -> None:
        require(self.max_side_px >= 32, "max_side_px must be 32 or more", self.max_side_px)
        require(self.min_face_px >= 12, "min_face_px must be 12 or more", self.min_face_px)
        require(
            0 <= self.min_face_fraction < 1, "min_face_fraction must be 0 to below 1", self.min_face_fraction
        )
        for threshold in self.thresholds:
            require(0 < threshold < 1, "thresholds must be between 0 and 1", threshold)
        require(len(self.thresholds) == 3, "thresholds must be three numbers", self.thresholds)
        require(0.1 <= self.pyramid_factor <= 0.95, "pyramid_factor must be 0.1 to 0.95", self.pyramid_factor)
        require(0 < self.max_overlap <= 1, "max_overlap must be above 0 and up to 1", self.max_overlap)
        require(self.search_every >= 1, "search_every must be 1 or more", self.search_every)
        require(0 <= self.sure_confidence <= 1, "sure_confidence must be 0 to 1", self.sure_confidence)
        require(0 <= self.dark_below <= 255, "dark_below must be 0 to 255", self.dark_below)
        require(self.threads >= 1, "threads must be 1 or more", self.threads)
        require(self.batch_frames >= 1, "batch_frames must be 1 or more", self.batch_frames)

    def smallest_face_px(self, width: int, height: int) -> float:
        """The smallest face that is searched for in a shrunk frame of this size."""
        return max(float(self.min_face_px), self.min_face_fraction * max(width, height))


CROPS = ("box", "aligned")
"""Ways to cut a face; see `CropSettings`."""


@dataclass(frozen=True, slots=True)
class CropSettings:
    """How a face is cut; the values of a model are on its card, so crop and model cannot drift apart.

    Attributes:
        size_px: Side of the square crop, in pixels.
        margin_fraction: Added to the longer side of box or template; 0.3 turns 100 px into 130 px,
            -0.3 into 70 px.
        crop: ``box`` cuts an upright square around the box; ``aligned`` turns, moves and scales the face so
            that its five points come to lie on the template.
        template: Where an aligned crop without margin shows left eye, right eye, nose, left and right mouth
            corner: five ``(x, y)`` in shares of its side. Empty for ``box``.
        common_px: All cuts of a person are brought to one side before they are scaled, the median of theirs
            but at most this, as crops to learn from are stored; 0 scales each from its own. For ``box``.
    """

    size_px: int = 224
    margin_fraction: float = 0.3
    crop: str = CROPS[0]
    template: tuple[tuple[float, float], ...] = ()
    common_px: int = 0

    def __post_init__(self) -> None:
        require(8 <= self.size_px <= 2048, "size_px must be 8 to 2048", self.size_px)
        require(-0.5 <= self.margin_fraction <= 3, "margin_fraction must be -0.5 to 3", self.margin_fraction)
        require(self.crop in CROPS, f"crop must be one of {', '.join(CROPS)}", self.crop)
        common = self.common_px == 0 or 8 <= self.common_px <= 2048
        require(common, "common_px must be 0 or 8 to 2048", self.common_px)
        boxed = self.common_px == 0 or self.crop == "box"
        require(boxed, "common_px goes with crop box", self.crop)
        count = 5 if self.crop == "aligned" else 0
        values = [value for point in self.template for value in point]
        ok = len(self.template) == count and len(values) == 2 * count and len(set(self.template)) != 1
        rule = (
            f"template must be {count} points (x, y) within -1 to 2, not all the same, for crop {self.crop}"
        )
        require(ok and all(-1 <= value <= 2 for value in values), rule, self.template)


DEVICE_NAMES = ("auto", "cpu", "cuda", "coreml", "openvino", "directml")
EMBEDDER_NAMES = ("auto", "none", "dlib")


@dataclass(frozen=True, slots=True)
class ScoreSettings:
    """How the network is run.

    Attributes:
        frames_share: Share of a person's frames that are scored, evenly spaced; 1 scores all. Scoring 8 of 16
            gave logits of 40 clips that correlated by 0.99 with those of all 16. A network that judges clips
            always gets all.
        min_frames: No fewer than so many are scored, where there are as many.
        most_crops: Most crops of a person in each stretch that are scored; None takes what the card says.
        batch_crops: Crops in one call of the network; None takes what suits the device. For a processor that
            is two; eight took 90 MB more, and as long.
        threads: Threads of one call; several files at once scale better than threads.
        device: One of `DEVICE_NAMES`; ``auto`` takes an accelerator where onnxruntime has one. Without what
            was asked for it is the processor.
    """

    frames_share: float = 0.5
    min_frames: int = 5
    most_crops: int | None = None
    batch_crops: int | None = None
    threads: int = 1
    device: str = "auto"

    def __post_init__(self) -> None:
        require(0 < self.frames_share <= 1, "frames_share must be above 0, to 1", self.frames_share)
        require(self.min_frames >= 1, "min_frames must be 1 or more", self.min_frames)
        ok = self.most_crops is None or self.most_crops >= 1
        require(ok, "most_crops must be 1 or more", self.most_crops)
        ok = self.batch_crops is None or 1 <= self.batch_crops <= 1024
        require(ok, "batch_crops must be 1 to 1024", self.batch_crops)
        require(self.device in DEVICE_NAMES, f"device must be one of {', '.join(DEVICE_NAMES)}", self.device)
        require(1 <= self.threads <= 256, "threads must be 1 to 256", self.threads)


@dataclass(frozen=True, slots=True)
class JudgeSettings:
    """How much must be seen of a person before fake or real is said; below it is unsure.

    Attributes:
        min_frames: Frames that show the person; a clip with fewer frames must show it in all.
            Five is a choice, not a measurement.
        min_face_px: Median of the box's shorter side; the weights learned from faces of 100 px and more,
            and a face of 48 px is enlarged more than four times to 224.
        min_detail_px: Detail in the median frame, see `unmask.faces.detail.measure_detail`. Of sharp faces
            of 48 px the median has 45, of those of 32 px that were enlarged to twice or four times 34 to 39.
        chosen_among: Looks at faces in the whole film from which a stretch was chosen to be examined; it is
            judged as one of them. 0 where nothing was chosen.
    """

    min_frames: int = 5
    min_face_px: float = 48.0
    min_detail_px: float = 40.0
    chosen_among: int = 0

    def __post_init__(self) -> None:
        require(self.min_frames >= 1, "min_frames must be 1 or more", self.min_frames)
        require(self.min_face_px >= 0, "min_face_px must be 0 or more", self.min_face_px)
        require(self.min_detail_px >= 0, "min_detail_px must be 0 or more", self.min_detail_px)
        require(self.chosen_among >= 0, "chosen_among must be 0 or more", self.chosen_among)


PEOPLE_POLICIES = ("all", "living_first", "moving", "largest")
"""Ways to tell whose face counts; see `TrackSettings`."""


@dataclass(frozen=True, slots=True)
class TrackSettings:
    """How faces are linked into people, and which tracks are no person.

    Attributes:
        reach_sides: How far a face may move between two sampled frames at once, in sides of its box.
        speed_sides_per_second: Added to the reach for every second between the two frames.
        max_reach_sides: Most that both together allow.
        max_gap_frames: A face that is missing in more sampled frames than this in a row starts a new track.
        min_likeness: Correlation of two faces and their surroundings, -1 to 1, below which one does not
            continue the other's track, since the scene was cut.
        far_likeness: Correlation from which a face beyond its reach, up to the most, or after a long time is
            the same after all. Of 167 steps of one person, most of 0.9 s, all but 4 correlate by 0.7 or more;
            of 561 pairs of two people one in ten by more than 0.65.
        slow_seconds: From one sampled frame to the next; where it is more, only `far_likeness` counts, or few
            frames would join two people.
        duplicate_cover: A face whose box and a surer one's cover more than this share of the smaller is the
            same face found twice, 0 to 1.
        min_frames: Sampled frames that must show a person; never more than half of the clip's.
        min_frames_fraction: The same as a fraction of the clip's sampled frames; the larger of both counts.
        min_face_px: Median of the box's shorter side, in pixels of the full-resolution frame. With 20
            everybody whose face is 20 px high was lost on the face bench; nothing false came of 12.
        min_confidence: Mean of the detector's confidence, 0 to 1. The best trials of tuning had 0.7 to 0.88.
        seldom_confidence: The same for who is seen in less than half of the sampled frames. In 176 real clips
            three such tracks on hair and cloth had 0.89 to 0.91, the least sure person 0.94.
        policy: Whose face counts: ``all``; ``moving``, those that are no picture of a face; ``living_first``,
            the same, but where nobody else is found the pictures, which then are what the clip shows;
            ``largest``, of the moving ones the ``largest`` with the largest faces.
        largest: How many people ``largest`` keeps.
        max_people: How many are kept at most, those with the largest faces: a stadium must not take hours.
        still_change: A face that changes less within itself, in shares of its contrast, is a picture. The
            stillest of 190 living faces changed by 0.066.
        still_seconds: Shorter tracks are never taken for pictures.
    """

    reach_sides: float = 0.5
    speed_sides_per_second: float = 2.0
    max_reach_sides: float = 2.0
    max_gap_frames: int = 6
    min_likeness: float = 0.05
    far_likeness: float = 0.7
    slow_seconds: float = 0.4
    duplicate_cover: float = 0.6
    min_frames: int = 4
    min_frames_fraction: float = 0.1
    min_face_px: float = 12.0
    min_confidence: float = 0.8
    seldom_confidence: float = 0.93
    policy: str = "living_first"
    largest: int = 1
    max_people: int = 40
    still_change: float = 0.05
    still_seconds: float = 2.0

    def __post_init__(self) -> None:
        require(
            self.policy in PEOPLE_POLICIES, f"policy must be one of {', '.join(PEOPLE_POLICIES)}", self.policy
        )
        require(self.largest >= 1, "largest must be 1 or more", self.largest)
        require(self.max_people >= 1, "max_people must be 1 or more", self.max_people)
        for name in ("reach_sides", "speed_sides_per_second", "max_reach_sides", "max_gap_frames"):
            require(getattr(self, name) >= 0, f"{name} must be 0 or more", getattr(self, name))
        for name in ("min_likeness", "far_likeness"):
            require(-1 <= getattr(self, name) <= 1, f"{name} must be -1 to 1", getattr(self, name))
        for name in ("still_change", "still_seconds", "slow_seconds"):
            require(getattr(self, name) >= 0, f"{name} must be 0 or more", getattr(self, name))
        for name in ("duplicate_cover", "min_frames_fraction", "min_confidence", "seldom_confidence"):
            require(0 <= getattr(self, name) <= 1, f"{name} must be 0 to 1", getattr(self, name))
        require(self.min_frames >= 1, "min_frames must be 1 or more", self.min_frames)
        require(self.min_face_px >= 0, "min_face_px must be 0 or more", self.min_face_px)


@dataclass(frozen=True, slots=True)
class ScanSettings:
    """Everything a scan can be told; how crops are cut is on the model's card.

    Attributes:
        model: Path of a model's card, or name of a downloaded one; None takes the shipped model.
        beside: Further models that judge the same faces; a file is fake or real only where all say so.
        threshold: ``p_fake`` from which a file is called fake, 0 to 1; None takes the card's.
        decode: Sampling and limits.
        detect: Face detection.
        track: Linking faces into people.
        score: Running the network.
        judge: How much evidence a verdict needs.
        stability: Whether each verdict is tried again on worse versions of the clip; takes six times as long.
        embedder: What tells who of one shot is who in another, one of `EMBEDDER_NAMES`; ``auto`` takes what
            is installed, and without one each face stands alone.
    """

    model: str | None = None
    threshold: float | None = None
    decode: DecodeSettings = field(default_factory=DecodeSettings)
    detect: DetectSettings = field(default_factory=DetectSettings)
    track: TrackSettings = field(default_factory=lambda: TrackSettings())
    score: ScoreSettings = field(default_factory=ScoreSettings)
    judge: JudgeSettings = field(default_factory=JudgeSettings)
    stability: bool = False
    beside: tuple[str, ...] = ()
    embedder: str = "auto"

    def __post_init__(self) -> None:
        ok = self.threshold is None or 0 <= self.threshold <= 1
        require(ok, "threshold must be 0 to 1", self.threshold)
        ok = self.embedder in EMBEDDER_NAMES
        require(ok, f"embedder must be one of {', '.join(EMBEDDER_NAMES)}", self.embedder)


SANDBOXES = ("auto", "off", "require")
"""Whether workers are closed in: as far as the system can, not at all, or else nothing is done."""


@dataclass(frozen=True, slots=True)
class LimitSettings:
    """What a worker process that opens strangers' files may use, and whether it is closed in.

    Attributes:
        memory_mb: Most memory that it may hold, in MiB; 0 sets no limit. None takes 4096 and four times the
            size of the models, or no limit where a build of onnxruntime for accelerators is installed, as
            their drivers reserve far more.
        cpu_seconds: Processor time, of all its threads, for one file or one piece of a long video.
        sandbox: One of `SANDBOXES`. Closed in, it has no network, starts no programs and writes to no place
            but a folder of its own (`unmask.work.sandbox`).
    """

    memory_mb: int | None = None
    cpu_seconds: float = 3600.0
    sandbox: str = SANDBOXES[0]

    def __post_init__(self) -> None:
        ok = self.memory_mb is None or self.memory_mb == 0 or self.memory_mb >= 512
        require(ok, "memory_mb must be 0 or at least 512", self.memory_mb)
        ok = 1 <= self.cpu_seconds <= MAX_TIME_SECONDS
        require(ok, f"cpu_seconds must be 1 to {MAX_TIME_SECONDS:g}", self.cpu_seconds)
        require(self.sandbox in SANDBOXES, f"sandbox must be one of {', '.join(SANDBOXES)}", self.sandbox)


@dataclass(frozen=True, slots=True)
class BatchSettings:
    """How many files are scanned side by side, and when one is given up.

    Attributes:
        jobs: Worker processes, each with one thread for its networks; None takes the usable cores, at
            most 4, since a worker that scans holds up to about 1 GB.
        time_limit_seconds: Wall time for one file, or one piece of a long video, without anything new; then
            its worker is killed. Well above the time limit of decoding, which stops by itself and says why.
        limits: Of each worker that scans.
    """

    jobs: int | None = None
    time_limit_seconds: float = 600.0
    limits: LimitSettings = field(default_factory=LimitSettings)

    def __post_init__(self) -> None:
        require(self.jobs is None or 1 <= self.jobs <= 256, "jobs must be 1 to 256", self.jobs)
        check_time_limit(self.time_limit_seconds)
