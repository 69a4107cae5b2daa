"""Workers that do tasks one at a time, so that a crash or a hang costs one task.

A decoder that meets hostile bytes can crash, or loop without ever coming back; no exception handler in the
same process helps then. A worker loads what it needs once; one that dies or runs past its time limit is
killed and replaced, and its task comes back as a `Failure`.

`run_crew` is the loop around any kind of workers; ``processes`` has those that are child processes.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Collection, Generator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from unmask.errors import ModelError
from unmask.reasons import Reason, because
from unmask.work.faults import Fault, keep_details, tell_fault

LOAD_LIMIT_SECONDS = 300.0  # generous, since a busy machine must not turn into an error
MAX_LOAD_ACCIDENTS = 3

Task = TypeVar("Task")
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Ready:
    """The worker has loaded what it needs."""


@dataclass(frozen=True, slots=True)
class Unusable:
    """The worker cannot load what it needs, and so no other can."""

    message: str


@dataclass(frozen=True, slots=True)
class Note:
    """What is to be known of the task should the worker die."""

    text: str


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the answer, before the rest; the time limit starts anew."""

    value: Any


@dataclass(frozen=True, slots=True)
class Tell:
    """What a worker says of its task while it works on it.

    Attributes:
        send: Takes it to whoever gave the task.
    """

    send: Callable[[Note | Part], None]

    def note(self, text: str) -> None:
        """What is to be known of the task should the worker die."""
        self.send(Note(text))

    def part(self, value: Any) -> None:
        """A part of the answer that is there already."""
        self.send(Part(value))


Do = Callable[[Task, Tell], Answer]
"""Works on one task, and may say something of it on the way; may give another's `Failure` or `Fault`."""


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a task."""

    answer: Any


@dataclass(frozen=True, slots=True)
class Ended:
    """The worker is no more."""

    how: Reason


@dataclass(frozen=True, slots=True)
class Failure:
    """A task that nothing came of.

    Attributes:
        reason: What happened.
        note: What the worker still told of the task; of a scan the file's SHA-256.
        ours: Unmask or the machine failed, which says nothing of the task. Otherwise the task may be to
            blame: its worker crashed or hung, as one does that decodes hostile bytes.
    """

    reason: Reason
    note: str | None = None
    ours: bool = False


Message = Ready | Unusable | Note | Part | Done | Failure | Fault | Ended


class Worker(ABC):
    """The driver's side of one worker.

    Args:
        limit_seconds: Wall time that a task may take.
        delegates: A process of its own does the work (``delegate.py``): its end says nothing of the task.
    """

    def __init__(self, limit_seconds: float, *, delegates: bool = False) -> None:
        self._task_limit_seconds, self._delegates = limit_seconds, delegates
        self._give_time(LOAD_LIMIT_SECONDS)
        self.busy = False
        self.ready = False
        self._note: str | None = None

    def give(self, task: object) -> None:
        """Let it begin with a task."""
        self.busy, self._note = True, None
        self._give_time(self._task_limit_seconds)
        self._send(task)

    def _give_time(self, seconds: float) -> None:
        self._limit_seconds = seconds
        self.deadline = time.monotonic() + seconds

    @property
    def waited_for(self) -> bool:
        """Whether a message is due, so that the deadline counts."""
        return self.busy or not self.ready

    def hear(self) -> Part | Done | Failure | Ended | None:
        """As `listen`, with the details of a fault written down."""
        message = self.listen()
        return settle_fault(message) if isinstance(message, Fault) else message

    def listen(self) -> Part | Done | Failure | Fault | Ended | None:
        """Take in one message: what became of the task or of the worker; None for what only we need to know.

        Raises:
            ModelError: It cannot load what it needs.
        """
        message = self._receive()
        match message:
            case None:
                self.kill()
                return Ended(because("too_long", seconds=self._limit_seconds))
            case Ended():
                self.kill()
            case Ready():
                self.ready = True
            case Unusable(message=text):
                raise ModelError(text)
            case Fault() if not self.ready:
                raise ModelError(
                    tell_fault(message, "while it loaded what it needs", "that is a fault of unmask")
                )
            case Note(text=text):
                self._note = text
            case Part():
                self._give_time(self._task_limit_seconds)
            case Done() | Failure() | Fault():
                self.busy = False
        return message if isinstance(message, Part | Done | Failure | Fault | Ended) else None

    def failure(self, ended: Ended) -> Failure:
        """What its end means for the task that it had."""
        if self._delegates:
            return Failure(because("helper_ended", how=ended.how), self._note, ours=True)
        return Failure(because("given_up", how=ended.how), self._note)

    @abstractmethod
    def _send(self, task: object) -> None:
        """Hand over a task; a worker that has just died is noticed by `_receive`."""

    @abstractmethod
    def _receive(self) -> Message | None:
        """The next message without waiting, or None when there is none."""

    @abstractmethod
    def kill(self) -> None:
        """End it at once, whatever it does."""


class Crew(Protocol):
    """Where workers come from."""

    def size(self) -> int:
        """How many workers there may be just now."""

    def hire(self) -> Worker:
        """A new worker, which is still loading."""

    def wait(self, workers: Sequence[Worker], timeout_seconds: float | None) -> Collection[Worker]:
        """Those that have a message, as soon as there is one; nobody when the time is up."""


def run_crew(
    take: Callable[[], Task | None],
    crew: Crew,
    *,
    until: float | None = None,
    prepare: Callable[[Task], Any] = lambda task: task,
    on_part: Callable[[Task, Any], None] = lambda task, part: None,
) -> Generator[tuple[Task, Any]]:
    """Let workers do tasks; each answer as soon as it is there.

    It is over when ``take`` has nothing and nobody is busy. Closing the iterator, or an exception such as
    KeyboardInterrupt in it, kills the workers at once.

    Args:
        take: The next task, or None when there is none just now; asked again after every answer.
        crew: The workers.
        until: Time on `time.monotonic` when everything ends, with or without the answers still missing.
        prepare: What the worker is told instead of the task, made in the moment that it is free for it.
        on_part: Told each part of an answer as it comes.

    Yields:
        Task and answer, which is a `Failure` when nothing came of it.

    Raises:
        ModelError: The workers cannot load what they need.
    """
    shift = _Shift(take, crew, prepare)
    try:
        while until is None or time.monotonic() < until:
            shift.fill()
            if shift.over:
                return
            for worker in _wait(crew, shift.workers, until):
                answer = shift.hear(worker)
                if isinstance(answer, Part):
                    on_part(shift.tasks[worker], answer.value)
                elif answer is not None and worker in shift.tasks:
                    yield shift.tasks.pop(worker), answer.answer if isinstance(answer, Done) else answer
                    shift.employ(worker)
    finally:
        for worker in shift.workers:
            worker.kill()


@dataclass(slots=True)
class _Shift:
    """Who works on what."""

    take: Callable[[], Any]
    crew: Crew
    prepare: Callable[[Any], Any]
    workers: list[Worker] = field(default_factory=list)
    tasks: dict[Worker, Any] = field(default_factory=dict)
    reserved: deque[Any] = field(default_factory=deque)  # for workers that are still loading
    proven: bool = False
    accidents: int = 0

    @property
    def over(self) -> bool:
        return not self.reserved and not self.tasks

    def fill(self) -> None:
        """Give everybody something to do, and hire as long as there is a task for each new worker."""
        for worker in self.workers:
            self.employ(worker)
        while len(self.workers) < self.crew.size():
            if len(self.reserved) <= sum(not worker.ready for worker in self.workers):
                task = self.take()
                if task is None:
                    return
                self.reserved.append(task)
            self.workers.append(self.crew.hire())

    def employ(self, worker: Worker) -> None:
        if worker not in self.workers or not worker.ready or worker in self.tasks:
            return
        task = self.reserved.popleft() if self.reserved else self.take()
        if task is not None:
            self.tasks[worker] = task
            worker.give(self.prepare(task))

    def hear(self, worker: Worker) -> Part | Done | Failure | None:
        message = worker.hear()
        self.proven = self.proven or worker.ready
        if isinstance(message, Ended):
            self.workers.remove(worker)
            self.accidents += not worker.ready
            if not self.proven or self.accidents > MAX_LOAD_ACCIDENTS:
                raise ModelError(f"the networks could not be loaded: {message.how}")
            return worker.failure(message)
        if isinstance(message, Done):
            self.accidents = 0
        return message


def _wait(crew: Crew, workers: list[Worker], until: float | None) -> list[Worker]:
    """Workers that have something to say, or whose time is up; nobody, when everybody's time is."""
    due = [worker.deadline for worker in workers if worker.waited_for]
    due += [] if until is None else [until]
    timeout = max(0.0, min(due) - time.monotonic()) if due else None
    heard = crew.wait(workers, timeout)
    now = time.monotonic()
    return [w for w in workers if w in heard or (w.waited_for and w.deadline <= now)]


def settle(answer: Done | Failure | Fault) -> Done | Failure:
    """An answer with the details of a fault written down, on the side of those who read them."""
    return settle_fault(answer) if isinstance(answer, Fault) else answer


def settle_fault(fault: Fault) -> Failure:
    """A fault as a task's failure, which blames nobody's file; its details are written down."""
    reason = because("fault", error=fault.error, details=keep_details(fault))
    return Failure(reason, fault.note, ours=True)
