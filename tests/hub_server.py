"""A small server that speaks the protocol of a model hub, for tests: revisions, ETags, redirects, ranges.

Files that end in ``.json`` are answered where they are, with git's hash as ETag, all others by a redirect
to another place with their SHA-256, as the real hub does with what lies outside git. Faults can be set.
"""

from __future__ import annotations

import hashlib
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "0123456789abcdef0123456789abcdef01234567"
LATER = "f" * 40


@dataclass
class Hub:
    """What lies on the hub, what goes wrong, and what was asked."""

    files: dict[str, dict[str, bytes]] = field(default_factory=dict)
    commits: dict[str, str] = field(default_factory=lambda: {"main": COMMIT, COMMIT: COMMIT})
    needs_login: str = ""
    gated: bool = False
    break_after: list[int] = field(default_factory=list)
    altered: dict[str, bytes] = field(default_factory=dict)
    asked: list[tuple[str, str, str, str]] = field(default_factory=list)
    url: str = ""

    def gets(self):
        """Path, range and login of every transfer."""
        return [(path, span, login) for method, path, span, login in self.asked if method == "GET"]


class _Handler(BaseHTTPRequestHandler):
    hub: Hub

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self._answer(body=False)

    def do_GET(self):
        self._answer(body=True)

    def _answer(self, *, body):
        if self.path.startswith("/api/"):  # huggingface_hub asks for lists of its own
            return self._refuse(404, "")
        login, span = self.headers.get("Authorization", ""), self.headers.get("Range", "")
        self.hub.asked.append((self.command, self.path, span, login))
        if self.path.startswith("/elsewhere/"):
            name, data = self._elsewhere()
            return self._send(name, data, body=body, headers={"ETag": f'"{_sha256(data)}"'})
        owner, name, resolve, revision, file = self.path.strip("/").split("/", 4)
        repository = self.hub.files.get(f"{owner}/{name}")
        assert resolve == "resolve"
        if self.hub.gated:
            return self._refuse(403, "GatedRepo")
        if repository is None or (self.hub.needs_login and login != f"Bearer {self.hub.needs_login}"):
            return self._refuse(401, "RepoNotFound" if repository is None else "")
        if revision not in self.hub.commits:
            return self._refuse(404, "RevisionNotFound")
        if file not in repository:
            return self._refuse(404, "EntryNotFound")
        data = repository[file]
        commit = {"X-Repo-Commit": self.hub.commits[revision]}
        if file.endswith(".json"):
            return self._send(file, data, body=body, headers=commit | {"ETag": f'"{_blob_sha1(data)}"'})
        self.send_response(302)
        place = f"{self.hub.url.replace('127.0.0.1', 'localhost')}/elsewhere/{owner}/{name}/{file}"
        told = {"X-Linked-ETag": f'"{_sha256(data)}"', "X-Linked-Size": str(len(data)), "Location": place}
        for key, value in (commit | told | {"Content-Length": "0"}).items():
            self.send_header(key, value)
        return self.end_headers()

    def _elsewhere(self):
        owner, name, file = self.path.removeprefix("/elsewhere/").split("/", 2)
        return file, self.hub.files[f"{owner}/{name}"][file]

    def _send(self, name, data, *, body, headers):
        data = self.hub.altered.get(name, data)
        start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")[0])
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        for key, value in (headers | {"Content-Length": str(len(data) - start)}).items():
            self.send_header(key, value)
        self.end_headers()
        if body:
            most = self.hub.break_after.pop(0) if self.hub.break_after else len(data)
            self.wfile.write(data[start : start + most])
            if start + most < len(data):
                self.close_connection = True

    def _refuse(self, code, reason):
        self.send_response(code)
        if reason:
            self.send_header("X-Error-Code", reason)
        self.send_header("Content-Length", "0")
        self.end_headers()


def _sha256(data):
    return hashlib.sha256(data).hexdigest()


def _blob_sha1(data):
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


@contextmanager
def serve(files):
    """Serve repositories, ``{"owner/name": {file: bytes}}``, at a free port of this machine."""
    hub = Hub(files)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
