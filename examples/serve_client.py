"""Scan files with a server that `unmask serve` started, and print what it says; needs nothing but Python.

python examples/serve_client.py examples/portrait_real.mp4 --server http://127.0.0.1:8000
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import Request, urlopen

OVER = ("done", "failed", "interrupted")


class Client:
    """Speaks with one server."""

    def __init__(self, server: str, token: str | None = None) -> None:
        self.server, self.token = server.rstrip("/"), token

    def send(self, file: Path) -> dict[str, Any]:
        """Upload a file; waits for a place where too many scans wait already."""
        while True:
            with file.open("rb") as body:  # is read as it is sent, so its size does not matter
                try:
                    headers = {
                        "Content-Type": "application/octet-stream",
                        "Content-Length": str(file.stat().st_size),
                    }
                    with self._ask(f"/api/scans?name={quote(file.name)}", body, headers) as answer:
                        return json.load(answer)
                except HTTPError as error:
                    if error.code != 503:
                        raise
                    time.sleep(float(error.headers.get("Retry-After", 10)))

    def follow(self, key: str) -> Iterator[dict[str, Any]]:
        """What is told of a scan, to its end."""
        with self._ask(f"/api/scans/{key}/events") as stream:
            for line in stream:
                if line.startswith(b"data: "):
                    yield json.loads(line[6:])

    def get(self, key: str) -> dict[str, Any]:
        """A scan with its verdict."""
        with self._ask(f"/api/scans/{key}") as answer:
            return json.load(answer)

    def report(self, key: str, target: Path) -> None:
        """Save the report."""
        with self._ask(f"/api/scans/{key}/report") as answer:
            target.write_bytes(answer.read())

    def _ask(self, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        headers = dict(headers or {})
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        return urlopen(Request(self.server + path, body, headers), timeout=600)


class UnheardError(Exception):
    """The server says no more, and why."""


def scan(client: Client, file: Path) -> dict[str, Any]:
    """Send a file, tell on stderr how it goes, and wait for the end of its scan."""
    key = client.send(file)["id"]
    for news in client.follow(key):
        print(f"{file.name}: {news['state']} {news['share']:.0%}", file=sys.stderr)
        if news["state"] in OVER:
            return client.get(key)
    raise UnheardError("it ended before the scan did")


def main() -> int:
    """Give the exit code: 0 each file got a verdict, 1 at least one did not, 2 wrong usage."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--server", default="http://127.0.0.1:8000")
    parser.add_argument("--reports", type=Path, help="folder to save a report of each file in")
    options = parser.parse_args()
    if not options.server.startswith(("http://", "https://")):
        parser.error(f"--server must begin with http:// or https://, got {options.server}")
    client = Client(options.server, os.environ.get("UNMASK_TOKEN"))
    unread = 0
    for file in options.files:
        try:
            found = scan(client, file)
            number = "" if found["p_fake"] is None else f" {found['p_fake']:.2f}"
            print(f"{file}: {found['outcome'] or found['state']}{number}: {found['reason']}")
            unread += found["state"] != "done" or found["outcome"] == "unreadable"
            if options.reports and found["state"] == "done":
                options.reports.mkdir(parents=True, exist_ok=True)
                client.report(found["id"], options.reports / f"{file.name}.html")
        except HTTPError as error:
            print(f"{file}: refused: {detail(error)}")
            unread += 1
        except (URLError, HTTPException, ConnectionError, TimeoutError, UnheardError) as error:
            why = getattr(error, "reason", error)
            print(
                f"error: {client.server} does not answer: {why}; start it with: unmask serve", file=sys.stderr
            )
            return 1
        except OSError as error:
            print(f"{file}: {error.strerror} ({error.filename})")
            unread += 1
    return int(unread > 0)


def detail(error: HTTPError) -> str:
    """Why the server refused; what stands before it, such as a proxy, may answer without JSON."""
    try:
        return str(json.load(error)["detail"])
    except (ValueError, KeyError, TypeError):
        return str(error)


if __name__ == "__main__":
    sys.exit(main())
