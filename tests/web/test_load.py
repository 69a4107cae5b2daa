"""Twenty clients at once, a third of whom mean harm: nobody gets an error of the server's own making."""

from __future__ import annotations

import http.client
import json
import random
import socket
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

CLIENTS, REQUESTS = 20, 200
BINARY = {"Content-Type": "application/octet-stream"}
JSON = {"Content-Type": "application/json"}
FRIENDLY = [
    ("GET", "/", None, {}),
    ("GET", "/api/scans?search=clip", None, {}),
    ("GET", "/api/limits", None, {}),
    ("GET", "/static/app.js", None, {}),
    ("GET", "/healthz", None, {}),
    ("POST", "/api/scans?name=clip.mp4", b"not much of a clip", BINARY),
]
HOSTILE = [
    ("POST", "/api/scans?name=" + "x" * 9000, b"x", BINARY),
    ("POST", "/api/scans", bytes(2**21 + 1), BINARY),
    ("POST", "/api/scans", b"[" * 10_000, JSON),
    ("POST", "/api/scans", json.dumps({"path": "/dev/zero"}).encode(), JSON),
    ("POST", "/api/scans", b"x", BINARY | {"Origin": "http://evil.example.com"}),
    ("GET", "/api/scans", None, {"Host": "evil.example.com"}),
    ("GET", "/api/scans/%00%ff/report?language=%F0%9F", None, {}),
    ("GET", "/api/scans?limit=99999999999999999999&search=%25%27%22", None, {}),
    ("DELETE", "/api/scans/../../../../etc/passwd", None, {}),
    ("TRACE", "/", None, {}),
    "raw",
]


def one_request(server, number):
    chance = random.Random(number)
    what = chance.choice(HOSTILE if number % 3 == 0 else FRIENDLY)
    if what == "raw":
        return raw(server, chance)
    try:
        return server.ask(*what)[0]
    except (http.client.HTTPException, OSError):
        assert what in HOSTILE  # who sends too much may be hung up on
        return "hung up"


def raw(server, chance):
    """A body that never comes to its end, or no HTTP at all."""
    with socket.create_connection(("127.0.0.1", server.port)) as link:
        begin = b"POST /api/scans HTTP/1.1\r\nHost: localhost\r\nContent-Type: video/mp4\r\n"
        link.sendall(chance.choice([begin + b"Content-Length: 99\r\n\r\nx", chance.randbytes(500)]))
    return "raw"


def flood(server, begin):
    with ThreadPoolExecutor(CLIENTS) as clients:
        return Counter(clients.map(lambda number: one_request(server, begin + number), range(REQUESTS)))


def test_a_flood_of_good_and_bad_requests(server):
    flood(server, 0)  # what a server holds when it has met everything once
    before = server.resident_bytes()
    found = flood(server, 1000)
    assert sum(found.values()) == REQUESTS
    assert {status for status in found if isinstance(status, int) and status >= 500} <= {503}, found
    assert found[200] > REQUESTS / 4 and found[403] and found[421] and found["raw"]
    assert server.get("/healthz")["status"] == "ready"
    grown = server.resident_bytes() / before - 1
    assert grown < 0.05, f"memory grew by {grown:.1%}"
