"""Measures what a video costs, from file to face crops and to a verdict, against the usual notebook way.

    pip install -e ".[test]"
    pip download --no-deps facenet-pytorch==2.6.0
    python benchmarks/pipeline.py --wheel facenet_pytorch-2.6.0-py3-none-any.whl

Each run is a process of its own (see ``ways.py``), one at a time, and all ways take turns on the same clip,
unmask before, between and after the others, so that a machine that is busy with other things slows them
alike. Figures are medians over all runs; a ratio is formed of the medians within a round. The clips are made
once and kept in a folder.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from rich.console import Console

from marks import OPENING, put_into
from tables import Runs, markdown, opening, rich_tables

HERE = Path(__file__).resolve().parent
CACHE = HERE.parent / ".data" / "benchmarks"
DEAR = ("notebook", "notebook_half")
PACKAGES = ("numpy", "av", "opencv-python-headless", "onnxruntime", "torch")
LIMIT_SECONDS = 7200


def run_python(script: str, *arguments: object) -> str:
    """Run a sibling in a process of its own and give what it prints."""
    command = [sys.executable, str(HERE / script), *map(str, arguments)]
    # A small parent: a child's first memory is its parent's.
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=LIMIT_SECONDS, check=True)
    return done.stdout


def find_card(given: Path | None) -> tuple[Path, str]:
    """The card of the model for the whole scan, and the SHA-256 of its weights."""
    from unmask.judge.card import card_path, read_card  # late: the parent of what is measured must stay small

    card = given or card_path()
    return card, read_card(card).sha256


def draw_clips(
    cache: Path, *, people: int, width: int = 1920, height: int = 1080, frames: int = 300
) -> tuple[Path, Path]:
    """A generated clip with B-frames and one without, made where the cache does not hold them."""
    size = ["--width", width, "--height", height, "--frames", frames]
    run_python("clips.py", cache, "--people", people, *size)
    name = f"v*_{width}x{height}x{frames}_{people}p_"
    # The cache may still hold clips of earlier versions.
    return max(cache.glob(f"{name}b.mp4")), max(cache.glob(f"{name}nob.mp4"))


def make_clips(given: argparse.Namespace) -> dict[str, Path]:
    """Paths of the clips by name; makes what is not there."""
    found = {}
    for people in given.people:
        size = {"width": given.width, "height": given.height, "frames": given.frames}
        clips = draw_clips(given.cache, people=people, **size)
        for label, path in zip(("B-frames", "no B-frames"), clips, strict=True):
            found[f"{'one face' if people == 1 else 'two faces'}, {label}"] = path
    return found


def turns(dear: Sequence[str]) -> list[str]:
    """The order of a round: unmask before, between and after the dear ways, as a host's speed drifts."""
    between = [way for name in dear for way in (name, "ours")] or ["ours"]
    return ["decode", "ours", "scan", *between, "scan", "decode"]


def measure(given: argparse.Namespace, card: Path, console: Console) -> Runs:
    """Run all ways in turn, clip by clip and round by round."""
    runs: Runs = []
    clips = make_clips(given)
    # What the first process reads from disk must not count against it.
    run_python("ways.py", "ours", next(iter(clips.values())))
    for number in range(given.rounds):
        for name, path in clips.items():
            for way in turns(DEAR if given.wheel else ()):
                options = ["--cache", given.cache, "--card", card]
                options += ["--wheel", given.wheel] if given.wheel else []
                result = json.loads(run_python("ways.py", way, path, *options))
                runs.append({"clip": name, "way": way, "round": number} | result)
                console.print(f"round {number + 1}, {name}, {way}: {result['cpu_seconds']:.2f} CPU s")
    return runs


def report_of(runs: Runs, *, weights: str, load: float) -> dict[str, Any]:
    """The runs with what one needs to know about them."""
    versions = {"Python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    counts = Counter(run["way"] for run in runs if run["clip"] == runs[0]["clip"])
    rounds = ", ".join(f"{way} {count}" for way, count in counts.items())
    return {
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}",
        "load": load,
        "versions": versions,
        "rounds": f"Runs of each clip: {rounds}.",
        "weights": weights,
        "runs": runs,
    }


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure unmask against the usual notebook way.")
    parser.add_argument("--wheel", type=Path, help="facenet-pytorch's; without it only unmask is measured")
    parser.add_argument("--rounds", type=int, default=1, help="times that all ways take turns on each clip")
    parser.add_argument("--people", type=int, nargs="+", choices=(1, 2), default=[1, 2])
    parser.add_argument("--card", type=Path, help="model; else the shipped one")
    parser.add_argument("--cache", type=Path, default=CACHE, help="where clips are kept")
    parser.add_argument("--clips-only", action="store_true", help="make the clips and stop")
    parser.add_argument("--width", type=int, default=1920)
    parser.add_argument("--height", type=int, default=1080)
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--read", type=Path, help="show what --json wrote, measure nothing")
    parser.add_argument("--json", type=Path, help="write every run here")
    parser.add_argument("--markdown", action="store_true", help="print Markdown to standard output")
    parser.add_argument("--into", type=Path, help="put the Markdown between the marks of this document")
    given = parser.parse_args()
    given.cache = given.cache.resolve()
    return given


def main() -> None:
    given = parse()
    console = Console(stderr=True, highlight=False)
    if given.read:
        report = json.loads(given.read.read_text(encoding="utf-8"))
    elif given.clips_only:
        make_clips(given)
        return
    else:
        card, weights = find_card(given.card)
        load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
        report = report_of(measure(given, card, console), weights=weights, load=load)
    if given.json:
        given.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    if given.into:
        put_into(given.into, markdown(report))
        put_into(given.into, opening(report), OPENING)
    if given.markdown:
        print(markdown(report), end="")
    else:
        for table in rich_tables(report["runs"]):
            Console(highlight=False).print(table)


if __name__ == "__main__":
    main()
