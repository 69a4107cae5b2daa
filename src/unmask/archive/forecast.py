"""What a scan of an archive will cost, from judging a few of its files."""

from __future__ import annotations

import contextlib
from collections import Counter, deque
from dataclasses import dataclass

from unmask.archive.estimate import reckon, spread
from unmask.archive.judging import FileTask, Judged
from unmask.archive.plan import Plan
from unmask.errors import DataError
from unmask.work.pool import Crew, run_crew

SAMPLED_FILES = 10


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a scan will cost.

    Attributes:
        files: In the plan.
        skipped: Of these, what is known to be unreadable.
        bytes: Of all files, as far as their sizes are known.
        sampled: How many were judged to find this out.
        failed: How many more failed.
        worker_seconds: Wall time of all files one after the other, fetching them included.
        worker_error_seconds: Twice the standard error of that, from how much the sampled files differ.
        cpu_seconds: CPU time of all.
        outcomes: Of the sampled ones.
    """

    files: int
    skipped: int
    bytes: int
    sampled: int
    failed: int
    worker_seconds: float
    worker_error_seconds: float
    cpu_seconds: float
    outcomes: dict[str, int]

    def hours(self, workers: int) -> float:
        """Wall time when each worker has a core to itself."""
        return self.worker_seconds / 3600 / workers


def forecast(plan: Plan, crew: Crew, *, files: int = SAMPLED_FILES) -> Forecast:
    """Judge a few files, spread evenly over all sizes, and reckon with the rest; nothing is kept.

    Files that are the same as another cost less than is reckoned here, since nothing is known of them yet.

    Args:
        plan: Of the scan.
        crew: The workers.
        files: How many to judge.

    Raises:
        DataError: No file can be judged.
    """
    usable = [number for number, file in enumerate(plan.files) if not file.problem]
    todo = deque(FileTask(number, plan.files[number]) for number in spread(usable, files))
    found: list[Judged] = []
    failed = 0
    with contextlib.closing(run_crew(lambda: todo.popleft() if todo else None, crew)) as answers:
        for _, answer in answers:
            if isinstance(answer, Judged):
                found.append(answer)
            else:
                failed += 1
    if not found:
        raise DataError(f"none of {len(plan)} files could be judged")
    spent = [one.seconds["fetch"] + one.seconds["total"] for one in found]
    wall, error = reckon(len(usable), spent)
    cpu, _ = reckon(len(usable), [one.seconds["cpu"] for one in found])
    return Forecast(
        files=len(plan),
        skipped=len(plan) - len(usable),
        bytes=sum(max(file.size_bytes, 0) for file in plan.files),
        sampled=len(found),
        failed=failed,
        worker_seconds=wall,
        worker_error_seconds=error,
        cpu_seconds=cpu,
        outcomes=dict(Counter(one.record["outcome"] for one in found)),
    )
