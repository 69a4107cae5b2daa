"""How the figures differ between kinds of clips: small and large faces, dark and bright ones, and so on."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from unmask.errors import DataError
from unmask.judge.verdict import Ruling
from unmask.lab.evaluate.bootstrap import measure
from unmask.lab.evaluate.clips import FACTS, LabelledClip
from unmask.lab.evaluate.examine import Findings
from unmask.lab.evaluate.metrics import Scored, auc

DRAWS = 300
ENOUGH_REALS, MOST_UNEVEN = 100, 2.0
"""A group of so many reals must not have more than so many times the false alarms of all."""
MOST_VALUES = 12  # of a fact in numbers; more are told in bands of about equally many clips
BANDS = 5
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
        false_alarms: Share of the reals that is called fake, with its interval; None without any.
    """

    kind: str
    value: str
    clips: int
    fakes: int
    p_real: float | None
    p_fake: float | None
    accuracy: float
    auc: dict[str, float] | None
    false_alarms: dict[str, float] | None


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
    asked = sorted({key for clip in clips for key in clip.facts} - set(FACTS))
    told = {
        kind: [of(clip, found) for clip, found in zip(clips, findings, strict=True)]
        for kind, of in KINDS.items()
    } | {fact: band_values([clip.facts.get(fact) for clip in clips]) for fact in asked}
    for kind, values in told.items():
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


def find_uneven(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Groups of `ENOUGH_REALS` reals or more with over `MOST_UNEVEN` times the false alarms of their kind.

    Args:
        rows: Of `slice_scores`.

    Returns:
        These rows, each with ``times`` the mean over all reals of its kind.
    """
    found = []
    for kind in dict.fromkeys(row["kind"] for row in rows):
        mine = [row for row in rows if row["kind"] == kind and row["false_alarms"]]
        reals = [row["clips"] - row["fakes"] for row in mine]
        alarms = [row["false_alarms"]["value"] for row in mine]
        mean = float(np.average(alarms, weights=reals)) if mine else 0.0
        found += [
            row | {"times": round(alarm / mean, 2)}
            for row, count, alarm in zip(mine, reals, alarms, strict=True)
            if count >= ENOUGH_REALS and alarm > MOST_UNEVEN * mean
        ]
    return found


def band_values(values: Sequence[str | None]) -> list[str | None]:
    """Numbers of many values in bands of about equally many clips; everything else as it is.

    >>> band_values(["f", "m", None])
    ['f', 'm', None]
    >>> sorted(set(band_values([str(age) for age in range(50)])))
    ['0 to 9', '10 to 19', '20 to 29', '30 to 39', '40 to 49']
    """
    known = [value for value in values if value is not None]
    try:
        numbers = np.array(known, float)
    except ValueError:
        return list(values)
    if len(set(known)) <= MOST_VALUES or not np.isfinite(numbers).all():
        return list(values)
    ranked = np.sort(numbers)
    first = np.unique(ranked[[len(ranked) * band // BANDS for band in range(BANDS)]])
    names = []
    for place, low in enumerate(first):
        inside = (
            ranked[ranked >= low]
            if place == len(first) - 1
            else ranked[(ranked >= low) & (ranked < first[place + 1])]
        )
        names.append(f"{low:g} to {inside[-1]:g}")
    return [
        None if v is None else names[int(np.searchsorted(first, float(v), side="right")) - 1] for v in values
    ]


def share_of(count: int, of: int) -> dict[str, float]:
    """A share with its 95 % interval, after E. B. Wilson, JASA 1927, which holds for few and for none, too.

    >>> share_of(0, 100)
    {'value': 0.0, 'low': 0.0, 'high': 0.036993}
    """
    share, z = count / of, 1.959964
    middle, spread = share + z * z / (2 * of), z * math.sqrt(share * (1 - share) / of + (z / (2 * of)) ** 2)
    low, high = ((middle + way * spread) / (1 + z * z / of) for way in (-1, 1))
    return {"value": round(share, 6), "low": round(max(0.0, low), 6), "high": round(min(1.0, high), 6)}


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
        false_alarms=share_of(int((p_fake[~fake] >= threshold).sum()), int((~fake).sum()))
        if not fake.all()
        else None,
    )


_ORDER = [name for limits in (_SHORT_SIDE, _FACE, _LUMA) for _, name in limits]


def _order(value: str) -> tuple[int, float, str]:
    """Named steps as they rise, then by the number in front, then by the letters."""
    number = re.match(r"-?\d+(\.\d+)?", value)
    place = _ORDER.index(value) if value in _ORDER else len(_ORDER)
    return place, float(number[0]) if number else math.inf, value
