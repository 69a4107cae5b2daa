"""What goes on, told to every browser that listens, as server-sent events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from unmask.errors import UnmaskError

MAX_LISTENERS = 64
HEARTBEAT_SECONDS = 15.0


class TooManyListenersError(UnmaskError):
    """No more connections may be kept open."""


class Listener:
    """One open connection. Only the newest news of each scan waits for it, so it cannot pile up.

    Args:
        only: The one scan that it wants to hear of; None for all.
    """

    def __init__(self, only: str | None) -> None:
        self.only = only
        self.waiting: dict[str, dict[str, Any]] = {}
        self.wake = asyncio.Event()

    def tell(self, key: str, news: dict[str, Any]) -> None:
        """Let news of a scan wait for it, if it wants to hear of that one."""
        if self.only in (None, key):
            self.waiting.pop(key, None)
            self.waiting[key] = news
            self.wake.set()


class Hub:
    """Brings news from any thread to all listeners of the event loop."""

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False

    def __len__(self) -> int:
        return len(self._listeners)

    def open(self) -> None:
        """Begin, on the running event loop."""
        self._loop = asyncio.get_running_loop()

    def close(self) -> None:
        """Let every listener go."""
        self._closed = True
        for listener in self._listeners:
            listener.wake.set()

    def publish(self, key: str, news: dict[str, Any]) -> None:
        """Tell everybody who listens, from any thread; without an event loop there is nobody."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._spread, key, news)

    def _spread(self, key: str, news: dict[str, Any]) -> None:
        for listener in self._listeners:
            listener.tell(key, news)

    def join(self, only: str | None = None) -> Listener:
        """Listen, to all scans or to one.

        Raises:
            TooManyListenersError: There are enough.
        """
        if len(self._listeners) >= MAX_LISTENERS:
            raise TooManyListenersError(f"at most {MAX_LISTENERS} may listen to events; try again later")
        listener = Listener(only)
        self._listeners.add(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        """Listen no more."""
        self._listeners.discard(listener)

    async def stream(self, listener: Listener, first: dict[str, Any] | None = None) -> AsyncIterator[str]:
        """The text of an event stream; of a single scan it ends with the scan.

        Args:
            listener: From `join`.
            first: Told at once.
        """
        yield "retry: 2000\n\n"
        if first is not None:
            yield event(first)
        over = first is not None and first["state"] in ENDS
        while not self._closed and not (listener.only and over):
            try:
                await asyncio.wait_for(listener.wake.wait(), HEARTBEAT_SECONDS)
            except TimeoutError:
                yield ": still here\n\n"
                continue
            listener.wake.clear()
            while listener.waiting:
                news = listener.waiting.pop(next(iter(listener.waiting)))
                over = news["state"] in ENDS
                yield event(news)


class EventStream(StreamingResponse):
    """An answer that tells a listener's news, and lets the listener go however it ends.

    Also when the client is gone before the first word: a generator that never began tidies nothing up.

    Args:
        hub: What the listener joined.
        listener: Only used by this answer.
        first: Told at once.
    """

    def __init__(self, hub: Hub, listener: Listener, first: dict[str, Any] | None = None) -> None:
        super().__init__(hub.stream(listener, first), media_type="text/event-stream")
        self._hub, self._listener = hub, listener

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._hub.leave(self._listener)


ENDS = ("done", "failed", "interrupted", "deleted")
"""States after which nothing more is told of a scan."""


def event(news: dict[str, Any]) -> str:
    r"""One server-sent event.

    >>> event({"id": "a", "state": "done"})
    'event: scan\ndata: {"id": "a", "state": "done"}\n\n'
    """
    return f"event: scan\ndata: {json.dumps(news)}\n\n"
