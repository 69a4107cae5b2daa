"""What stands before every route: whose request it is, and what a browser may do with the answer.

- A page elsewhere may not speak for the user: requests that change something must come from our own page
  (their ``Origin``) or from a program that sends none.
- A name that somebody else points at this machine (DNS rebinding) is refused: browsers tell the name in
  ``Host``, and only addresses in digits, ``localhost`` and names that were allowed are ours.
- When too many connections are open, nobody is served until some are closed.
- With a token, nothing but the empty page is given to who does not know it.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import json
from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from unmask.web.refusals import RefusedError
from unmask.web.settings import ServeSettings

COOKIE = "unmask_session"
MAX_CONNECTIONS = 256
CONNECTIONS = "connections"
"""Under which key of a request's ``state`` the server tells of all connections that are open."""

_SCHEMES = ("http", "https")
_SAFE = ("GET", "HEAD", "OPTIONS")
_OPEN = ("/", "/api-docs", "/healthz", "/api/limits")
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}
REPORT_HEADERS = {
    # A world of its own: it may run its own script, and reach neither our cookie nor our API.
    "Content-Security-Policy": "sandbox allow-scripts allow-popups allow-downloads; frame-ancestors 'self'",
    "X-Frame-Options": "SAMEORIGIN",
}
"""What a report is sent with; its own policy, which is in it, forbids it any request."""


def session_of(token: str) -> str:
    """What the cookie holds of who knows the token; the token itself stays out of the browser's store."""
    return hmac.new(token.encode(), b"unmask session", hashlib.sha256).hexdigest()


class Guard:
    """Middleware that lets through what may pass, and sends every answer with the headers above.

    Args:
        app: What it stands before.
        settings: Token and names.
        on_refusal: Told the code of what was turned away.
    """

    def __init__(self, app: ASGIApp, settings: ServeSettings, on_refusal: Callable[[str], None]) -> None:
        self._app, self._on_refusal = app, on_refusal
        self._token = settings.token
        self._names = {"localhost", settings.host.lower(), *(name.lower() for name in settings.hosts)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            self._check(scope)
        except RefusedError as refusal:
            self._on_refusal(refusal.code)
            await _answer(refusal, send_guarded)
            return
        await self._app(scope, receive, send_guarded)

    def _check(self, scope: Scope) -> None:
        if len(scope.get("state", {}).get(CONNECTIONS, ())) > MAX_CONNECTIONS:
            rule = f"at most {MAX_CONNECTIONS} connections are served at a time"
            raise RefusedError("busy", f"{rule}; try again later")
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not self._is_ours(host):
            rule = "this server must be called by its address or a name that --allow-host gave"
            raise RefusedError("foreign_host", f"{rule}, got {host[:100]!r}")
        if scope["method"] not in _SAFE:
            origin = headers.get("origin")
            # Either scheme: a proxy with TLS passes ``Host`` on, and what comes from it is plain HTTP.
            ours = origin is None or origin.lower() in {f"{how}://{host.lower()}" for how in _SCHEMES}
            if not ours or headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
                rule = "changes must come from this server's own page"
                raise RefusedError("foreign_origin", f"{rule}, got {str(origin)[:100]!r}")
        if self._token is not None and not self._is_open(scope["path"]) and not self._knows(headers):
            raise RefusedError("no_token", "this server must be given its token: Authorization: Bearer TOKEN")

    def _is_ours(self, host: str) -> bool:
        name = host.rpartition("]")[0].lstrip("[") if host.startswith("[") else host.partition(":")[0]
        if name.lower() in self._names:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True  # no name, so nobody can have pointed it here

    @staticmethod
    def _is_open(path: str) -> bool:
        return path in _OPEN or path.startswith("/static/")

    def _knows(self, headers: Headers) -> bool:
        token = self._token or ""
        kind, _, given = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            return hmac.compare_digest(given.strip().encode(), token.encode())
        for part in headers.get("cookie", "").split(";"):
            name, _, value = part.strip().partition("=")
            if name == COOKIE:
                return hmac.compare_digest(value.encode(), session_of(token).encode())
        return False


async def _answer(refusal: RefusedError, send: Send) -> None:
    body = json.dumps(refusal.body).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    headers += [(name.lower().encode(), value.encode()) for name, value in refusal.headers.items()]
    # The body that may follow is not read.
    if b"connection" not in dict(headers):
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
