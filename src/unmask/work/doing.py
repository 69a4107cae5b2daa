"""The worker's side: load, do a task, and say of an exception whose failure it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unmask.errors import DataError, MediaError, UnmaskError
from unmask.reasons import because
from unmask.work.faults import Fault
from unmask.work.pool import Do, Done, Failure, Unusable


def do_task(do: Do[Any, Any], task: object, tell: Callable[[Any], None]) -> Done | Failure | Fault:
    """The worker's side of one task: what came of it, or what it raised."""
    told: list[str] = []

    def note(value: Any) -> None:
        if isinstance(value, str):
            told.append(value)
        tell(value)

    try:
        return Done(do(task, note))
    except Exception as error:  # noqa: BLE001  the worker's boundary: a failure must only cost its task
        return what_failed(error, task, *told[-1:])


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
        case MediaError() | DataError() | OSError():
            return Failure(because("unreadable", text=str(error)), note)
        case UnmaskError():  # as of a network that fails
            return Failure(because("failed", text=str(error)), note, ours=True)
        case MemoryError():
            return Failure(because("no_memory"), note, ours=True)
    return Fault.of(error, task, note)
