"""Measures what a long video costs, against decoding it in full.

    apt-get install ffmpeg
    python benchmarks/long.py --json docs/long.json --into docs/performance.md

Each run is a process of its own, one at a time, and all ways take turns on the same file, so that a machine
that is busy with other things slows them alike. A file is a minute of footage, repeated without encoding it
again: "edited" has a cut every four seconds, "talk" is one camera that stands still. ``--file`` measures
one's own instead.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from statistics import median
from typing import Any

import av
import cv2
import numpy as np
from rich.console import Console

from clips import Image, Kind, views
from marks import marks, paragraph, put_into
from pipeline import CACHE, find_card, run_python
from weights import measured_with

MARKS = marks("long")
WAYS = ("ffmpeg", "cuts", "shots", "scan")
TITLES = {"cuts": "cuts", "shots": "up to crops", "scan": "scan"}
SHOT_FRAMES = 120
MINUTE_FRAMES = 1800
FPS = 30
SIZE = (1920, 1080)

Run = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Goal:
    """The most that a way may cost, in full decodings of the file.

    Attributes:
        kind: Of footage.
        minutes: Length.
        crops: Up to face crops.
        scan: With scores and verdict.
    """

    kind: str
    minutes: int
    crops: float
    scan: float


GOALS = (Goal("edited", 10, 1.3, 2.0), Goal("talk", 60, 1.0, 1.3))


def edited() -> Iterator[Image]:
    """A minute of fifteen shots: one or two faces, nearer or farther, mirrored or not."""
    chance = np.random.default_rng(8)
    for shot in range(MINUTE_FRAMES // SHOT_FRAMES):
        zoom, mirrored = chance.uniform(1.0, 1.8), chance.random() < 0.5
        middle = (chance.uniform(0.4, 0.6), 0.5)
        for picture in views(Kind(frames=SHOT_FRAMES, frames_per_second=FPS), 1 + shot % 2):
            height, width = picture.shape[:2]
            shift = [width * (0.5 - zoom * middle[0]), height * (0.5 - zoom * middle[1])]
            move = np.array([[zoom, 0, shift[0]], [0, zoom, shift[1]]])
            near = cv2.warpAffine(picture, move, (width, height), borderMode=cv2.BORDER_REFLECT)
            yield np.asarray(near[:, ::-1] if mirrored else near, np.uint8)


def talk() -> Iterator[Image]:
    """A minute of one face before a camera that stands still."""
    return views(Kind(frames=MINUTE_FRAMES, frames_per_second=FPS), 1, drift_share=0.0)


FOOTAGE = {"edited": edited, "talk": talk}


def make(folder: Path, kind: str, minutes: int) -> Path:
    """The file of so many minutes, made where the folder does not hold it."""
    minute = folder / f"{kind}_1.mp4"
    if not minute.exists():
        folder.mkdir(parents=True, exist_ok=True)
        encode(FOOTAGE[kind](), minute)
    target = folder / f"{kind}_{minutes}.mp4"
    if not target.exists():
        repeat(minute, target, minutes)
    return target


def encode(pictures: Iterator[Image], target: Path) -> None:
    """Write pictures as H.264."""
    part = target.with_suffix(".part")
    with av.open(str(part), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"crf": "23", "preset": "veryfast"})
        (stream.width, stream.height), stream.pix_fmt = SIZE, "yuv420p"
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            container.mux(stream.encode(frame.reformat(format="yuv420p")))
        container.mux(stream.encode(None))
    part.rename(target)


def repeat(source: Path, target: Path, times: int) -> None:
    """The same packets again and again, each time later."""
    part = target.with_suffix(".part")
    with av.open(str(part), "w", format="mp4") as output:
        copy, shift = None, 0
        for _ in range(times):
            with av.open(str(source)) as container:
                stream = container.streams.video[0]
                copy = copy or output.add_stream_from_template(stream)
                end = 0
                for packet in container.demux(stream):
                    if packet.dts is None or packet.pts is None:
                        continue
                    end = max(end, packet.pts + (packet.duration or 0))
                    packet.pts, packet.dts, packet.stream = packet.pts + shift, packet.dts + shift, copy
                    output.mux(packet)
                shift += end
    part.rename(target)


def run_ffmpeg(path: Path) -> Run:
    """Decode in full, in one thread."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = ["ffmpeg", "-v", "error", "-threads", "1", "-i", str(path), "-f", "null", "-"]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"cpu_seconds": round(spent, 3), "wall_seconds": round(time.perf_counter() - start, 3)}


def run_jobs(path: Path, card: Path, jobs: int) -> Run:
    """The command line's scan with so many processes; wall time is what matters."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "unmask", "scan", "--jobs", str(jobs), "--embedder", "none"]
    command += ["--model", str(card), "--json", str(path)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True, text=True)
    seconds = time.perf_counter() - start
    return {"wall_seconds": round(seconds, 3), "found": {"outcome": json.loads(done.stdout)["outcome"]}}


def measure(path: Path, model: tuple[Path, str], rounds: int, jobs: bool, console: Console) -> list[Run]:
    """All ways in turn on one file, with a card and the SHA-256 of its weights."""
    card, weights = model
    runs = []
    for number in range(rounds):
        for way in (*WAYS, *(("jobs 1", "jobs 2") if jobs else ())):
            if way == "ffmpeg":
                found = run_ffmpeg(path)
            elif way.startswith("jobs"):
                found = run_jobs(path, card, int(way.split()[1]))
            else:
                found = json.loads(run_python("ways.py", way, path, "--card", card))
            runs.append({"file": path.stem, "way": way, "round": number, "weights": weights} | found)
            cpu = found.get("cpu_seconds", float("nan"))
            console.print(f"{path.stem}, {way}: {cpu:.1f} CPU s, {found['wall_seconds']:.1f} s, {found}")
    return runs


def table(runs: list[Run]) -> str:
    """Costs in full decodings, by file."""
    head = "| file | full decoding, CPU s | " + " | ".join(f"{TITLES[way]} / decoding" for way in TITLES)
    lines = [head + " | peak memory of a scan, MB | wall time, 2 processes / 1 |", "|---|" + "---:|" * 6]
    for file in dict.fromkeys(run["file"] for run in runs):
        own = [run for run in runs if run["file"] == file]

        def middle(way: str, key: str, own: list[Run] = own) -> float:
            values = [run[key] for run in own if run["way"] == way]
            return median(values) if values else float("nan")

        full = middle("ffmpeg", "cpu_seconds")
        ratios = [known(middle(way, "cpu_seconds") / full, 2) for way in TITLES]
        joint = middle("jobs 2", "wall_seconds") / middle("jobs 1", "wall_seconds")
        name = file.replace("_", ", ") + " min"
        end = [known(middle("scan", "peak_mb"), 0), known(joint, 2)]
        lines.append("| " + " | ".join([name, known(full, 1), *ratios, *end]) + " |")
    return "\n".join(lines) + "\n"


def weights(runs: list[Run]) -> str:
    """Which weights scanned which file."""
    found: dict[str, dict[str, None]] = {}
    for run in runs:
        name = f"{run['file'].replace('_', ', ')} min"
        found.setdefault(run["weights"], {})[name if run["way"] in WAYS else f"{name}, 2 processes / 1"] = (
            None
        )
    return paragraph(measured_with(found))


def known(value: float, digits: int) -> str:
    """A figure, or nothing where it was not measured."""
    return "" if np.isnan(value) else f"{value:.{digits}f}"


def goals(runs: list[Run]) -> str:
    """What was wanted, and whether it was met."""
    lines = ["| target | wanted | measured | met |", "|---|---:|---:|---|"]
    for goal in GOALS:
        own = [run for run in runs if run["file"] == f"{goal.kind}_{goal.minutes}"]
        spent = {way: [run["cpu_seconds"] for run in own if run["way"] == way] for way in WAYS}
        if not spent["ffmpeg"]:
            continue
        for way, most in (("shots", goal.crops), ("scan", goal.scan)):
            got = median(spent[way]) / median(spent["ffmpeg"])
            name = f"{goal.kind}, {goal.minutes} min, {TITLES[way]}"
            lines.append(f"| {name} | ≤ {most:.1f} | {got:.2f} | {'yes' if got <= most else '**no**'} |")
    return "\n".join(lines) + "\n"


def document(runs: list[Run]) -> str:
    """All that the document shows."""
    return f"{table(runs)}\n{goals(runs)}\n{weights(runs)}"


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what a long video costs.")
    parser.add_argument("--minutes", type=int, nargs="+", default=[1, 10, 60])
    parser.add_argument("--kind", choices=FOOTAGE, nargs="+", default=list(FOOTAGE))
    parser.add_argument("--file", type=Path, nargs="+", help="measure these instead")
    parser.add_argument("--card", type=Path, help="model; else the shipped one")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--jobs", action="store_true", help="also with one and two processes")
    parser.add_argument("--cache", type=Path, default=CACHE / "long", help="where footage is kept")
    parser.add_argument("--read", type=Path, nargs="+", help="show what --json wrote, measure nothing")
    parser.add_argument("--json", type=Path, help="write every run here")
    parser.add_argument("--into", type=Path, help="put the tables between the marks of this document")
    given = parser.parse_args()
    console = Console(stderr=True, highlight=False)
    if given.read:
        runs = [run for file in given.read for run in json.loads(file.read_text(encoding="utf-8"))["runs"]]
    else:
        model = find_card(given.card)
        files = given.file or [make(given.cache, kind, m) for kind in given.kind for m in given.minutes]
        runs = [run for path in files for run in measure(path, model, given.rounds, given.jobs, console)]
    if given.json:
        given.json.write_text(json.dumps({"cores": os.cpu_count(), "runs": runs}, indent=1) + "\n")
    if given.into:
        put_into(given.into, document(runs), MARKS)
    print(document(runs))


if __name__ == "__main__":
    main()
