"""What is done next, where some tasks turn out to have parts that several workers can share."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from typing import Generic, TypeVar

T = TypeVar("T")


class Shares(Generic[T]):
    """Tasks, and parts of those that were begun.

    A task that was parted always has somebody at it, so that few are open at a time. Everybody else takes
    whole tasks first, and parts when there are no others: nobody is idle while there is something to do.

    Args:
        tasks: In order.

    >>> shares = Shares(["film", "clip"])
    >>> shares.take()
    (0, 'film')
    >>> shares.part(0, ["piece 1", "piece 2", "piece 3"])
    >>> shares.end(0), shares.take(), shares.take(), shares.take()
    (False, (0, 'piece 1'), (1, 'clip'), (0, 'piece 2'))
    """

    def __init__(self, tasks: Iterable[T]) -> None:
        self._whole = deque(enumerate(tasks))
        self._parts: dict[int, deque[T]] = {}
        self._taken: Counter[int] = Counter()

    def take(self) -> tuple[int, T] | None:
        """The next task or part, with the place of the task; None while there is none."""
        left_alone = next((place for place in self._parts if not self._taken[place]), None)
        if left_alone is not None:
            found = self._next_part(left_alone)
        elif self._whole:
            found = self._whole.popleft()
        elif self._parts:
            found = self._next_part(next(iter(self._parts)))
        else:
            return None
        self._taken[found[0]] += 1
        return found

    def _next_part(self, place: int) -> tuple[int, T]:
        parts = self._parts[place]
        part = parts.popleft()
        if not parts:
            del self._parts[place]
        return place, part

    def part(self, place: int, parts: Iterable[T]) -> None:
        """A task that was taken has these parts instead, at least one."""
        self._parts[place] = deque(parts)

    def drop(self, place: int) -> None:
        """The parts of a task that nobody has taken are not to be done."""
        self._parts.pop(place, None)

    def end(self, place: int) -> bool:
        """Something that was taken is done; whether its task now is, too."""
        self._taken[place] -= 1
        if self._taken[place] or place in self._parts:
            return False
        del self._taken[place]
        return True
