"""Many tasks in child processes, or in this one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from unmask.work.doing import do_task
from unmask.work.pool import Do, Done, Failure, run_crew, settle
from unmask.work.processes import Processes

Task = TypeVar("Task")


def do_all(
    tasks: Iterable[Task], load: Callable[[], Do[Any, Any]], *, jobs: int, limit_seconds: float
) -> Iterator[tuple[Task, Any]]:
    """Do tasks in any order; each answer as soon as it is there.

    Args:
        tasks: Picklable when there are several jobs.
        load: Gives the function that works on a task; picklable, and called once a process.
        jobs: Processes; with 1 it happens in this one, where a decoder that crashes takes us along.
        limit_seconds: Wall time for a task in a child process.

    Yields:
        Task and answer, which is a `Failure` when nothing came of it.

    Example:
        >>> list(do_all([1, 2], lambda: lambda number, _: -number, jobs=1, limit_seconds=9))
        [(1, -1), (2, -2)]
    """
    todo = deque(tasks)
    if jobs > 1:
        crew = Processes(load, min(jobs, len(todo)), limit_seconds)
        yield from run_crew(lambda: todo.popleft() if todo else None, crew)
        return
    do = load() if todo else None
    while todo and do is not None:
        task = todo.popleft()
        answer = settle(do_task(do, task, lambda _: None))
        yield task, answer.answer if isinstance(answer, Done) else answer


__all__ = ["Do", "Failure", "do_all"]
