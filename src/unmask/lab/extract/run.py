"""Joins plan, workers and folder: every video gets its record, whatever happens to the workers."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field

from unmask.archive.run import work_through
from unmask.lab.extract.plan import Plan
from unmask.lab.extract.store import CropStore
from unmask.lab.extract.worker import ERROR, UNREADABLE, Extracted, VideoTask, make_extracted, make_record
from unmask.work.pool import Crew, Failure


@dataclass(slots=True)
class Schedule:
    """Which video is next: in the order of the plan, a leader before those that may take its boxes.

    Attributes:
        plan: The plan.
        store: Where what is done is kept.
    """

    plan: Plan
    store: CropStore
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

    def give_back(self, task: VideoTask) -> None:
        """Let a video be tried again."""
        heapq.heappush(self._ready, task.number)

    def give_up(self, task: VideoTask, failure: Failure) -> Extracted:
        """A video that cost worker after worker is unreadable, or an error where unmask failed."""
        status = ERROR if failure.ours else UNREADABLE
        return make_extracted(make_record(task.video, status, failure.reason))

    def keep(self, task: VideoTask, part: Extracted) -> None:
        """Keep what came of a video, and let those go that waited for it."""
        self.store.put(task.number, part.blob)
        if self.plan.settings.reuse_boxes:
            for follower in self._followers.get(task.number, ()):
                if follower not in self.store.done:
                    heapq.heappush(self._ready, follower)


def extract(
    store: CropStore, crew: Crew, *, on_done: Callable[[Extracted], None] = lambda part: None
) -> None:
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
        work_through(Schedule(store.plan, store), crew, on_done=on_done)
        if len(store.done) == len(store.plan):  # else some waited for a leader that was given up last
            store.finish()
    store.clean()
