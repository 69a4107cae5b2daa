"""How fast `unmask serve` answers, and how much memory an upload takes.

python benchmarks/serve.py

Sends a clip of 10 s (1440 x 1080, made from the example) to a server here and measures from the end
of its upload to the first partial result and to the verdict: wall time as a user sees it, and CPU time of the
worker, which other work on the machine stretches less. Then it sends 500 MB and looks at the server's memory.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from statistics import median
from typing import Any
from urllib.request import urlopen

import av

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "portrait_swapped.mp4"
TICKS = os.sysconf("SC_CLK_TCK")
BINARY = {"Content-Type": "application/octet-stream"}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--times", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, served(Path(folder) / "served") as (address, server):
        clip = Path(folder) / "ten.mp4"
        make_clip(clip)
        found = [send(address, clip, worker_of(server.pid)) for _ in range(options.times)]
        for name in ("first_seconds", "first_cpu_seconds", "verdict_seconds", "verdict_cpu_seconds"):
            values = [one[name] for one in found]
            print(f"{name}: median {median(values):.2f}, {min(values):.2f} to {max(values):.2f}")
        before, most, after = flood(address)
        print(f"resident MB: {before:.1f}, at most {most:.1f} while 500 MB come in, {after:.1f} afterwards")


@contextmanager
def served(folder: Path, *options: str, **given: Any) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A server on a free port with its worker ready; gives its address and its process.

    Args:
        folder: Where it keeps what comes in.
        options: Of ``unmask serve``.
        given: More for the process, as `subprocess.Popen` takes it.
    """
    command = [sys.executable, "-m", "unmask", "serve", "--port", "0", "--folder", str(folder), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **given) as server:
        assert server.stdout
        try:
            address = server.stdout.readline().split()[-1]
            while json.load(urlopen(f"{address}/healthz"))["status"] != "ready":
                time.sleep(0.1)
            yield address, server
        finally:
            server.terminate()


def make_clip(target: Path) -> None:
    """The example, forth and back to 10 s, enlarged."""
    with av.open(str(EXAMPLE)) as source:
        images = [frame.reformat(width=1440, height=1080) for frame in source.decode(video=0)]
    with av.open(str(target), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 1440, 1080, "yuv420p"
        stream.options = {"preset": "veryfast"}
        for number in range(300):
            frame = (images + images[::-1])[number % (2 * len(images))].reformat(width=1440, height=1080)
            frame.pts, frame.time_base, frame.pict_type = number, Fraction(1, 30), 0
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def worker_of(server: int) -> int:
    """The child of the server that has used the most CPU time: the one with the networks."""
    children = Path(f"/proc/{server}/task").glob("*/children")
    found = [int(pid) for file in children for pid in file.read_text().split()]
    return max(found, key=cpu_seconds)


def cpu_seconds(pid: int) -> float:
    """User and system time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def send(address: str, clip: Path, worker: int) -> dict[str, float]:
    """Upload a clip, and measure from the answer on."""
    link = http.client.HTTPConnection(address.removeprefix("http://"))
    link.request("POST", "/api/scans?name=ten.mp4", clip.read_bytes(), BINARY)
    key = json.load(link.getresponse())["id"]
    start, before = time.perf_counter(), cpu_seconds(worker)
    found: dict[str, float] = {}
    with urlopen(f"{address}/api/scans/{key}/events") as stream:
        for line in stream:
            if not line.startswith(b"data: "):
                continue
            news = json.loads(line[6:])
            for name, there in (("first", news["partial"]), ("verdict", news["state"] == "done")):
                if there and f"{name}_seconds" not in found:
                    found[f"{name}_seconds"] = time.perf_counter() - start
                    found[f"{name}_cpu_seconds"] = cpu_seconds(worker) - before
    return found


def flood(address: str) -> tuple[float, float, float]:
    """Resident MB of the server before, at most during, and after an upload of 500 MB."""
    before, seen, ended = resident_mb(address), [], threading.Event()

    def watch() -> None:
        while not ended.wait(0.1):
            seen.append(resident_mb(address))

    watcher = threading.Thread(target=watch)
    watcher.start()
    link = http.client.HTTPConnection(address.removeprefix("http://"))
    block = bytes(1 << 20)
    size = {"Content-Length": str(500 << 20)}
    link.request("POST", "/api/scans?name=large", (block for _ in range(500)), BINARY | size)
    assert link.getresponse().status == 201
    ended.set()
    watcher.join()
    return before, max(seen), resident_mb(address)


def resident_mb(address: str) -> float:
    """What the server says of its own memory."""
    for line in urlopen(f"{address}/metrics"):
        if line.startswith(b"process_resident_memory_bytes "):
            return float(line.split()[1]) / 2**20
    raise LookupError("no such metric")


if __name__ == "__main__":
    main()
