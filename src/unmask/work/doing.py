"""The worker's side: load, do a task, and say of an exception whose failure it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unmask.errors import DataError, MediaError, UnmaskError, is_of_machine, why_unreadable
from unmask.reasons import because
from unmask.work.faults import Fault
from unmask.work.pool import Do, Done, Failure, Note, Part, Tell, Unusable


def do_task(do: Do[Any, Any], task: object, send: Callable[[Note | Part], None]) -> Done | Failure | Fault:
    """The worker's side of one task: what came of it, or what it raised.

    Args:
        do: Works on it.
        task: Which.
        send: Takes to whoever gave the task what is said of it on the way.
    """
    notes: list[str] = []

    def pass_on(message: Note | Part) -> None:
        if isinstance(message, Note):
            notes.append(message.text)
        send(message)

    try:
        answer = do(task, Tell(pass_on))
        return answer if isinstance(answer, Failure | Fault) else Done(answer)
    except Exception as error:  # noqa: BLE001  the worker's boundary: a failure must only cost its task
        return what_failed(error, task, *notes[-1:])


def load_do(load: Callable[[], Do[Any, Any]]) -> Do[Any, Any] | Unusable | Fault:
    """The worker's side of loading: the function that works on tasks, or why there is none."""
    try:
        return load()
    except (UnmaskError, OSError) as error:
        return Unusable(str(error))
    except MemoryError:
        return Unusable("there was not enough memory to load what is needed")
    except Exception as error:  # noqa: BLE001  otherwise it would end in the worker, where nobody reads it
        return Fault.of(error, load)


def what_failed(error: Exception, task: object, note: str | None = None) -> Failure | Fault:
    """Whose failure an exception is: the task's, the machine's, or a fault of unmask."""
    match error:
        case MediaError():
            return Failure(error.reason, note, ours=error.of_machine)
        case OSError() if is_of_machine(error):
            return Failure(why_unreadable(error), note, ours=True)
        case DataError() | OSError():
            return Failure(because("unreadable", text=str(error)), note)
        case UnmaskError():  # as of a network that fails
            return Failure(because("failed", text=str(error)), note, ours=True)
        case MemoryError():
            return Failure(because("no_memory"), note, ours=True)
    return Fault.of(error, task, note)
