"""A server that is killed at a chosen change to its files, and what the next one tells of its scans."""

from __future__ import annotations

import http.client
import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from hostile.disks import AMPLE_BYTES, BLOCK_BYTES, disk
from hostile.mortal import SPARED, Ended, Harm, start
from served import REAL, Server
from tiny_model import write_tiny_model

_BINARY = {"Content-Type": "application/octet-stream"}
_GONE = (OSError, http.client.HTTPException)


class MortalServer(Server):
    """The same requests, to a process that may come to harm."""

    def __init__(self, folder: Path, notes: Path, card: Path, harm: Harm = SPARED) -> None:
        arguments = ["serve", "--port", 0, "--folder", folder, "--model", card]
        self.folder, self.run = folder, start(arguments, folder, notes, harm=harm)
        while "http://" not in self.run.said and self.run.process.is_alive():
            time.sleep(0.05)
        self.port = int(self.run.said.split()[-1].rpartition(":")[2]) if "http://" in self.run.said else 0

    def end(self, number: int = signal.SIGINT) -> Ended:
        """Stop it, where it still runs."""
        if self.run.process.is_alive():
            os.kill(self.run.process.pid, number)
        return self.run.end()


class Serving:
    """Servers on folders of their own.

    Args:
        folder: For all of them.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder, self.card = folder, write_tiny_model(folder / "model")
        self.verdict: dict[str, Any] = {}
        self.changes: tuple[str, ...] = ()
        self._number = 0

    def prepare(self) -> None:
        """Let one work undisturbed."""
        with self._serve(self._make()) as server:
            self.verdict = _plain(server.wait(server.send(REAL)["id"]))
            self.changes = server.end().changes

    def harm(self, harm: Harm) -> str:
        """Kill one; gives what is wrong with the next, or nothing."""
        place = self._make()
        with self._serve(place, harm) as server:
            with suppress(*_GONE):
                server.wait(server.send(REAL)["id"])
            ended = server.end()
        if ended.code != -signal.SIGKILL:
            return f"was to be killed, and ended with {ended.code}: {ended.told[-300:]}"
        with self._serve(place) as server:
            return self._wrong(server)

    def two(self) -> str:
        """A second one in the folder of the first; gives what is wrong, or nothing."""
        place = self._make()
        with self._serve(place) as server:
            with self._serve(place) as other:
                ended = other.end()
            if ended.code != 2 or "error: " not in ended.told:
                return f"the second ended with {ended.code}: {ended.told[-300:]}"
            again = _plain(server.wait(server.send(REAL)["id"]))
        return "" if again == self.verdict else "the first tells otherwise"

    def sizes(self, most: int) -> Iterator[int]:
        """Sizes of disks, in bytes, on which a server runs out of room, at most so many."""
        place = self._make()
        place.mkdir()
        with disk(place) as ample, self._serve(place) as server:
            server.wait(server.send(REAL)["id"])
            blocks = ample.used_bytes() // BLOCK_BYTES
        yield from range(BLOCK_BYTES, blocks * BLOCK_BYTES, -(-blocks // most) * BLOCK_BYTES)

    def on_disk(self, size_bytes: int) -> str:
        """A server on a disk of this size, 0 for one closed to writing, and the next one on one with room."""
        place = self._make()
        place.mkdir()
        with disk(place, size_bytes or AMPLE_BYTES) as small:
            if not size_bytes:
                small.seal()
            with self._serve(place) as server:
                problem = self._answer(server)
            small.open()
            if problem:
                return problem
            with self._serve(place) as server:
                return self._wrong(server)

    def _answer(self, server: MortalServer) -> str:
        """What is wrong with what a server says that is short of room, or nothing."""
        if not server.port:
            ended = server.end()
            ok = ended.code == 2 and "error: " in ended.told and "Traceback" not in ended.told
            return "" if ok else f"ended with {ended.code}: {ended.told[-300:]}"
        status, _, told = server.ask("POST", f"/api/scans?name={REAL.name}", REAL.read_bytes(), _BINARY)
        if status == 503:
            return "" if told.get("code") == "disk_full" else f"refused: {told}"
        if status != 201:
            return f"answered with {status}: {told}"
        whole = server.wait(told["id"])
        if whole["state"] == "done":
            return "" if _plain(whole) == self.verdict else "a finished scan tells otherwise"
        blamed = whole["state"] != "failed" or (whole["outcome"] or "error") != "error"
        return f"ended as {whole['state']}: {whole['reason']}" if blamed or not whole["reason"] else ""

    def _wrong(self, server: MortalServer) -> str:
        if not server.port:
            return f"the next one does not begin: {server.end().told[-300:]}"
        scans = server.get("/api/scans")["scans"]
        for scan in scans:
            whole = server.get(f"/api/scans/{scan['id']}")
            if whole["state"] == "done" and _plain(whole) != self.verdict:
                return "a finished scan tells otherwise"
            if whole["state"] != "done" and not (whole["state"] == "interrupted" and whole["reason"]):
                return f"a scan is {whole['state']} without a reason"
        folder = server.folder / "scans"
        kept = {one.name for one in folder.iterdir()} if folder.is_dir() else set()
        if left := kept - {scan["id"] for scan in scans}:
            return f"left behind: {', '.join(sorted(left))}"
        again = _plain(server.wait(server.send(REAL)["id"]))
        return "" if again == self.verdict else "the next scan tells otherwise"

    def _make(self) -> Path:
        self._number += 1
        return self.folder / f"served-{self._number}"

    def _serve(self, place: Path, harm: Harm = SPARED) -> MortalServer:
        self._number += 1
        return MortalServer(place, self.folder / f"notes-{self._number}", self.card, harm)


def _plain(scan: dict[str, Any]) -> dict[str, Any]:
    """A verdict without what it took, and without where the upload lies."""
    told = {name: value for name, value in scan["verdict"].items() if name not in ("seconds", "path")}
    return json.loads(json.dumps(told))
