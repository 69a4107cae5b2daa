"""The engines that workers live in, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from unmask.config import LimitSettings
from unmask.errors import require
from unmask.work.limits import NO_LIMITS
from unmask.work.pool import Crew, Do
from unmask.work.processes import Processes, default_jobs


@dataclass(frozen=True, slots=True)
class CrewSettings:
    """Where workers run; of no effect on what comes out.

    Attributes:
        engine: A key of `ENGINES`.
        workers: How many; None takes the cores (at most four), or all of a cluster.
        limit_seconds: Wall time for one file without anything new, then its worker is killed.
        address: Of a Ray cluster, such as ``10.0.0.1:6379``; None starts one on this machine.
        limits: Of each worker that opens files. What a cluster starts is not limited itself; it needs workers
            of its own for that (`delegates`).
        delegates: Workers let processes of their own do the work, which are limited (``work/delegate.py``).
    """

    engine: str = "local"
    workers: int | None = None
    limit_seconds: float = 600.0
    address: str | None = None
    limits: LimitSettings = NO_LIMITS
    delegates: bool = False

    def __post_init__(self) -> None:
        require(self.engine in ENGINES, f"engine must be one of {', '.join(ENGINES)}", self.engine)
        require(self.workers is None or self.workers >= 1, "workers must be 1 or more", self.workers)
        require(self.limit_seconds > 0, "limit_seconds must be above 0", self.limit_seconds)
        require(self.address is None or self.engine == "ray", "address needs the engine ray", self.address)


def _local(load: Callable[[], Do[Any, Any]], settings: CrewSettings) -> Crew:
    jobs, limits = settings.workers or default_jobs(), NO_LIMITS if settings.delegates else settings.limits
    return Processes(load, jobs, settings.limit_seconds, limits, settings.delegates)


def _ray(load: Callable[[], Do[Any, Any]], settings: CrewSettings) -> Crew:
    from unmask.work.ray import join_cluster

    return join_cluster(
        load,
        settings.workers,
        settings.limit_seconds,
        address=settings.address,
        delegates=settings.delegates,
    )


ENGINES: dict[str, Callable[[Callable[[], Do[Any, Any]], CrewSettings], Crew]] = {
    "local": _local,
    "ray": _ray,
}
"""``local``: child processes. ``ray``: actors on a cluster."""


def gather_crew(load: Callable[[], Do[Any, Any]], settings: CrewSettings) -> Crew:
    """Workers that load what they need with a function of their own; they begin when they are needed.

    Args:
        load: Called once in each worker; gives the function that works on a task. Must be picklable.
        settings: Where they run.

    Raises:
        MissingExtraError: The engine's package is not installed.
    """
    return ENGINES[settings.engine](load, settings)
