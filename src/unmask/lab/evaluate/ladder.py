"""How the ranking holds when clips get worse, step by step."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from unmask.config import BatchSettings, ScanSettings
from unmask.errors import DataError, MediaError
from unmask.judge.card import Card
from unmask.lab.evaluate.bootstrap import measure
from unmask.lab.evaluate.clips import LabelledClip
from unmask.lab.evaluate.contenders import Contender
from unmask.lab.evaluate.examine import Examiner, each_clip
from unmask.lab.evaluate.metrics import Scored, auc
from unmask.video.distort import DISTORTIONS, LEVELS, distort_clip
from unmask.work.each import Do, Tell

FRAMES = 10
DRAWS = 300
Step = tuple[str, int]
CLEAN: Step = ("", 0)
STEPS: tuple[Step, ...] = (CLEAN, *((kind, level) for kind in DISTORTIONS for level in range(1, LEVELS + 1)))
Rungs = dict[Step, dict[str, float | None]]
"""``p_fake`` of one clip by step and model; None where there is no number."""


def climb(
    clips: Sequence[LabelledClip],
    contenders: Sequence[Contender],
    settings: ScanSettings | None = None,
    batch: BatchSettings | None = None,
) -> Generator[tuple[int, Rungs]]:
    """Judge every clip at every step in child processes; faces are looked for anew at each.

    Args:
        clips: What to judge.
        contenders: The models.
        settings: Decoding, detection and tracking; `FRAMES` frames by default.
        batch: Jobs; the time limit is for one clip at all steps.

    Yields:
        Place of the clip and its numbers.
    """
    settings = settings or ScanSettings()
    settings = replace(settings, decode=replace(settings.decode, frames=FRAMES))
    return each_clip(clips, partial(_load, settings, tuple(contenders)), batch, failed=lambda _: {})


def _load(settings: ScanSettings, contenders: Sequence[Contender]) -> Do[str, Rungs]:
    return partial(_climb_one, Examiner(settings, contenders))


def _climb_one(examiner: Examiner, path: str, _: Tell) -> Rungs:
    try:
        clip = examiner.read(path)
    except (MediaError, DataError, OSError):
        return {}
    return {
        (kind, level): examiner.rule(distort_clip(clip, kind, level=level) if level else clip)
        for kind, level in STEPS
    }


def summarise_ladder(
    clips: Sequence[LabelledClip], rungs: Sequence[Rungs], cards: Mapping[str, Card]
) -> dict[str, Any]:
    """AUC by model, kind and level, as plain types.

    Args:
        clips: The set.
        rungs: Of each clip.
        cards: The models by the name they are measured under.
    """

    def at(step: Step) -> dict[str, Any]:
        return {model: auc_of(clips, [rung.get(step, {}).get(model) for rung in rungs]) for model in cards}

    return {
        "frames": FRAMES,
        "about": {kind: distortion.about for kind, distortion in DISTORTIONS.items()},
        "clean": at(CLEAN),
        "distortions": {
            kind: [
                {"level": level, "amount": distortion.amounts[level - 1], "models": at((kind, level))}
                for level in range(1, LEVELS + 1)
            ]
            for kind, distortion in DISTORTIONS.items()
        },
    }


def auc_of(clips: Sequence[LabelledClip], p_fake: Sequence[float | None]) -> dict[str, Any]:
    """AUC with its interval over those of the clips that got a number; None with one class only."""
    known = [(clip, p) for clip, p in zip(clips, p_fake, strict=True) if p is not None]
    found: dict[str, Any] = {"judged": len(known), "clips": len(clips)}
    try:
        scored = Scored(
            np.array([clip.fake for clip, _ in known], bool),
            np.array([p for _, p in known], float),
            np.array([clip.original for clip, _ in known], str),
        )
    except DataError:  # one class only
        return found | {"auc": None, "low": None, "high": None}
    figure = measure(scored, {"auc": auc}, draws=DRAWS)["auc"]
    return found | {"auc": round(figure.value, 6), "low": round(figure.low, 6), "high": round(figure.high, 6)}
