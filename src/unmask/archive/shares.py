"""Which part of the work a run does, where several runs share it, as the tasks of an array job."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from unmask.errors import SettingsError, require

_SCHEDULERS = (
    ("SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT", "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_STEP"),
    ("AWS_BATCH_JOB_ARRAY_INDEX", "AWS_BATCH_JOB_ARRAY_SIZE", "", ""),
    ("JOB_COMPLETION_INDEX", "", "", ""),
    ("BATCH_TASK_INDEX", "BATCH_TASK_COUNT", "", ""),
)
"""Variables of Slurm, AWS Batch, indexed jobs of Kubernetes and Google's Batch: which task this is, how many
there are, and what the first one and the step are where they are not 0 and 1."""


@dataclass(frozen=True, slots=True)
class Share:
    """Every so many-th shard.

    Attributes:
        index: Which of the runs this is, from 0.
        count: How many runs there are.
    """

    index: int = 0
    count: int = 1

    def __post_init__(self) -> None:
        require(self.count >= 1, "a shard must be one of 1 or more", self.count)
        ok = 0 <= self.index < self.count
        require(ok, f"--shard must be 1/{self.count} to {self.count}/{self.count}", self.index + 1)

    def has(self, shard: int) -> bool:
        """Whether a shard of the plan is this run's."""
        return shard % self.count == self.index

    @property
    def lock(self) -> str:
        """Name of the lock of this share."""
        return "lock" if self.count == 1 else f"lock-{self.index}-of-{self.count}"

    def alike(self, lock: str) -> bool:
        """Whether this is the lock of a run that shares the work in the same way, or this run's."""
        return lock == self.lock or (self.count > 1 and lock.endswith(f"-of-{self.count}"))


WHOLE = Share()


def read_share(text: str, environment: Mapping[str, str]) -> Share:
    """Which share is meant.

    Args:
        text: ``3/64`` is the third of 64; ``auto`` or ``auto/64`` takes it from what a scheduler
            sets for each task of an array job.
        environment: Variables of this process.

    Raises:
        SettingsError: It is none, or the scheduler does not say.

    >>> read_share("3/64", {})
    Share(index=2, count=64)
    >>> read_share("auto", {"AWS_BATCH_JOB_ARRAY_INDEX": "5", "AWS_BATCH_JOB_ARRAY_SIZE": "8"})
    Share(index=5, count=8)
    >>> read_share("auto/8", {"JOB_COMPLETION_INDEX": "0"})
    Share(index=0, count=8)
    """
    if found := re.fullmatch(r"(\d{1,7})/(\d{1,7})", text, re.ASCII):
        return Share(int(found[1]) - 1, int(found[2]))
    found = re.fullmatch(r"auto(?:/(\d{1,7}))?", text, re.ASCII)
    if found is None:
        raise SettingsError(f"--shard must be such as 3/64, auto, or auto/64, got {text!r}")
    for index, count, first, step in _SCHEDULERS:
        if index in environment:
            total = found[1] or environment.get(count)
            if not total:
                raise SettingsError(f"--shard auto/N must say how many tasks there are, as {index} does not")
            try:
                place = int(environment[index]) - int(environment.get(first) or 0)
                place //= int(environment.get(step) or 1)
            except (ValueError, ZeroDivisionError) as error:
                raise SettingsError(f"{index} must be a number, got {environment[index]!r}") from error
            return Share(place, int(total))
    names = ", ".join(index for index, *_ in _SCHEDULERS)
    raise SettingsError(f"--shard auto needs a task of an array job: none of {names} is set")
