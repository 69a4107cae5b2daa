"""What goes on, told to every browser that listens, as server-sent events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from unmask.errors import UnmaskError

MAX_LISTENERS = 64
HEARTBEAT_SECONDS = 15.0


class TooManyListenersError(UnmaskError):
    """No more connections may be kept open."""


class _Listener:
    """One open connection. Only the newest news of each scan waits for it, so it cannot pile up."""

    def __init__(self, only: str | None) -> None:
        self.only = only
        self.waiting: dict[str, dict[str, Any]] = {}
        self.wake = asyncio.Event()

    def tell(self, key: str, news: dict[str, Any]) -> None:
        if self.only in (None, key):
            self.waiting.pop(key, None)
            self.waiting[key] = news
            self.wake.set()


class Hub:
    """Brings news from any thread to all listeners of the event loop."""

    def __init__(self) -> None:
        self._listeners: set[_Listener] = set()
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

    def join(self, only: str | None = None) -> _Listener:
        """Listen, to all scans or to one.

        Raises:
            TooManyListenersError: There are enough.
        """
        if len(self._listeners) >= MAX_LISTENERS:
            raise TooManyListenersError(f"at most {MAX_LISTENERS} may listen to events; try again later")
        listener = _Listener(only)
        self._listeners.add(listener)
        return listener

    def leave(self, listener: _Listener) -> None:
        """Listen no more."""
        self._listeners.discard(listener)

    async def stream(self, listener: _Listener, first: dict[str, Any] | None = None) -> AsyncIterator[str]:
        """The text of an event stream; of a single scan it ends with the scan.

        Args:
            listener: From `join`.
            first: Told at once.
        """
        try:
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
        finally:
            self.leave(listener)


ENDS = ("done", "failed", "interrupted", "deleted")
"""States after which nothing more is told of a scan."""


def event(news: dict[str, Any]) -> str:
    r"""One server-sent event.

    >>> event({"id": "a", "state": "done"})
    'event: scan\ndata: {"id": "a", "state": "done"}\n\n'
    """
    return f"event: scan\ndata: {json.dumps(news)}\n\n"
