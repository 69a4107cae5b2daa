"""A real server in a process of its own, on a free port, with the tiny model."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tiny_model import write_tiny_model

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
REAL, SWAPPED = EXAMPLES / "portrait_real.mp4", EXAMPLES / "portrait_swapped.mp4"
OVER = ("done", "failed", "interrupted")
PATIENCE_SECONDS = 120


class Server:
    """Starts with ``unmask serve`` and answers requests until it is stopped or killed."""

    def __init__(self, folder: Path, *options, environment=None):
        self.folder, self.model = folder, folder.parent / f"{folder.name}-model"
        card = self.model / "tiny.json" if self.model.exists() else write_tiny_model(self.model)
        command = [sys.executable, "-m", "unmask", "serve", "--port", "0", "--folder", str(folder)]
        self.process = subprocess.Popen(  # the last of an option counts
            [*command, "--model", str(card), *map(str, options)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | (environment or {}),
        )
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(self.process.stderr.read())
        self.address = line.split()[-1]
        self.port = int(self.address.rpartition(":")[2])

    def ask(self, method, path, body=None, headers=None, *, timeout=PATIENCE_SECONDS):
        """Status, headers and body of an answer; JSON comes as what it says."""
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            link.request(method, path, body, headers or {})
            answer = link.getresponse()
            data = answer.read()
        finally:
            link.close()
        if answer.getheader("content-type", "").startswith("application/json"):
            data = json.loads(data)
        return answer.status, answer.headers, data

    def get(self, path, status=200, **headers):
        """The body of an answer that must have this status."""
        found, _, body = self.ask("GET", path, headers=headers)
        assert found == status, body
        return body

    def send(self, file: Path, *, name=None, status=201):
        """Upload a file; gives what the server says of the scan."""
        headers = {"Content-Type": "application/octet-stream"}
        found, _, scan = self.ask("POST", f"/api/scans?name={name or file.name}", file.read_bytes(), headers)
        assert found == status, scan
        return scan

    def wait(self, key):
        """The scan when it is over."""
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            scan = self.get(f"/api/scans/{key}")
            if scan["state"] in OVER:
                return scan
            time.sleep(0.1)
        raise AssertionError(f"not over after {PATIENCE_SECONDS} s: {scan['state']}")

    def wait_ready(self):
        """Wait until a worker has its networks."""
        until = time.monotonic() + PATIENCE_SECONDS
        while self.get("/healthz")["status"] != "ready":
            assert time.monotonic() < until
            time.sleep(0.1)

    def resident_bytes(self):
        """Memory of the server's own process, as it tells of it."""
        for line in self.get("/metrics").decode().splitlines():
            if line.startswith("process_resident_memory_bytes "):
                return float(line.split()[1])
        raise AssertionError("no such metric")

    def kill(self):
        """End it as a crash would, and leave nothing running."""
        self.end(signal.SIGKILL)

    def end(self, number=signal.SIGTERM):
        """Stop it; gives the exit code and what it wrote to stderr."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        _, written = self.process.communicate(timeout=60)
        return self.process.returncode, written

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()
