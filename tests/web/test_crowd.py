"""More connections than the server keeps."""

import socket
import time

from served import Server
from unmask.web.security import MAX_CONNECTIONS


def test_too_many_connections_get_the_promised_answer(tmp_path):
    with Server(tmp_path / "folder") as server:
        idle = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(MAX_CONNECTIONS)]
        try:
            until = time.monotonic() + 8  # heads that do not come are waited for a little longer
            status = 0
            while status != 503 and time.monotonic() < until:
                status, headers, told = server.ask("GET", "/api/limits")
        finally:
            for link in idle:
                link.close()
        assert status == 503 and told["code"] == "busy" and str(MAX_CONNECTIONS) in told["detail"]
        assert headers["retry-after"] == "10" and headers["connection"] == "close"
        assert headers["x-content-type-options"] == "nosniff" and "content-security-policy" in headers
        until = time.monotonic() + 20
        while server.ask("GET", "/api/limits")[0] != 200:
            assert time.monotonic() < until
        assert b'unmask_refused_total{why="busy"}' in server.get("/metrics")
