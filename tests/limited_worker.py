"""A worker whose tasks try what a hostile file might; child processes import it from here."""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path


def load_trying():
    return attempt


def attempt(task, tell):
    """What an attempt came to: its answer, or the name of the error."""
    what, target = task
    try:
        return ATTEMPTS[what](target)
    except OSError as error:
        return type(error).__name__


def in_a_thread(target):
    found = []
    thread = threading.Thread(target=lambda: found.append(attempt(("write", target), None)))
    thread.start()
    thread.join()
    return found[0]


def burn(seconds):
    end = time.process_time() + float(seconds)
    while time.process_time() < end:
        pass
    return "burnt"


def in_scratch(_):
    """Everything that a program does with files of its own."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "a").write_text("text")
        (Path(folder) / "a").rename(Path(folder) / "b")
        return str(Path(folder).parent)


def connect(address):
    host, _, port = address.partition(":")
    with socket.create_connection((host, int(port)), timeout=5):
        return "connected"


def opened(_):
    """What the descriptors of this process point to, those of its own listing left out."""
    links = []
    for name in sorted(os.listdir("/proc/self/fd"), key=int):  # noqa: PTH208
        try:
            links.append(os.readlink(f"/proc/self/fd/{name}"))  # noqa: PTH115
        except OSError:
            continue
    return links


ATTEMPTS = {
    "write": lambda target: Path(target).write_text("taken"),
    "append": lambda target: Path(target).open("a").close() or "opened",
    "cut": lambda target: os.truncate(target, 0) or "cut",
    "remove": lambda target: Path(target).unlink() or "removed",
    "rename": lambda target: str(Path(target).rename(f"{target}.moved")),
    "make": lambda target: Path(f"{target}.folder").mkdir() or "made",
    "link": lambda target: Path(f"{target}.link").symlink_to(target) or "linked",
    "mode": lambda target: Path(target).chmod(0o777) or "changed",
    "times": lambda target: os.utime(target, (0, 0)) or "changed",
    "thread": in_a_thread,
    "connect": connect,
    "listen": lambda _: socket.create_server(("127.0.0.1", 0)).close() or "listened",
    "run": lambda _: subprocess.run(["true"], check=False).returncode,
    "stop the parent": lambda _: os.kill(os.getppid(), 0) or "could",
    "read": lambda target: Path(target).read_text(),
    "scratch": in_scratch,
    "burn": burn,
    "hoard": lambda megabytes: len(bytearray(int(megabytes) << 20)),
    "sleep": lambda seconds: time.sleep(float(seconds)) or "slept",
    "opened": opened,
    "pid": lambda _: os.getpid(),
}
