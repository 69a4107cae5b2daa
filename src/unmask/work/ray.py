"""Workers as actors of a Ray cluster."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from queue import SimpleQueue
from typing import Any

from unmask.errors import DataError, MissingExtraError
from unmask.reasons import because
from unmask.work.doing import do_task, load_do
from unmask.work.faults import Fault
from unmask.work.pool import Do, Ended, Message, Note, Part, Ready, Unusable, Worker

_COUNT_EVERY_SECONDS = 5.0


class _Actor:
    """What lives on the cluster: loads once, then one task in, one message out."""

    def __init__(self, load: Callable[[], Do[Any, Any]]) -> None:
        self._load = load
        self._do: Do[Any, Any] | None = None

    def begin(self) -> Message:
        """Load what is needed."""
        # A child of this process would first run Ray's own script, as it would run that of any parent.
        main = sys.modules["__main__"]
        main.__spec__, main.__file__ = None, None
        loaded = load_do(self._load)
        if isinstance(loaded, Unusable | Fault):
            return loaded
        self._do = loaded
        return Ready()

    def work(self, task: object) -> Iterator[Message]:
        """Do one task; what is said of it on the way comes before what came of it."""
        if self._do is None:
            raise RuntimeError("begin must come before work")
        do, said = self._do, SimpleQueue[Message]()
        threading.Thread(target=lambda: said.put(do_task(do, task, said.put)), daemon=True).start()
        while True:
            message = said.get()
            yield message
            if not isinstance(message, Note | Part):
                return


class RayCrew:
    """Actors on a cluster, one a core, as many as the cluster has; a lost node's come back elsewhere.

    Args:
        load: Called once in each actor; gives the function that works on a task.
        workers: How many at most; None takes all cores.
        limit_seconds: Wall time that a task may take.
        delegates: As of `unmask.work.processes.Processes`.
    """

    def __init__(
        self,
        load: Callable[[], Do[Any, Any]],
        workers: int | None,
        limit_seconds: float,
        *,
        delegates: bool = False,
    ) -> None:
        self._load, self._workers, self._limit_seconds = load, workers, limit_seconds
        self._delegates = delegates
        self._cores, self._counted = 1, 0.0

    def size(self) -> int:
        """The cores of the cluster just now, at most what was asked for."""
        import ray

        if time.monotonic() - self._counted > _COUNT_EVERY_SECONDS:
            resources: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
            self._cores = max(1, int(resources.get("CPU", 1)))
            self._counted = time.monotonic()
        return min(self._cores, self._workers or self._cores)

    def hire(self) -> Worker:
        """A new actor."""
        return _RayWorker(self._load, self._limit_seconds, delegates=self._delegates)

    def wait(self, workers: Sequence[Worker], timeout_seconds: float | None) -> Collection[Worker]:
        """Those that have a message; looks up now and then, as nodes may come."""
        import ray

        due = {w.reference: w for w in workers if isinstance(w, _RayWorker) and w.reference is not None}
        if not due:
            return []
        timeout = (
            _COUNT_EVERY_SECONDS if timeout_seconds is None else min(timeout_seconds, _COUNT_EVERY_SECONDS)
        )
        done, _ = ray.wait(list(due), num_returns=len(due), timeout=0)
        if not done:
            done, _ = ray.wait(list(due), num_returns=1, timeout=timeout)
        return [due[reference] for reference in done]


class _RayWorker(Worker):
    def __init__(self, load: Callable[[], Do[Any, Any]], limit_seconds: float, *, delegates: bool) -> None:
        import ray

        super().__init__(limit_seconds, delegates=delegates)
        actor: Any = ray.remote(num_cpus=1, max_restarts=0, max_task_retries=0)(_Actor)
        self._actor = actor.remote(load)
        self.reference: Any = self._actor.begin.remote()

    def _send(self, task: object) -> None:
        self.reference = self._actor.work.options(num_returns="streaming").remote(task)

    def _receive(self) -> Message | None:
        import ray
        from ray.exceptions import RayError

        if self.reference is None or not ray.wait([self.reference], timeout=0)[0]:
            return None
        first, self.reference = self.reference, None
        try:
            # Of a task messages come one after the other, the last of which is what came of it.
            message: Message = ray.get(next(first) if isinstance(first, ray.ObjectRefGenerator) else first)
        except (RayError, StopIteration) as error:
            return Ended(because("lost", error=type(error).__name__))
        if isinstance(message, Note | Part):
            self.reference = first
        return message

    def kill(self) -> None:
        import ray
        from ray.exceptions import RayError

        self.reference = None
        with contextlib.suppress(RayError, ValueError):
            ray.kill(self._actor)


def join_cluster(
    load: Callable[[], Do[Any, Any]],
    workers: int | None,
    limit_seconds: float,
    *,
    address: str | None,
    delegates: bool = False,
) -> RayCrew:
    """Join a Ray cluster, or start one on this machine that nobody else can reach.

    Every node needs unmask at the same version, and the videos under the same paths. Token authentication
    is Ray's own: this process must have the cluster's token, and a cluster started here makes one.

    Args:
        load: Called once in each actor.
        workers: How many at most; None takes all cores of the cluster.
        limit_seconds: Wall time that a task may take.
        address: Of the cluster; None starts one.
        delegates: As of `unmask.work.processes.Processes`.

    Raises:
        MissingExtraError: Ray is not installed.
        DataError: There is no cluster at that address, or it does not let us in.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    given: dict[str, Any] = {"address": address}
    if address is None:
        given = {"address": "local", "include_dashboard": False}
        os.environ.setdefault("RAY_AUTH_MODE", "token")
        # Ray's way to say that no other machine takes part: it then listens on the loopback interface only.
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    try:
        import ray
    except ModuleNotFoundError as error:
        raise MissingExtraError("ray", extra="ray") from error
    if not ray.is_initialized():
        try:
            ray.init(log_to_driver=False, logging_level=logging.ERROR, **given)
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise DataError(f"no Ray cluster at {address or 'this machine'} lets us in: {error}") from error
    return RayCrew(load, workers, limit_seconds, delegates=delegates)
