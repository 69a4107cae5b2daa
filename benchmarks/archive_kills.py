r"""Scans a bucket with Ray, kills what can be killed, and compares with an undisturbed scan of a folder.

    pip install -e '.[test]'
    python benchmarks/archive_kills.py --clips ../shared/data/dfdc_mini --copies 50

The bucket is moto's, on this machine, and so are the two nodes of the cluster. The command is killed twice
with SIGKILL, a node while its third run goes on. All that must be equal then is compared byte for byte:
records, tables, summary and manifest. Exit code 1 where it is not.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

TESTS = Path(__file__).resolve().parent.parent / "tests"
KILLS, FEW = 2, 3


def write_copies(clips: Sequence[Path], folder: Path, copies: int) -> None:
    """The same clips in as many subfolders."""
    for number in range(copies):
        (folder / f"{number:03d}").mkdir(parents=True)
        for clip in clips:
            shutil.copyfile(clip, folder / f"{number:03d}" / clip.name)


def scan(source: str, output: str, options: Sequence[str]) -> subprocess.Popen[bytes]:
    """Begin with the command."""
    command = [sys.executable, "-m", "unmask", "scan", source, "-o", output, "--report-top", "0", *options]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL)


def wait_for(running: subprocess.Popen[bytes], condition: Callable[[], bool]) -> bool:
    """Whether it came while a command was running."""
    while running.poll() is None:
        if condition():
            return True
        time.sleep(1.0)
    return False


def scan_and_kill(source: str, output: str, options: Sequence[str], *, files: Any, lose_node: Any) -> int:
    """Kill the command each time that more is there, the last time a node; the exit code of what went on."""

    def parts() -> int:
        files.invalidate_cache()
        return len(files.find(f"{output.removeprefix('s3://')}/.unfinished/parts"))

    for _ in range(KILLS):
        before = parts()
        running = scan(source, output, options)
        if wait_for(running, lambda before=before: parts() > before):  # type: ignore[misc]
            os.kill(running.pid, signal.SIGKILL)
        running.wait()
    before = parts()
    running = scan(source, output, options)
    if wait_for(running, lambda: parts() > before):
        lose_node()
    return running.wait()


def measure(clips: Sequence[Path], copies: int, options: Sequence[str]) -> dict[str, Any]:
    """Both scans, and whether they left the same."""
    sys.path.insert(0, str(TESTS))
    from archived import lasting
    from ray_cluster import two_nodes
    from s3_server import s3_server

    with tempfile.TemporaryDirectory(prefix="unmask-") as folder:
        place = Path(folder)
        write_copies(clips, place / "archive", copies)
        with s3_server(place, "films") as (files, faults):
            files.put(str(place / "archive"), "films/archive", recursive=True, batch_size=4)
            faults.requests.clear()
            cluster, node = two_nodes(place.name)
            given = [*options, "--engine", "ray", "--address", cluster.address]
            start = time.monotonic()
            ended = scan_and_kill(
                "s3://films/archive",
                "s3://films/run",
                given,
                files=files,
                lose_node=lambda: cluster.remove_node(node, allow_graceful=False),
            )
            seconds = time.monotonic() - start
            cluster.shutdown()
            fetched = sum(one.startswith("GET /films/archive/") for one in faults.requests)
            files.invalidate_cache()
            files.get("films/run", str(place / "by_ray"), recursive=True)
        alone = scan(str(place / "archive"), str(place / "alone"), options).wait()
        equal = lasting(place / "by_ray") == lasting(place / "alone")
        counts = json.loads((place / "alone/summary.json").read_text())["outcomes"]
    told = {"files": copies * len(clips), "different": len(clips), "kills": KILLS, "fetched": fetched}
    return told | {
        "exit_codes": [ended, alone],
        "ray_seconds": round(seconds),
        "outcomes": counts,
        "equal": equal,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Kill scans of a bucket and compare what they leave.")
    parser.add_argument("--clips", type=Path, required=True, help="a folder of clips")
    parser.add_argument("--most", type=int, default=40, help="how many of them")
    parser.add_argument("--copies", type=int, default=50)
    parser.add_argument("--model", default="default", help="as of unmask scan; fast takes half the time")
    parser.add_argument("--shard-files", type=int, default=100)
    given = parser.parse_args()
    clips = sorted(given.clips.resolve().rglob("*.mp4"))[: given.most]
    model = [] if given.model == "default" else ["--model", given.model]
    found = measure(clips, given.copies, [*model, "--shard-files", str(given.shard_files)])
    print(json.dumps(found))
    raise SystemExit(0 if found["equal"] else 1)


if __name__ == "__main__":
    main()
