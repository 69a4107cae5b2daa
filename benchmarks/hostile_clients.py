"""What clients that mean harm send to `unmask serve`, and what they may get for it.

Each attack is a function that talks to the server and gives the status of the answer, or None where the
server hung up. A client also holds slow connections, to which it gives a byte between its other attacks.
"""

from __future__ import annotations

import json
import random
import socket
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from hostile.mutate import mutate

EVIL = "http://evil.example.com"
SECRET = b"root:"
"""How /etc/passwd begins; no answer may hold it."""
_TRICKS = (
    "/static/../../../../etc/passwd", "/static/%2e%2e/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd", "/%2e%2e%2f",
    "/static/..%5c..%5cetc%5cpasswd", "/static/app.js%00.css", "/api/scans/../../../../etc/passwd",
    "/api/scans/%00%ff/report?language=%F0%9F", "/api/scans/" + "0" * 32 + "/../../lock", "/etc/passwd",
    "/api/scans/" + "a" * 9000, "/static/" + "../" * 400 + "etc/passwd", "file:///etc/passwd",
)  # fmt: skip
_PATHS = (
    "../../etc/passwd",
    "/dev/zero",
    "/",
    "/proc/self/mem\0",
    "/no/such/file",
    "",
    "~",
    "\ud800",
    7,
    None,
)
_POST = b"POST /api/scans HTTP/1.1\r\nHost: localhost\r\n"
_BROKEN_HTTP = (
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
    b"GET\r\n\r\n",
    b"CONNECT evil.example.com:443 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"TRACE / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example.com\r\n\r\n",
    _POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET",
    _POST + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nx",
    _POST + b"Content-Length: -5\r\n\r\nx",
)
_PART = b'--b\r\nContent-Disposition: form-data; name="file"; filename="../../x.mp4"\r\n'
_BROKEN_FORMS = (_PART + b"\r\nx\r\n--b--", _PART, b"--b--", b"--" + b"b" * 5000, _PART * 50, b"\r\n" * 500)


@dataclass(frozen=True, slots=True)
class Target:
    """The server and what is sent to it.

    Attributes:
        port: On this machine.
        token: That it wants.
        clip: Bytes of a sound video, to be damaged.
        mark: In every name that tries to leave its folder, so that a file of it would be found.
        most_bytes: Of an upload that it takes.
    """

    port: int
    token: str
    clip: bytes
    mark: str
    most_bytes: int

    def head(self, method: str, path: str, **headers: str) -> bytes:
        """The head of a request, with the token unless headers say otherwise; empty ones are left out."""
        given = {"Host": f"127.0.0.1:{self.port}", "Authorization": f"Bearer {self.token}"}
        given |= {"Connection": "close", **headers}
        lines = [f"{name.replace('_', '-')}: {value}" for name, value in given.items() if value]
        return "\r\n".join([f"{method} {path} HTTP/1.1", *lines, "", ""]).encode()

    def link(self) -> socket.socket:
        """A new connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=60)

    def ask(self, *parts: bytes) -> int | None:
        """Send, and give the status of the answer."""
        with self.link() as link:
            with suppress(ConnectionError):  # it answers before all has come, and hangs up
                for part in parts:
                    link.sendall(part)
            return status_of(link)

    def upload(self, body: bytes, name: str = "x", **headers: str) -> int | None:
        """Send a body as a file."""
        length = {"Content_Length": str(len(body)), "Content_Type": "video/mp4", **headers}
        return self.ask(self.head("POST", f"/api/scans?name={name}", **length), body)


def status_of(link: socket.socket) -> int | None:
    """The status of an answer, or None where there is none; an answer with a secret in it is status 0."""
    found = b""
    with suppress(ConnectionError, TimeoutError):
        while len(found) < 100_000 and (part := link.recv(65_536)):
            found += part
            if b"\r\n\r\n" in found and len(found.split(b"\r\n\r\n", 1)[1]) >= _length(found):
                break
    if SECRET in found:
        return 0
    return int(found[9:12]) if found.startswith(b"HTTP/1.1 ") else None


def _length(found: bytes) -> int:
    for line in found.split(b"\r\n\r\n", 1)[0].lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0


Do = Callable[[Target, random.Random], int | None]


def _oversize(target: Target, rng: random.Random) -> int | None:
    if rng.random() < 0.5:
        return target.upload(b"x", Content_Length=str(target.most_bytes + 1))
    head = target.head("POST", "/api/scans", Content_Type="video/mp4", Transfer_Encoding="chunked")
    block = b"100000\r\n" + bytes(1 << 20) + b"\r\n"
    return target.ask(head, *[block] * (target.most_bytes // (1 << 20) + 1), b"0\r\n\r\n")


def _path(target: Target, rng: random.Random) -> int | None:
    return target.ask(target.head(rng.choice(("GET", "DELETE", "HEAD")), rng.choice(_TRICKS)))


def _json_path(target: Target, rng: random.Random) -> int | None:
    body = rng.choice(
        (json.dumps({"path": rng.choice(_PATHS)}).encode(), b"[" * 10_000, b'{"path": "/x"', b"0")
    )
    return target.upload(body, Content_Type="application/json")


def _name(target: Target, rng: random.Random) -> int | None:
    climb = rng.choice(("..%2f", "..%5c", "/", "%00", "%0d%0aSet-Cookie:%20a=b%0d%0a", "../")) * rng.choice(
        (1, 9)
    )
    return target.upload(rng.randbytes(99), name=climb + target.mark)


def _foreign_host(target: Target, rng: random.Random) -> int | None:
    host = rng.choice(
        ("evil.example.com", "127.0.0.1.evil.example.com", "localhost@evil", "[evil]", "2130706433")
    )
    return target.ask(target.head(rng.choice(("GET", "POST")), "/api/scans", Host=host))


def _foreign_page(target: Target, rng: random.Random) -> int | None:
    says = rng.choice(({"Origin": EVIL}, {"Origin": "null"}, {"Sec_Fetch_Site": "cross-site"}))
    if rng.random() < 0.5:
        return target.ask(target.head("DELETE", "/api/scans/" + "0" * 32, **says))
    return target.upload(b"x", **says)


def _no_token(target: Target, rng: random.Random) -> int | None:
    given = rng.choice(
        ({"Authorization": ""}, {"Authorization": "Bearer " + "x" * 20}, {"Authorization": "Basic eDp5"})
    )
    if rng.random() < 0.3:
        given = {"Authorization": "", "Cookie": f"unmask_session={rng.randbytes(32).hex()}"}
    return target.ask(target.head("GET", rng.choice(("/api/scans", "/metrics", "/api/events")), **given))


def _form(target: Target, rng: random.Random) -> int | None:
    kind = rng.choice(("multipart/form-data; boundary=b", "multipart/form-data", "text/plain"))
    return target.upload(rng.choice(_BROKEN_FORMS), Content_Type=kind)


def _break_off(target: Target, rng: random.Random) -> int | None:
    with target.link() as link:
        link.sendall(target.head("POST", "/api/scans", Content_Type="video/mp4", Content_Length="99999"))
        link.sendall(target.clip[: rng.randrange(1, 9999)])
    return None


def _damaged(target: Target, rng: random.Random) -> int | None:
    playlist = b"#EXTM3U\n#EXTINF:9,\nfile:///etc/passwd\n#EXTINF:9,\nhttp://evil.example.com/a.ts\n"
    huge = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + b"\x7f\xff\xff\xff" * 2 + b"\x08\x02\0\0\0"
    body = rng.choice((mutate(target.clip, rng.randrange(1 << 30)), playlist, huge, rng.randbytes(5000)))
    return target.upload(body, name=rng.choice(("a.mp4", "a.m3u8", "f%25d.png", "concat:a")))


def _no_http(target: Target, rng: random.Random) -> int | None:
    return target.ask(rng.choice((*_BROKEN_HTTP, rng.randbytes(500))) + b"\r\n\r\n")


def _long_head(target: Target, rng: random.Random) -> int | None:
    return target.ask(target.head("GET", "/")[:-2], b"X: y\r\n" * 100_000, b"\r\n")


def _leave(target: Target, rng: random.Random) -> int | None:
    return target.ask(target.head("GET", "/api/events"))  # reads its head, and hangs up


_AWAY = frozenset({400, 404, 405, 422})
ATTACKS: dict[str, tuple[Do, frozenset[int | None]]] = {
    "too large": (_oversize, frozenset({413, None})),
    "paths that climb": (_path, _AWAY),
    "JSON that names what it may not": (_json_path, _AWAY),
    "names that climb": (_name, frozenset({201})),
    "a name pointed at this machine (DNS rebinding)": (_foreign_host, frozenset({400, 421})),
    "another page in the browser (CSRF)": (_foreign_page, frozenset({403})),
    "no token, or a wrong one": (_no_token, frozenset({401})),
    "forms, whole and broken": (_form, frozenset({415})),
    "uploads that break off": (_break_off, frozenset({None})),
    "hostile media": (_damaged, frozenset({201})),
    "broken HTTP": (_no_http, frozenset({400, 401, 404, 405, 421, 431, None})),
    "heads of half a megabyte": (_long_head, frozenset({400, 431, None})),
    "event streams that are left": (_leave, frozenset({200})),
}
"""What is tried, and which answers it may get; 503 is always allowed."""


@dataclass(slots=True)
class Slow:
    """A connection that gives its request a byte at a time, or nothing more of it at all.

    Attributes:
        link: It.
        kind: ``head`` or ``body``, and how it is slow.
        began: Seconds of the monotonic clock.
        drips: Whether bytes still come.
    """

    link: socket.socket
    kind: str
    began: float
    drips: bool

    def hung_up(self) -> bool:
        """Give it one more byte, and tell whether the server wants no more."""
        try:
            if self.drips:
                self.link.sendall(b"x")
            self.link.setblocking(False)
            with suppress(BlockingIOError):
                self.link.recv(4096)  # an answer, such as 408, or the end: either way it is over
                return True
            return False
        except OSError:
            return True
        finally:
            with suppress(OSError):
                self.link.settimeout(60)


SLOW_SECONDS = {"head": 10.0, "silent body": 15.0, "dripping body": 60.0}
"""After so long the server must want no more of them."""


@dataclass(slots=True)
class Hostile:
    """A client that means harm.

    Attributes:
        target: What it attacks.
        rng: Chooses how.
        turns: Which attack is next; they come in turn, so that clients that begin at several try all soon.
        answers: Of each kind of attack, how often it got which status.
        slow: Connections that it keeps open.
        lasted: Of each kind of slow connection, the longest time until the server hung up, in seconds.
    """

    target: Target
    rng: random.Random
    turns: int
    answers: dict[str, Counter[int | None]] = field(default_factory=dict)
    slow: list[Slow] = field(default_factory=list)
    lasted: dict[str, float] = field(default_factory=dict)

    def turn(self) -> None:
        """One attack."""
        name = list(ATTACKS)[self.turns % len(ATTACKS)]
        self.turns += 1
        status = ATTACKS[name][0](self.target, self.rng)
        self.answers.setdefault(name, Counter())[status] += 1
        self.drip()
        if len(self.slow) < 2:
            self._begin_slowly(self.rng.choice(list(SLOW_SECONDS)))

    def watch(self, seconds: float) -> None:
        """Only drip, until the server has hung up on every slow connection or the time is over."""
        until = time.monotonic() + seconds
        while self.slow and time.monotonic() < until:
            self.drip()
            time.sleep(0.5)
        for one in self.slow:
            one.link.close()

    def drip(self) -> None:
        """Give every slow connection a byte."""
        for one in [one for one in self.slow if one.hung_up()]:
            one.link.close()
            self.slow.remove(one)
            self.lasted[one.kind] = max(self.lasted.get(one.kind, 0.0), time.monotonic() - one.began)

    def _begin_slowly(self, kind: str) -> None:
        head = self.target.head("POST", "/api/scans", Content_Type="video/mp4", Content_Length="99999")
        link = self.target.link()
        link.sendall(head[:40] if kind == "head" else head + b"x")
        self.slow.append(Slow(link, kind, time.monotonic(), drips=kind != "silent body"))
