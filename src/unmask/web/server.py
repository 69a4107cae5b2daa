"""Listens on an address until it is told to stop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from unmask.errors import SettingsError
from unmask.web.app import make_app
from unmask.web.security import CONNECTIONS
from unmask.web.settings import ServeSettings
from unmask.web.site import Site

HEAD_SECONDS = 10.0
_CLOSE_SECONDS = 2


class PatientProtocol(H11Protocol):
    """HTTP/1.1, where the head of a request must be there in time; of slow bodies ``uploads`` takes care."""

    _alarm: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client is there."""
        super().connection_made(transport)
        # The guard turns requests away when there are too many: what uvicorn's own ``limit_concurrency``
        # answers is no JSON, and has neither Retry-After nor the headers that every answer has.
        self.app_state = {**self.app_state, CONNECTIONS: self.connections}
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Something came from it."""
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self._calm()
        super().connection_lost(exc)

    def _watch(self) -> None:
        if self.conn.their_state is not h11.IDLE:
            self._calm()
        elif self._alarm is None:
            self._alarm = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def _calm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _give_up(self) -> None:
        self._alarm = None
        busy = self.cycle is not None and not self.cycle.response_complete
        if not busy and not self.transport.is_closing():
            self.transport.close()


class _Server(uvicorn.Server):
    """Lets those who listen to events go before it waits for connections to end."""

    def __init__(self, config: uvicorn.Config, site: Site, on_start: Callable[[str], None]) -> None:
        super().__init__(config)
        self._site, self._on_start = site, on_start

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin."""
        await super().startup(sockets)
        if self.started and sockets:
            host, port = sockets[0].getsockname()[:2]
            self._on_start(f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}")

    def handle_exit(self, sig: int, frame: Any) -> None:
        """A signal came."""
        self._site.hub.close()
        super().handle_exit(sig, frame)


def serve(settings: ServeSettings, *, on_start: Callable[[str], None] = lambda address: None) -> None:
    """Serve until SIGINT or SIGTERM.

    Args:
        settings: What it may do.
        on_start: Told the address when the server answers.

    Raises:
        SettingsError: It cannot listen on that address.
        ModelError: There is no such model.
        DataError: Another server uses the folder.
        OSError: The folder cannot be written to.
    """
    listening = _listen(settings.host, settings.port)
    with listening:
        site = Site(settings)
        config = uvicorn.Config(
            make_app(settings, site),
            http=PatientProtocol,
            ws="none",
            lifespan="on",
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            h11_max_incomplete_event_size=16_384,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=_CLOSE_SECONDS,
        )
        _Server(config, site, on_start).run(sockets=[listening])


def _listen(host: str, port: int) -> socket.socket:
    try:
        kind, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=kind, backlog=128)
    except (OSError, UnicodeError, ValueError) as error:
        rule = "host and port must be an address of this machine that is free"
        raise SettingsError(f"{rule}, got {host}:{port} ({error})") from error
