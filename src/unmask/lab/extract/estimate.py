"""What an extraction will cost, from doing a sample of it."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unmask.archive.estimate import reckon, spread
from unmask.errors import DataError
from unmask.lab.extract.plan import Plan, make_plan
from unmask.lab.extract.run import extract
from unmask.lab.extract.store import CropStore
from unmask.lab.extract.worker import Extracted
from unmask.work.pool import Crew


@dataclass(frozen=True, slots=True)
class Estimate:
    """What an extraction will cost.

    Attributes:
        videos: In the plan.
        skipped: Of these, what the index says cannot be read.
        followers: Of these, what may take the boxes of another.
        sampled: How many were done to find this out.
        cpu_seconds: Of all.
        cpu_error_seconds: Twice the standard error of that, from how much the sampled videos differ.
        bytes: Of all shards.
        status: What came of the sampled ones.
    """

    videos: int
    skipped: int
    followers: int
    sampled: int
    cpu_seconds: float
    cpu_error_seconds: float
    bytes: float
    status: dict[str, int]

    def hours(self, workers: int) -> float:
        """Wall time when each worker has a core to itself."""
        return self.cpu_seconds / 3600 / workers


def estimate(plan: Plan, crew: Crew, *, families: int = 10) -> Estimate:
    """Do a few videos, spread evenly over the plan, and reckon with the rest.

    Videos that are searched and videos that take another's boxes cost differently and are reckoned apart.

    Args:
        plan: Of the extraction.
        crew: The workers.
        families: How many originals to do, each with one of its fakes.

    Raises:
        DataError: No video can be read.
    """
    waits = plan.settings.reuse_boxes
    leads = [n for n, leader in enumerate(plan.leaders) if (n == leader or not waits) and _usable(plan, n)]
    follows = [n for n, leader in enumerate(plan.leaders) if n != leader and waits and _usable(plan, n)]
    if not leads:
        raise DataError(f"none of {len(plan)} videos can be read; see the status in the index")
    chosen = spread(leads, families)
    led = {plan.leaders[n]: n for n in reversed(follows)}
    chosen += [led[n] for n in chosen if n in led]
    parts: list[Extracted] = []
    sample = make_plan([plan.videos[n] for n in chosen], plan.settings)
    folder = tempfile.TemporaryDirectory(prefix="unmask-")
    with folder as place, CropStore(Path(place) / "sample", sample) as store:
        extract(store, crew, on_done=parts.append)
    number = {plan.videos[n].name: n for n in chosen}
    groups: tuple[list[Extracted], list[Extracted]] = ([], [])
    for part in parts:
        groups[number[part.record["name"]] in led.values()].append(part)
    many = (len(leads), len(follows))
    cost = [reckon(n, [part.cpu_seconds for part in group]) for n, group in zip(many, groups, strict=True)]
    size = [reckon(n, [len(part.blob) for part in group])[0] for n, group in zip(many, groups, strict=True)]
    return Estimate(
        videos=len(plan),
        skipped=len(plan) - len(leads) - len(follows),
        followers=len(follows),
        sampled=len(parts),
        cpu_seconds=cost[0][0] + cost[1][0],
        cpu_error_seconds=(cost[0][1] ** 2 + cost[1][1] ** 2) ** 0.5,
        bytes=sum(size),
        status=_count(parts),
    )


def _usable(plan: Plan, number: int) -> bool:
    return not plan.videos[number].problem


def _count(parts: Sequence[Extracted]) -> dict[str, int]:
    found: dict[str, Any] = {}
    for part in parts:
        found[part.record["status"]] = found.get(part.record["status"], 0) + 1
    return found
