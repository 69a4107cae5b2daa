"""Figures of a running server in Prometheus' text format."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_METHODS = ("GET", "HEAD", "POST", "DELETE", "OPTIONS")
_SCAN_SECONDS = (0.5, 1, 2, 5, 10, 20, 60, 120, 300, 600, 1800)


class Metrics:
    """Counters and gauges of one server.

    Attributes:
        requests: Answers by method, route and status.
        scans: Scans that ended, by outcome; ``failed`` are those whose worker crashed or hung, and some
            were ``cancelled``.
        refused: What was turned away, by why.
        upload_bytes: Bytes that came in.
        scan_seconds: From the beginning of a scan to its end.
        first_seconds: From the beginning of a scan to its first partial result.
    """

    def __init__(self) -> None:
        self._registry = to = CollectorRegistry()
        ProcessCollector(registry=to)
        labels = ["method", "route", "status"]
        self.requests = Counter("unmask_http_requests", "HTTP answers.", labels, registry=to)
        self.scans = Counter("unmask_scans", "Scans that ended.", ["outcome"], registry=to)
        self.refused = Counter("unmask_refused", "Requests that were turned away.", ["why"], registry=to)
        self.upload_bytes = Counter("unmask_upload_bytes", "Bytes of uploads.", registry=to)
        self.scan_seconds = Histogram(
            "unmask_scan_seconds", "Time of a scan.", buckets=_SCAN_SECONDS, registry=to
        )
        self.first_seconds = Histogram(
            "unmask_first_partial_seconds", "From its begin to its first partial result.", registry=to
        )

    def watch(self, name: str, told: str, value: Callable[[], float]) -> None:
        """Add a gauge whose value is asked for whenever somebody looks."""
        Gauge(f"unmask_{name}", told, registry=self._registry).set_function(value)

    def text(self) -> bytes:
        """All of it."""
        return generate_latest(self._registry)


class Counted:
    """Middleware that counts answers by route; what has no route counts as ``none``.

    Args:
        app: What answers.
        metrics: Where they are counted.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""

        async def send_counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = getattr(scope.get("route"), "path", "none")
                method = scope["method"] if scope["method"] in _METHODS else "other"
                self._metrics.requests.labels(method, route, message["status"]).inc()
            await send(message)

        await self._app(scope, receive, send_counted if scope["type"] == "http" else send)
