"""Workers without processes, for tests of what is around them."""

from __future__ import annotations

from collections.abc import Callable

from unmask.reasons import because
from unmask.work.doing import do_task
from unmask.work.pool import Ended, Message, Ready, Worker


class InlineWorker(Worker):
    """Does its task in this process when it is listened to."""

    def __init__(self, crew):
        super().__init__(3600.0)
        self._crew = crew
        self._next: Callable[[], Message] = Ready

    def _send(self, task):
        self._next = lambda: self._crew.work(task)

    def _receive(self):
        return self._next()

    def kill(self):
        pass


class InlineCrew:
    """Gives its answers last worker first, so that what began later ends sooner.

    ``done`` lists what was worked on, by name; ``fate`` may give another answer for a task.
    """

    def __init__(self, do, *, workers=1, fate=lambda task: None):
        self.do, self.workers, self.fate = do, workers, fate
        self.done: list[str] = []

    def work(self, task):
        self.done.append(task.name)
        return self.fate(task) or do_task(self.do, task, lambda message: None)

    def size(self):
        return self.workers

    def hire(self):
        return InlineWorker(self)

    def wait(self, workers, timeout_seconds):
        return [worker for worker in workers if worker.waited_for][-1:]


KILLED = Ended(because("killed", signal="SIGKILL"))
