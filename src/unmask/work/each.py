"""Tasks in child processes, or in this one: each answer as soon as it is there."""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Callable, Generator, Sequence
from typing import Any

from unmask.config import BatchSettings, LimitSettings
from unmask.work.doing import do_task
from unmask.work.limits import NO_LIMITS
from unmask.work.pool import Answer, Do, Done, Failure, Note, Part, Task, Tell, run_crew, settle
from unmask.work.processes import Processes, default_jobs

__all__ = ["Do", "Failure", "Tell", "run_each"]


def run_each(
    tasks: Sequence[Task],
    load: Callable[[], Do[Task, Answer]],
    batch: BatchSettings | None = None,
    *,
    at_home: bool = False,
    until: float | None = None,
    prepare: Callable[[Task], Task] = lambda task: task,
    on_part: Callable[[int, Any], None] = lambda place, part: None,
    limits: LimitSettings = NO_LIMITS,
) -> Generator[tuple[int, Answer | Failure]]:
    """Work on tasks in child processes; each answer as soon as it is there.

    Closing the iterator, or an exception such as KeyboardInterrupt in it, kills the workers at once.

    Args:
        tasks: What the workers are told, one at a time. Must be picklable.
        load: Called once in each process; gives the function that works on a task. Must be picklable.
        batch: Jobs and time limit.
        at_home: A single job is done in this process, where nothing limits its time and a decoder that
            crashes takes us along; nothing needs to be picklable then.
        until: Time on `time.monotonic` when everything ends, with or without the answers still missing.
        prepare: Changes a task in the moment that a worker is free for it.
        on_part: Told each part of an answer as it comes, with the place of its task.
        limits: Of each child process.

    Yields:
        Place of the task in ``tasks``, and its answer, which is a `Failure` where nothing came of it.

    Raises:
        ModelError: ``load`` failed.

    Example:
        >>> alone = BatchSettings(jobs=1)
        >>> list(run_each([1, 2], lambda: lambda number, _: -number, alone, at_home=True))
        [(0, -1), (1, -2)]
    """
    batch = batch or BatchSettings()
    if at_home and batch.jobs == 1:
        yield from _do_here(tasks, load, until, prepare, on_part)
        return
    todo = deque(enumerate(tasks))
    crew = Processes(load, min(batch.jobs or default_jobs(), len(tasks)), batch.time_limit_seconds, limits)
    done = run_crew(
        lambda: todo.popleft() if todo else None,
        crew,
        until=until,
        prepare=lambda item: prepare(item[1]),
        on_part=lambda item, part: on_part(item[0], part),
    )
    with contextlib.closing(done):
        for (place, _), answer in done:
            yield place, answer


def _do_here(
    tasks: Sequence[Task],
    load: Callable[[], Do[Task, Answer]],
    until: float | None,
    prepare: Callable[[Task], Task],
    on_part: Callable[[int, Any], None],
) -> Generator[tuple[int, Answer | Failure]]:
    if not tasks:
        return
    do = load()
    for place, task in enumerate(tasks):
        if until is not None and time.monotonic() >= until:
            return

        def send(message: Note | Part, place: int = place) -> None:
            if isinstance(message, Part):  # a note is for the case that a worker dies
                on_part(place, message.value)

        answer = settle(do_task(do, prepare(task), send))
        yield place, answer.answer if isinstance(answer, Done) else answer
