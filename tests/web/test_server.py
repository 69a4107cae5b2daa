"""What happens to a server: it is killed, called slowly, flooded, told to stop, given a token."""

import asyncio
import contextlib
import http.client
import json
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time

import pytest
import uvicorn

from command_line import run
from served import PATIENCE_SECONDS, REAL, SWAPPED, Server
from unmask.web.server import PatientProtocol

BINARY = {"Content-Type": "application/octet-stream"}
TOKEN = "correct-horse-battery"


def test_a_killed_server_loses_no_finished_scan_and_tells_of_the_others(tmp_path):
    with Server(tmp_path / "folder") as server:
        done = server.wait(server.send(REAL)["id"])
        open_ones = [server.send(SWAPPED)["id"] for _ in range(3)]
        server.kill()
    with Server(tmp_path / "folder") as again:
        assert again.get(f"/api/scans/{done['id']}")["verdict"] == done["verdict"]
        found = {again.get(f"/api/scans/{key}")["state"] for key in open_ones[1:]}
        assert found == {"interrupted"}
        assert again.ask("DELETE", f"/api/scans/{open_ones[2]}")[0] == 204
        code, written = again.end(signal.SIGINT)
        assert code == 130 and written.startswith("stopped; ") and written.count("\n") == 1


def test_with_a_token_nothing_is_told_without_it(tmp_path):
    with Server(tmp_path / "folder", environment={"UNMASK_TOKEN": TOKEN}) as server:
        server.get("/api/scans", status=401)
        server.get("/metrics", status=401)
        assert server.get("/api/limits")["needs_token"]
        status, headers, _ = server.ask("POST", "/api/session", headers={"Authorization": f"Bearer {TOKEN}"})
        cookie = headers["set-cookie"]
        assert status == 204 and "HttpOnly" in cookie and "SameSite=strict" in cookie and TOKEN not in cookie
        assert server.get("/api/scans", Cookie=cookie.partition(";")[0]) == {"scans": [], "more": False}
        assert "Secure" not in cookie
        behind_tls = {"Origin": f"https://127.0.0.1:{server.port}", "Authorization": f"Bearer {TOKEN}"}
        status, headers, _ = server.ask("POST", "/api/session", headers=behind_tls)
        assert status == 204 and "; Secure" in headers["set-cookie"]
        assert server.ask("POST", "/api/session", headers={"Authorization": "Bearer wrong"})[0] == 401
        server.get("/api/scans", Authorization=f"Bearer {TOKEN}")


@pytest.fixture
def hasty(monkeypatch):
    """The port of a server that waits for half a second only; it answers any request after one second."""

    async def answer(scope, receive, send):
        if scope["type"] == "http":
            await asyncio.sleep(1)
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body"})

    monkeypatch.setattr("unmask.web.server.HEAD_SECONDS", 0.5)
    config = uvicorn.Config(
        answer, http=PatientProtocol, port=0, lifespan="off", log_level="error", timeout_keep_alive=1
    )
    one = uvicorn.Server(config)
    thread = threading.Thread(target=one.run)
    thread.start()
    while not one.started:
        time.sleep(0.01)
    yield one.servers[0].sockets[0].getsockname()[1]
    one.should_exit = True
    thread.join(10)


@pytest.mark.parametrize(
    "begin", [b"", b"GET / HTTP/1.1\r\nHost: 127.0", b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET"]
)
def test_a_head_that_does_not_come_in_time_is_dropped(hasty, begin):
    with socket.create_connection(("127.0.0.1", hasty)) as link:
        link.sendall(begin)
        link.settimeout(20)
        found = b""
        while part := link.recv(1000):
            found += part
        # What was asked for as it should be is answered, however long that takes.
        assert found.startswith(b"HTTP/1.1 204") == begin.endswith(b"GET")


def test_garbage_in_place_of_a_request_harms_nobody(server):
    for garbage in (
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 5000,
    ):
        with socket.create_connection(("127.0.0.1", server.port)) as link:
            link.settimeout(30)
            try:
                link.sendall(garbage + b"\r\n\r\n")
                assert link.recv(100).startswith((b"HTTP/1.1 4", b""))
            except ConnectionError:
                pass  # it hung up before all of it was sent
    assert server.get("/healthz")["status"] == "ready"


def test_a_list_that_is_locked_holds_up_nobody_but_who_writes_to_it(server):
    with contextlib.closing(sqlite3.connect(server.folder / "scans.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        sender = threading.Thread(target=server.send, args=(REAL,), kwargs={"name": "waits.mp4"})
        sender.start()
        time.sleep(0.5)  # the upload is at the list by now
        began = time.monotonic()
        server.get("/healthz")
        took = time.monotonic() - began
        assert sender.is_alive()
        other.execute("ROLLBACK")
        sender.join(PATIENCE_SECONDS)
    assert took < 2, f"an answer took {took:.1f} s"
    assert server.get("/api/scans?search=waits")["scans"]


def test_half_a_gigabyte_comes_in_with_constant_memory(tmp_path):
    with Server(tmp_path / "folder", "--max-upload-mb", 600) as server:
        server.send(REAL)
        before, most, ended = server.resident_bytes(), 0.0, threading.Event()

        def watch():
            nonlocal most
            while not ended.wait(0.2):
                most = max(most, server.resident_bytes())

        watcher = threading.Thread(target=watch)
        watcher.start()
        link = http.client.HTTPConnection("127.0.0.1", server.port, timeout=300)
        block = bytes(1 << 20)
        length = {"Content-Length": str(500 << 20)}
        link.request("POST", "/api/scans?name=large", (block for _ in range(500)), BINARY | length)
        answer = link.getresponse()
        ended.set()
        watcher.join()
        assert answer.status == 201, answer.read()
        scan = json.loads(answer.read())
        link.close()
        assert scan["bytes"] == 500 << 20
        assert server.ask("DELETE", f"/api/scans/{scan['id']}")[0] == 204
        assert most and most - before < 32 << 20, f"grew by {(most - before) / 2**20:.1f} MiB"


@pytest.mark.parametrize(
    "options",
    [
        ["--host", "0.0.0.0"],
        ["--token", "short"],
        ["--port", "99999"],
        ["--host", "no.such.host.invalid"],
        ["--model", "/no/such/card.json"],
        ["--device", "abacus"],
        ["--max-upload-mb", "0"],
        ["--folder", "/proc/nowhere"],
    ],
)
def test_what_cannot_be_served_is_said_in_a_sentence(options, capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("UNMASK_CACHE", str(tmp_path))
    monkeypatch.delenv("UNMASK_TOKEN", raising=False)
    assert run("serve", "--port", "0", *options) == 2
    told = capsys.readouterr().err
    assert told.startswith("error: ") and told.count("\n") == 1


@pytest.mark.parametrize("package", ["fastapi", "uvicorn", "prometheus_client"])
def test_a_missing_package_is_named_with_the_command_that_installs_it(package, tmp_path):
    code = f"import sys; sys.modules[{package!r}] = None; from unmask.cli import main; main(sys.argv[1:])"
    command = [sys.executable, "-c", code, "serve", "--folder", str(tmp_path)]
    found = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert found.returncode == 2
    assert f"{package} is not installed" in found.stderr and "'.[web]'" in found.stderr


def test_a_port_that_is_taken_is_said(server, capsys, tmp_path):
    assert run("serve", "--port", server.port, "--folder", tmp_path) == 2
    assert "free" in capsys.readouterr().err
