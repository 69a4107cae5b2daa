"""Has every file done by workers that may die: what fails is tried again, then given up or left for later."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from unmask.errors import DataError
from unmask.work.pool import Answer, Crew, Failure, run_crew

MAX_TRIES = 3
"""How often a file may fail before it is given up; the fault may be another's."""

MAX_FAILURES_IN_A_ROW = 60
"""Then it is not the files: a disk that went away, or no memory."""


class NumberedTask(Protocol):
    """A file for a worker, with its number in the plan."""

    @property
    def number(self) -> int:
        """In the plan."""

    @property
    def name(self) -> str:
        """Of the file, for messages."""


Numbered = TypeVar("Numbered", bound=NumberedTask)


class Schedule(Protocol, Generic[Numbered, Answer]):
    """Which file is next, and what becomes of answers."""

    def take(self) -> Numbered | None:
        """The next task, or None when there is none just now."""

    def give_back(self, task: Numbered) -> None:
        """Let a task be tried again."""

    def keep(self, task: Numbered, answer: Answer) -> None:
        """Keep what came of a task."""

    def give_up(self, task: Numbered, failure: Failure) -> Answer | None:
        """What is to be kept of a task that failed time and again; None leaves it for a later run."""


def work_through(
    schedule: Schedule[Numbered, Answer],
    crew: Crew,
    *,
    on_done: Callable[[Answer], None] = lambda answer: None,
) -> None:
    """Do all that a schedule has.

    Args:
        schedule: What there is to do.
        crew: The workers.
        on_done: Told each answer as it comes.

    Raises:
        DataError: The disk is full; or one file after the other fails, which is not their fault.
        ModelError: The workers cannot load what they need.
    """
    tries: Counter[int] = Counter()
    # Given up, until another one's success shows that the fault is theirs.
    doubtful: list[tuple[Numbered, Answer]] = []
    in_a_row = 0

    def keep(task: Numbered, answer: Answer) -> None:
        schedule.keep(task, answer)
        on_done(answer)

    with contextlib.closing(run_crew(schedule.take, crew)) as found:
        for task, answer in found:
            if isinstance(answer, Failure):
                in_a_row += 1
                tries[task.number] += 1
                if in_a_row >= MAX_FAILURES_IN_A_ROW:
                    raise DataError(
                        f"{in_a_row} attempts failed one after the other, the last one on {task.name}: "
                        f"{answer.reason}; when that is put right, the same command goes on"
                    )
                if tries[task.number] < MAX_TRIES:
                    schedule.give_back(task)
                elif (last := schedule.give_up(task, answer)) is not None:
                    doubtful.append((task, last))
                continue
            in_a_row = 0
            keep(task, answer)
            while doubtful:
                keep(*doubtful.pop())
    while doubtful:
        keep(*doubtful.pop())
