"""From what was found in labelled clips to figures: the content of ``metrics.json``."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np

from unmask.config import JudgeSettings
from unmask.errors import DataError
from unmask.judge.card import Card
from unmask.judge.verdict import Ruling
from unmask.lab.evaluate.bootstrap import DRAWS, compare, measure
from unmask.lab.evaluate.calibrate import cross_calibrate
from unmask.lab.evaluate.clips import LabelledClip
from unmask.lab.evaluate.examine import Findings, clip_logit, frame_logits, judge, person_logits
from unmask.lab.evaluate.metrics import (
    PROBABILITY,
    RANKING,
    Metric,
    Scored,
    at_threshold,
    auc,
    log_loss,
    pair_accuracy,
)
from unmask.lab.evaluate.slices import find_uneven, slice_scores
from unmask.verdicts import Outcome
from unmask.version import __version__

CLIP_STEPS = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.02, 0.03, 0.05, 0.08, 0.12, 0.17, 0.25, 0.35)
COMPARED: dict[str, Metric] = {"auc": auc, "pair_accuracy": pair_accuracy, "log_loss": log_loss}
FRAME_DRAWS = 200
"""Resamplings for frames, of which there are many."""


@dataclass(frozen=True)
class Judged:
    """One model's answers on a set of clips.

    Attributes:
        model: The name it is measured under.
        card: What is known of it.
        clips: The set.
        findings: Of each clip.
        settings: How much must be seen of a person.
    """

    model: str
    card: Card
    clips: Sequence[LabelledClip]
    findings: Sequence[Findings]
    settings: JudgeSettings

    @cached_property
    def rulings(self) -> list[Ruling]:
        """As ``unmask scan`` would give them, one a clip."""
        return [judge(found, self.model, self.card, self.settings) for found in self.findings]

    @cached_property
    def logits(self) -> list[float | None]:
        """The logit that decides each clip; None where there is none."""
        return [clip_logit(found, self.model, self.settings) for found in self.findings]

    @cached_property
    def places(self) -> list[int]:
        """Which clips have a number."""
        return [place for place, ruling in enumerate(self.rulings) if ruling.p_fake is not None]

    def videos(self) -> Scored:
        """Videos with a number, as the card calibrates them."""
        return self._scored([(place, self._p_fake(place)) for place in self.places])

    def recalibrated(self) -> Scored:
        """The same, each calibrated by a temperature that was fitted on other originals."""
        logits = np.array([self.logits[place] for place in self.places], float)
        plain = self.videos()
        return Scored(plain.fake, cross_calibrate(logits, plain.fake, np.array(plain.source)), plain.source)

    def people(self) -> Scored:
        """Everyone who was scored; a person has the label of the clip."""
        probability = self.card.calibration.probability
        return self._scored(
            (place, probability(logit))
            for place in self.places
            for logit in person_logits(self.findings[place], self.model).values()
        )

    def frames(self) -> Scored:
        """Every scored frame of everyone; it has the label of the clip."""
        probability = self.card.calibration.probability
        return self._scored(
            (place, probability(logit))
            for place in self.places
            for logit in frame_logits(self.findings[place], self.model)
        )

    def with_fallback(self, fallback: float) -> Scored:
        """All clips; one without a number gets the fallback, as in a submission."""
        return self._scored(
            (place, fallback if ruling.p_fake is None else ruling.p_fake)
            for place, ruling in enumerate(self.rulings)
        )

    def _p_fake(self, place: int) -> float:
        p_fake = self.rulings[place].p_fake
        return math.nan if p_fake is None else p_fake

    def _scored(self, rows: Any) -> Scored:
        places, p_fake = zip(*found, strict=True) if (found := list(rows)) else ((), ())
        return Scored(
            np.array([self.clips[place].fake for place in places], bool),
            np.array(p_fake, float),
            np.array([self.clips[place].original for place in places], str),
        )


def summarise(
    judged: Sequence[Judged], *, name: str, fallback: float = 0.5, draws: int = DRAWS
) -> dict[str, Any]:
    """All figures of an evaluation as plain JSON types; a figure that cannot be had is None.

    Args:
        judged: One a model, all of the same clips.
        name: Of the set.
        fallback: What a clip without a number gets where log loss over all clips is told.
        draws: Resamplings for the intervals.
    """
    clips = judged[0].clips
    summary: dict[str, Any] = _plain(
        {
            "unmask": __version__,
            "set": name,
            "clips": len(clips),
            "fakes": sum(clip.fake for clip in clips),
            "originals": len({clip.original for clip in clips}),
            "draws": draws,
            "models": {one.model: _model(one, fallback, draws) for one in judged},
            "differences": [_difference(*pair, draws) for pair in combinations(judged, 2)],
        }
    )
    return summary


def _model(judged: Judged, fallback: float, draws: int) -> dict[str, Any]:
    card = judged.card
    threshold = card.thresholds.fake_at_least
    found: dict[str, Any] = {
        "name": card.name,
        "sha256": card.sha256,
        "calibration": asdict(card.calibration),
        "fake_at_least": threshold,
        "real_at_most": card.thresholds.real_at_most,
        "coverage": _coverage(judged),
        "fallback": {"p_fake": fallback, "log_loss": log_loss(judged.with_fallback(fallback))},
    }
    try:
        videos = judged.videos()
    except DataError as error:
        return found | {"problem": f"{error}, of the clips that got a number"}
    metrics = RANKING | PROBABILITY | at_threshold(threshold)
    found["video"] = _figures(videos, metrics, draws)
    found["person"] = _figures(judged.people(), RANKING | PROBABILITY, draws)
    found["frame"] = _figures(judged.frames(), RANKING | PROBABILITY, min(draws, FRAME_DRAWS))
    found["clipping"] = [[clip, log_loss(videos, clip=clip)] for clip in CLIP_STEPS]
    found["slices"] = slice_scores(judged.clips, judged.findings, judged.rulings, threshold=threshold)
    found["uneven"] = find_uneven(found["slices"])
    found["originals"] = _originals(judged)
    try:
        found["recalibrated"] = _figures(judged.recalibrated(), PROBABILITY, draws)
    except DataError as error:
        found["recalibrated_problem"] = str(error)
    return found


def _figures(scored: Scored, metrics: Mapping[str, Metric], draws: int) -> dict[str, Any]:
    return {
        "count": len(scored),
        **{name: asdict(figure) for name, figure in measure(scored, metrics, draws=draws).items()},
    }


def _coverage(judged: Judged) -> dict[str, dict[str, int]]:
    """How many clips of each label got which outcome."""
    table = {}
    for label, fake in (("REAL", False), ("FAKE", True)):
        mine = [r for r, clip in zip(judged.rulings, judged.clips, strict=True) if clip.fake == fake]
        counts = Counter(ruling.outcome for ruling in mine)
        table[label] = {"clips": len(mine), "judged": sum(ruling.p_fake is not None for ruling in mine)}
        table[label] |= {outcome.value: counts[outcome] for outcome in Outcome}
    return table


def _originals(judged: Judged) -> list[dict[str, Any]]:
    """Each original with its fakes, those that are ranked worst first."""
    scores = {clip.name: ruling.p_fake for clip, ruling in zip(judged.clips, judged.rulings, strict=True)}
    rows = []
    unknown = {clip.name for clip in judged.clips if clip.fake and clip.original == clip.name}
    for name in sorted({clip.original for clip in judged.clips} - unknown):
        fakes = [scores[c.name] for c in judged.clips if c.fake and c.original == name]
        known = [p for p in fakes if p is not None]
        mean = float(np.mean(known)) if known else None
        rows.append({"original": name, "p_real": scores.get(name), "fakes": len(fakes), "p_fake_mean": mean})
    return sorted(rows, key=lambda row: (row["p_fake_mean"] or 0.5) - (row["p_real"] or 0.5))


def _difference(first: Judged, second: Judged, draws: int) -> dict[str, Any]:
    """How far two models are apart on the clips that both gave a number; log loss is taken recalibrated."""
    names = {"first": first.model, "second": second.model}
    both = sorted(set(first.places) & set(second.places))
    try:
        one, other = (_of(judged.videos(), judged.places, both) for judged in (first, second))
        gaps = compare(one, other, {name: COMPARED[name] for name in ("auc", "pair_accuracy")}, draws=draws)
        one, other = (_of(judged.recalibrated(), judged.places, both) for judged in (first, second))
        gaps |= compare(one, other, {"log_loss": log_loss}, draws=draws)
    except DataError as error:
        return names | {"problem": str(error)}
    return names | {"clips": len(both), **{name: asdict(gap) for name, gap in gaps.items()}}


def _of(scored: Scored, places: Sequence[int], wanted: Sequence[int]) -> Scored:
    row = {place: number for number, place in enumerate(places)}
    return scored.take(np.array([row[place] for place in wanted], int))


def _plain(value: Any) -> Any:
    """The same with None for what is no finite number, which JSON cannot hold."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value
