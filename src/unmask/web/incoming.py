"""Uploads that still come in: each has a total time, and whoever deletes its scan ends it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from unmask.web.refusals import RefusedError


@dataclass(slots=True)
class _Arrival:
    """One upload.

    Attributes:
        loop: The event loop that takes it in.
        time_left: Raises TimeoutError in the task that takes it in.
        ended: Somebody wants it no more.
        over: Nobody takes it in any more.
    """

    loop: asyncio.AbstractEventLoop
    time_left: asyncio.Timeout
    ended: bool = False
    over: threading.Event = field(default_factory=threading.Event)

    def end(self) -> None:
        """Stop it, on its event loop."""
        if not self.over.is_set():
            self.ended = True
            self.time_left.reschedule(self.loop.time())


class Incoming:
    """The uploads that come in just now, by the ids of their scans."""

    def __init__(self) -> None:
        self._arrivals: dict[str, _Arrival] = {}

    @asynccontextmanager
    async def within(self, key: str, seconds: float) -> AsyncIterator[None]:
        """Take an upload in, in so many seconds.

        Raises:
            RefusedError: They are over, or the scan was deleted meanwhile.
        """
        time_left = asyncio.timeout(seconds)
        self._arrivals[key] = arrival = _Arrival(asyncio.get_running_loop(), time_left)
        try:
            async with time_left:
                yield
        except TimeoutError as error:
            if arrival.ended:
                raise RefusedError("deleted", "the scan was deleted while its upload came in") from error
            rule = f"an upload must be there whole within {seconds:g} seconds"
            raise RefusedError("too_slow", f"{rule}; send a shorter one, or over a faster line") from error
        finally:
            arrival.over.set()
            self._arrivals.pop(key)

    def end(self, key: str, *, timeout_seconds: float = 10.0) -> bool:
        """Let nobody take an upload in any more, from another thread; tells whether that is so."""
        arrival = self._arrivals.get(key)
        if arrival is None:
            return True
        arrival.loop.call_soon_threadsafe(arrival.end)
        return arrival.over.wait(timeout_seconds)
