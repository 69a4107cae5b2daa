"""Requests to an application in this process, for what no client over a network can bring about."""

from __future__ import annotations

import asyncio


async def ask(app, path, *, stays=True):
    """Status and body of the answer to GET; a client that does not stay is gone before the answer begins."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    sent = []

    async def receive():
        if stays:
            await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    async def send(message):
        await asyncio.sleep(0)  # as over a network whose buffers are full
        sent.append(message)

    await app(scope, receive, send)
    status = next((message["status"] for message in sent if "status" in message), None)
    return status, b"".join(message.get("body", b"") for message in sent)
