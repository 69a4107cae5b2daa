"""What a page shows of videos is made in child processes, since hostile bytes may crash a decoder."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping

from unmask.config import BatchSettings
from unmask.errors import MediaError, UnmaskError
from unmask.work.each import Do, Failure, run_each
from unmask.work.pool import Answer, Task

_LIMIT_SECONDS = 600.0


def make_apart(tasks: Mapping[str, Task], load: Callable[[], Do[Task, Answer]]) -> dict[str, Answer]:
    """Make something of each video, in the order of the tasks.

    A script that calls this needs the usual ``if __name__ == "__main__":`` around its own start.

    Args:
        tasks: What the child processes are told, by the name of the video.
        load: Gives the function that works on a task; must be picklable.

    Raises:
        MediaError: Nothing can be made of a video.
        UnmaskError: Unmask or the machine failed.
    """
    names, made = list(tasks), dict[str, Answer]()
    found = run_each(list(tasks.values()), load, BatchSettings(time_limit_seconds=_LIMIT_SECONDS))
    with contextlib.closing(found):
        for place, answer in found:
            if isinstance(answer, Failure):
                if answer.ours:
                    raise UnmaskError(f"{names[place]}: {answer.reason}")
                raise MediaError(answer.reason, names[place])
            made[names[place]] = answer
    return {name: made[name] for name in names}
