"""Joins plan, workers and folder: every video gets its record, whatever happens to the workers."""

from __future__ import annotations

import contextlib
import heapq
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from unmask.errors import DataError
from unmask.lab.extract.plan import Plan
from unmask.lab.extract.store import Store
from unmask.lab.extract.worker import ERROR, UNREADABLE, Extracted, VideoTask, make_extracted, make_record
from unmask.work.pool import Crew, Failure, run_crew

MAX_TRIES = 3
"""How often a video may fail before it is called unreadable, or an error; the fault may be another's."""

MAX_FAILURES_IN_A_ROW = 60
"""Then it is not the videos: a disk that went away, or no memory."""


@dataclass(slots=True)
class Schedule:
    """Which video is next: in the order of the plan, a leader before those that may take its boxes.

    Attributes:
        plan: The plan.
        store: Where what is done is kept.
    """

    plan: Plan
    store: Store
    _ready: list[int] = field(default_factory=list)
    _followers: dict[int, list[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for number, leader in enumerate(self.plan.leaders):
            if number != leader:
                self._followers.setdefault(leader, []).append(number)
        todo = [number for number in range(len(self.plan)) if number not in self.store.done]
        leaders = self.plan.leaders
        free = {n for n in todo if leaders[n] == n or leaders[n] in self.store.done}
        self._ready = [n for n in todo if n in free or not self.plan.settings.reuse_boxes]
        heapq.heapify(self._ready)

    def take(self) -> VideoTask | None:
        """The next video, or None when all that are left wait for their leaders."""
        if not self._ready:
            return None
        number = heapq.heappop(self._ready)
        leader = self.plan.leaders[number]
        follows = self.plan.settings.reuse_boxes and leader != number
        return VideoTask(
            number=number,
            video=self.plan.videos[number],
            key=self.plan.keys[number],
            origin=self.plan.origins[number],
            leads=number in self._followers,
            guide=self.store.guide(leader) if follows and not self.plan.videos[leader].problem else None,
        )

    def give_back(self, number: int) -> None:
        """Let a video be tried again."""
        heapq.heappush(self._ready, number)

    def keep(self, number: int, part: Extracted) -> None:
        """Keep what came of a video, and let those go that waited for it."""
        self.store.put(number, part.blob)
        if self.plan.settings.reuse_boxes:
            for follower in self._followers.get(number, ()):
                if follower not in self.store.done:
                    heapq.heappush(self._ready, follower)


def extract(store: Store, crew: Crew, *, on_done: Callable[[Extracted], None] = lambda part: None) -> None:
    """Do all that is not done yet.

    Ctrl-C or an error loses the videos in flight; the next call goes on with the rest.

    Args:
        store: Entered; its plan is done.
        crew: The workers.
        on_done: Told what came of each video as it comes.

    Raises:
        DataError: The disk is full; or one video after the other fails, which is not their fault.
        ModelError: The workers cannot load what they need.
    """
    while not store.complete:
        _work_through(Schedule(store.plan, store), crew, on_done)
        if len(store.done) == len(store.plan):  # else some waited for a leader that was given up last
            store.finish()
    store.clean()


def _work_through(schedule: Schedule, crew: Crew, on_done: Callable[[Extracted], None]) -> None:
    tries: Counter[int] = Counter()
    # Given up, until another one's success shows that the fault is theirs.
    doubtful: dict[int, Extracted] = {}
    in_a_row = 0

    def keep(number: int, part: Extracted) -> None:
        schedule.keep(number, part)
        on_done(part)

    with contextlib.closing(run_crew(schedule.take, crew)) as found:
        for task, answer in found:
            if isinstance(answer, Failure):
                in_a_row += 1
                tries[task.number] += 1
                if in_a_row >= MAX_FAILURES_IN_A_ROW:
                    raise DataError(
                        f"{in_a_row} attempts failed one after the other, the last one on {task.video.name}: "
                        f"{answer.reason}; when that is put right, the same command goes on"
                    )
                if tries[task.number] < MAX_TRIES:
                    schedule.give_back(task.number)
                else:
                    status = ERROR if answer.ours else UNREADABLE
                    doubtful[task.number] = make_extracted(make_record(task.video, status, answer.reason))
                continue
            in_a_row = 0
            keep(task.number, answer)
            while doubtful:
                keep(*doubtful.popitem())
    while doubtful:
        keep(*doubtful.popitem())
