"""Splits that put no original, person or part on two sides, and the proof of it.

By default a group's side depends on nothing but its name and the seed, so that files that come later change
nothing. Shares then hold on the average: with few groups a split can be off by chance. ``stratify`` gives
every split its share of each kind of group instead, and takes an earlier split to stay stable.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from unmask.errors import DataError, SettingsError
from unmask.lab.datasets.groups import GROUPINGS, Links
from unmask.lab.datasets.video_index import clip_of, usable

if TYPE_CHECKING:
    from pandas import DataFrame


def _default_shares() -> dict[str, float]:
    return {"train": 0.8, "val": 0.1, "test": 0.1}


@dataclass(frozen=True, slots=True)
class SplitSettings:
    """How an index is split.

    Attributes:
        by: What stays together, a key of `unmask.lab.datasets.groups.GROUPINGS`.
        shares: Name and share of each split; they add up to 1.
        seed: Another number gives another split.
        stratify: Give each split its share of the groups with reals only, with fakes only and with both.
    """

    by: str = "original"
    shares: Mapping[str, float] = field(default_factory=_default_shares)
    seed: int = 0
    stratify: bool = False

    def __post_init__(self) -> None:
        if self.by not in GROUPINGS:
            raise SettingsError(f"unknown grouping {self.by!r}; choose from: {', '.join(GROUPINGS)}")
        ok = all(share > 0 for share in self.shares.values()) and abs(sum(self.shares.values()) - 1) < 1e-6
        if not ok:
            raise SettingsError(f"shares must be above 0 and add up to 1, got {dict(self.shares)}")


@dataclass(frozen=True, slots=True)
class SplitCount:
    """What is in one split; of the videos only those with status ok."""

    groups: int
    originals: int
    videos: int
    real: int
    fake: int


@dataclass(frozen=True, slots=True)
class SplitProof:
    """What was counted in a split index, and what is on more than one side.

    Attributes:
        counts: By split.
        crossing: For each column that was looked at, how many of its values are on two sides or more, and how
            many there are.
    """

    counts: dict[str, SplitCount]
    crossing: dict[str, tuple[int, int]]


def split_index(
    frame: DataFrame,
    settings: SplitSettings | None = None,
    *,
    links: Links = (),
    earlier: DataFrame | None = None,
) -> DataFrame:
    """Write the columns ``group`` and ``split`` anew.

    Args:
        frame: An index.
        settings: How.
        links: Names of clips that belong together besides what the index says, such as near duplicates.
        earlier: A split index; groups that hold a video of it stay where they were.

    Returns:
        A copy with these columns.

    Raises:
        DataError: The earlier splits put one group on two sides, or have names that the shares lack.
    """
    settings = settings or SplitSettings()
    split = frame.copy()
    groups = GROUPINGS[settings.by](frame, links)
    split["group"] = groups
    kept: dict[str, str] = {}
    if earlier is not None:
        kept = _sides_of(earlier, dict(zip(frame.index, groups, strict=True)), settings)
    if settings.stratify:
        sides = _balance(split, kept, settings)
    else:
        hashed = {group: _position(group, settings.seed) for group in groups if group not in kept}
        sides = kept | {group: _place(position, settings.shares) for group, position in hashed.items()}
    split["split"] = split["group"].map(sides).astype("str")
    return split


def prove_split(frame: DataFrame) -> SplitProof:
    """Count what is in each split and what is on two sides, from the columns alone.

    Args:
        frame: An index whose ``split`` is filled; columns ``group``, ``person`` and ``sha256`` are looked at
            where they have values, and originals always.
    """
    counts = {}
    clips = clip_of(frame)
    for name, rows in frame.groupby("split", sort=False):
        used = usable(rows)
        groups = rows["group"] if "group" in rows else clip_of(rows)
        counts[str(name)] = SplitCount(
            groups=int(groups.nunique()),
            originals=int(clip_of(rows).nunique()),
            videos=len(used),
            real=int((used["label"] == "REAL").sum()),
            fake=int((used["label"] == "FAKE").sum()),
        )
    columns = {"original": clips} | {
        name: frame[name]
        for name in ("group", "person", "sha256")
        if name in frame and frame[name].notna().any()
    }
    crossing = {}
    for name, values in columns.items():
        sides = frame["split"].groupby(values.to_numpy()).nunique()
        crossing[name] = (int((sides > 1).sum()), len(sides))
    return SplitProof(counts, crossing)


def parse_shares(text: str) -> dict[str, float]:
    """Read shares as a command line gives them.

    Raises:
        SettingsError: It is no list of NAME=NUMBER.

    Example:
        >>> parse_shares("train=0.9,val=0.1")
        {'train': 0.9, 'val': 0.1}
    """
    shares = {}
    for item in text.split(","):
        name, equals, number = item.partition("=")
        try:
            shares[name.strip()] = float(number)
        except ValueError:
            equals = ""
        if not equals or not name.strip():
            raise SettingsError(f"shares must look like train=0.8,val=0.1,test=0.1, got {text!r}")
    return shares


def _position(group: str, seed: int) -> float:
    digest = hashlib.sha256(f"{seed} {group}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def _place(position: float, shares: Mapping[str, float]) -> str:
    end = 0.0
    for name, share in shares.items():
        end += share
        if position < end:
            return name
    return list(shares)[-1]


def _sides_of(earlier: DataFrame, group_of: Mapping[str, str], settings: SplitSettings) -> dict[str, str]:
    sides: dict[str, str] = {}
    for name, side in zip(earlier.index, earlier["split"], strict=True):
        group = group_of.get(name)
        if group is None or not isinstance(side, str):
            continue
        if side not in settings.shares:
            known = ", ".join(settings.shares)
            raise DataError(f"the earlier split {side!r} of {name} must be one of {known}")
        if sides.setdefault(group, side) != side:
            raise DataError(
                f"{name} was in {side!r} and shares a {settings.by} with videos in {sides[group]!r}; what is"
                " linked now was apart then, so split anew without the earlier one"
            )
    return sides


def _balance(split: DataFrame, kept: Mapping[str, str], settings: SplitSettings) -> dict[str, str]:
    """Each group, in the order of its hash, goes where most videos of its kind are lacking."""
    sizes: dict[str, int] = {}
    kinds: dict[str, set[str]] = {}
    for group, label in zip(split["group"], split["label"], strict=True):
        sizes[group] = sizes.get(group, 0) + 1
        kinds.setdefault(group, set()).add(str(label))
    strata: dict[tuple[str, ...], list[str]] = {}
    for group, labels in kinds.items():
        strata.setdefault(tuple(sorted(labels)), []).append(group)
    sides = dict(kept)
    for members in strata.values():
        _fill(members, sizes, sides, settings)
    return sides


def _fill(
    members: Iterable[str], sizes: Mapping[str, int], sides: dict[str, str], settings: SplitSettings
) -> None:
    ordered = sorted(members, key=lambda group: (group not in sides, _position(group, settings.seed)))
    total = 0
    filled = dict.fromkeys(settings.shares, 0)
    for group in ordered:
        total += sizes[group]
        if group not in sides:
            sides[group] = max(filled, key=lambda name: settings.shares[name] * total - filled[name])
        filled[sides[group]] += sizes[group]
