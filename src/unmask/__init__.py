"""unmask: were the faces in this video manipulated?

>>> import unmask
>>> verdict = unmask.scan("no such file.mp4")
>>> verdict.outcome.value, verdict.p_fake, verdict.reason
('unreadable', None, 'no such file')

Importing the package is cheap: each name below is loaded when it is first used.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

from unmask.moved import know_old_names
from unmask.version import __version__

if TYPE_CHECKING:
    from unmask.api import cut_crops, find_faces, read_clip, read_clips, scan, watch
    from unmask.batch import scan_many
    from unmask.config import (
        BatchSettings,
        CropSettings,
        DecodeSettings,
        DetectSettings,
        JudgeSettings,
        LimitSettings,
        ScanSettings,
        ScoreSettings,
        TrackSettings,
    )
    from unmask.errors import (
        DamagedError,
        DataError,
        MediaError,
        MissingExtraError,
        ModelError,
        SettingsError,
        UnmaskError,
    )
    from unmask.faces.detect import FaceDetector
    from unmask.judge.card import Card, own_card
    from unmask.judge.score import CropScorer
    from unmask.judge.stored import read_verdict
    from unmask.pipeline import Scanner, load_scanner
    from unmask.report.notebook import play_tracked, show_faces
    from unmask.types import Clip, Crops, Face, Frame, Track
    from unmask.verdicts import Appearance, Outcome, Person, PersonFrame, Segment, Shot, Sighting, Verdict

__all__ = [
    "Appearance",
    "BatchSettings",
    "Card",
    "Clip",
    "CropScorer",
    "CropSettings",
    "Crops",
    "DamagedError",
    "DataError",
    "DecodeSettings",
    "DetectSettings",
    "Face",
    "FaceDetector",
    "Frame",
    "JudgeSettings",
    "LimitSettings",
    "MediaError",
    "MissingExtraError",
    "ModelError",
    "Outcome",
    "Person",
    "PersonFrame",
    "ScanSettings",
    "Scanner",
    "ScoreSettings",
    "Segment",
    "SettingsError",
    "Shot",
    "Sighting",
    "Track",
    "TrackSettings",
    "UnmaskError",
    "Verdict",
    "__version__",
    "cut_crops",
    "find_faces",
    "load_scanner",
    "own_card",
    "play_tracked",
    "read_clip",
    "read_clips",
    "read_verdict",
    "scan",
    "scan_many",
    "show_faces",
    "watch",
]

_HOMES = {
    "api": ("cut_crops", "find_faces", "read_clip", "read_clips", "scan", "watch"),
    "batch": ("scan_many",),
    "config": (
        "BatchSettings",
        "CropSettings",
        "DecodeSettings",
        "DetectSettings",
        "JudgeSettings",
        "LimitSettings",
        "ScanSettings",
        "ScoreSettings",
        "TrackSettings",
    ),
    "errors": (
        "DamagedError",
        "DataError",
        "MediaError",
        "MissingExtraError",
        "ModelError",
        "SettingsError",
        "UnmaskError",
    ),
    "faces.detect": ("FaceDetector",),
    "judge.card": ("Card", "own_card"),
    "judge.score": ("CropScorer",),
    "judge.stored": ("read_verdict",),
    "pipeline": ("Scanner", "load_scanner"),
    "report.notebook": ("play_tracked", "show_faces"),
    "types": ("Clip", "Crops", "Face", "Frame", "Track"),
    "verdicts": ("Appearance", "Outcome", "Person", "PersonFrame", "Segment", "Shot", "Sighting", "Verdict"),
}

know_old_names()

# Builds of onnxruntime since 1.32 note what they are used for, to tell their maker. Nothing that unmask does
# is told to anybody; the variable must be there before onnxruntime is loaded, in child processes too.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"unmask.{home}"), name)
    raise AttributeError(f"module 'unmask' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
