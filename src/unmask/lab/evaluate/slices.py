"""How the figures differ between kinds of clips: small and large faces, dark and bright ones, and so on."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from unmask.errors import DataError
from unmask.judge.verdict import Ruling
from unmask.lab.evaluate.bootstrap import measure
from unmask.lab.evaluate.clips import LabelledClip
from unmask.lab.evaluate.examine import Findings
from unmask.lab.evaluate.metrics import Scored, auc

DRAWS = 300
Limits = tuple[tuple[float, str], ...]
_SHORT_SIDE: Limits = ((480, "under 480 px"), (720, "480 to 719 px"), (1080, "720 to 1079 px"))
_FACE: Limits = ((80, "under 80 px"), (160, "80 to 159 px"), (320, "160 to 319 px"))
_LUMA: Limits = ((70, "dark, under 70"), (150, "70 to 149"))


@dataclass(frozen=True, slots=True)
class Slice:
    """The clips of one kind.

    Attributes:
        kind: What clips are told apart by.
        value: Which of its values.
        clips: How many got a number.
        fakes: How many of these are labelled fake.
        p_real: Mean probability given to the reals; None without any.
        p_fake: The same for the fakes.
        accuracy: Share that is right at the card's threshold.
        auc: With its interval; None without both classes.
    """

    kind: str
    value: str
    clips: int
    fakes: int
    p_real: float | None
    p_fake: float | None
    accuracy: float
    auc: dict[str, float] | None


def _step(number: float, limits: Limits, last: str) -> str | None:
    if not (math.isfinite(number) and number > 0):
        return None
    return next((name for limit, name in limits if number < limit), last)


Kind = Callable[[LabelledClip, Findings], str | None]
KINDS: dict[str, Kind] = {
    "resolution, short side": lambda _, f: _step(min(f.width, f.height), _SHORT_SIDE, "1080 px and more"),
    "face size": lambda _, f: _step(f.face_px, _FACE, "320 px and more"),
    "brightness of the faces": lambda _, f: _step(f.brightness, _LUMA, "bright, 150 and more"),
    "people": lambda _, f: None if not f.people else str(f.people) if f.people < 3 else "3 or more",
    "codec": lambda clip, _: clip.facts.get("codec"),
    "method": lambda clip, _: clip.facts.get("method"),
    "part": lambda clip, _: clip.facts.get("part"),
}
"""What clips are told apart by. Fakes of one method stand beside all reals, which have none."""


def slice_scores(
    clips: Sequence[LabelledClip],
    findings: Sequence[Findings],
    rulings: Sequence[Ruling],
    *,
    threshold: float,
) -> list[dict[str, Any]]:
    """One row for each value of each kind, as plain types; a kind with a single value is left out.

    Args:
        clips: The set.
        findings: Of each clip.
        rulings: One model's, of each clip; those without a number are passed over.
        threshold: From which on a clip is called fake.
    """
    rows = []
    for kind, of in KINDS.items():
        values = [of(clip, found) for clip, found in zip(clips, findings, strict=True)]
        names = sorted({value for value in values if value}, key=_order)
        for value in names if len(names) > 1 or kind == "method" else []:
            places = [
                place
                for place, mine in enumerate(values)
                if rulings[place].p_fake is not None
                and (mine == value or (kind == "method" and not clips[place].fake))
            ]
            if places:
                fake = np.array([clips[place].fake for place in places], bool)
                p_fake = np.array([rulings[place].p_fake for place in places], float)
                source = np.array([clips[place].original for place in places], str)
                rows.append(asdict(_slice(kind, value, (fake, p_fake, source), threshold)))
    return rows


def _slice(kind: str, value: str, scores: tuple[Any, Any, Any], threshold: float) -> Slice:
    fake, p_fake, source = scores
    try:
        area = asdict(measure(Scored(fake, p_fake, source), {"auc": auc}, draws=DRAWS)["auc"])
    except DataError:  # one class only
        area = None
    return Slice(
        kind=kind,
        value=value,
        clips=len(fake),
        fakes=int(fake.sum()),
        p_real=float(p_fake[~fake].mean()) if not fake.all() else None,
        p_fake=float(p_fake[fake].mean()) if fake.any() else None,
        accuracy=float(np.mean((p_fake >= threshold) == fake)),
        auc=area,
    )


_ORDER = [name for limits in (_SHORT_SIDE, _FACE, _LUMA) for _, name in limits]


def _order(value: str) -> tuple[int, str]:
    return (_ORDER.index(value) if value in _ORDER else len(_ORDER), value)
