r"""Measures what an extraction costs: CPU time a video, workers side by side, reused boxes, 119,154 rows.

    pip install -e '.[test]'
    python benchmarks/extract.py --dfdc ../shared/data/dfdc_mini \
        --json docs/lab/extract.json --into docs/performance.md

Clips are indexed under other names until there are enough of them: the disk cache then helps more than it
would with a data set of 470 GB, the decoder and the detector do the same work. One worker and two take turns,
so that other work on the machine slows both alike. Efficiency is formed within a round, once of wall time and
once of the CPU time that a video takes, which rises when workers get in each other's way.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from marks import marks, paragraph, put_into
from pipeline import draw_clips, run_python
from unmask.archive.engines import CrewSettings, gather_crew
from unmask.data import index
from unmask.lab.extract.plan import ExtractSettings, Plan, Video, make_plan, videos_of_index
from unmask.lab.extract.run import extract
from unmask.lab.extract.store import CropStore
from unmask.lab.extract.worker import Extracted, load_extractor

HERE = Path(__file__).resolve().parent
CACHE = HERE.parent / ".data" / "benchmarks"
MARKS, STORING = marks("extract"), marks("storing")
DFDC_VIDEOS, DFDC_FAKES = 119_154, 100_000
CORES = (1, 16, 128)


def repeat(videos: Sequence[Video], count: int) -> list[Video]:
    """The same families under other names, until there are ``count`` videos."""
    found: list[Video] = []
    turn = 0
    while len(found) < count:
        for v in videos:
            names = {"name": f"r{turn}/{v.name}", "original": f"r{turn}/{v.original or v.name}"}
            found.append(Video(**names, path=v.path, source=v.source, label=v.label))
        turn += 1
    return found[: max(count, len(videos))]


def synthetic(cache: Path, given: argparse.Namespace) -> list[Video]:
    """The benchmark's clips of moving portraits: each an original with the other encoding as its fake."""
    videos = []
    for people in (1, 2):
        size = {"width": given.width, "height": given.height, "frames": given.frames}
        real, fake = draw_clips(cache, people=people, **size)
        videos.append(Video(f"{people}.mp4", str(real), label="REAL"))
        videos.append(Video(f"{people}_fake.mp4", str(fake), label="FAKE", original=f"{people}.mp4"))
    return videos


def measure(plan: Plan, crew: CrewSettings) -> dict[str, Any]:
    """One extraction into an empty folder."""
    folder = Path(tempfile.mkdtemp(prefix="unmask-"))
    parts: list[Extracted] = []
    first = last = 0.0

    def note(part: Extracted) -> None:
        nonlocal first, last
        parts.append(part)
        last = time.perf_counter()
        first = first or last

    load = os.getloadavg()[0]
    own = time.process_time()
    try:
        with CropStore(folder / "crops", plan) as store:
            extract(store, gather_crew(partial(load_extractor, plan.settings), crew), on_done=note)
        size = sum(file.stat().st_size for file in (folder / "crops").glob("*.tar"))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    led = [p.cpu_seconds for p in parts if p.record["boxes"].startswith("of ")]
    alone = [p.cpu_seconds for p in parts if not p.record["boxes"].startswith("of ")]
    return {
        "engine": crew.engine,
        "workers": crew.workers,
        "load": round(load, 2),
        "videos": len(parts),
        "done": sum(p.record["status"] == "done" for p in parts),
        # From the first answer to the last: workers start within seconds, which count for nothing in days.
        "videos_per_wall_second": (len(parts) - 1) / (last - first),
        "worker_cpu_seconds": sum(p.cpu_seconds for p in parts),
        "driver_cpu_seconds": time.process_time() - own,
        "cpu_seconds_searched": statistics.fmean(alone) if alone else None,
        "cpu_seconds_led": statistics.fmean(led) if led else None,
        "led": len(led),
        "bytes": size,
    }


def measure_rows(rows: int) -> dict[str, float]:
    """CPU seconds for plan, folder and manifest of as many made-up rows, each with a person in 30 crops."""
    from dataclasses import replace

    import numpy as np

    from unmask.lab.crops.samples import Sample
    from unmask.lab.crops.shards import read_index
    from unmask.lab.extract.manifest import read_manifest
    from unmask.lab.extract.worker import make_extracted, make_record

    told: dict[str, float] = {}
    clock, making = time.process_time(), 0.0

    def lap(name: str) -> None:
        nonlocal clock
        told[name] = round(time.process_time() - clock, 2)
        clock = time.process_time()

    reals = max(1, round(rows * (1 - DFDC_FAKES / DFDC_VIDEOS)))
    videos = [
        Video(f"v{n:06d}.mp4", f"/dfdc/{n}.mp4", f"part_{n % 50}", "FAKE", original=f"v{n % reals:06d}.mp4")
        if n >= reals
        else Video(f"v{n:06d}.mp4", f"/dfdc/{n}.mp4", f"part_{n % 50}", "REAL")
        for n in range(rows)
    ]
    clock = time.process_time()
    plan = make_plan(videos, ExtractSettings())
    lap("make the plan")
    rng = np.random.default_rng(0)
    sample = Sample(
        key="key-p0",
        label="FAKE",
        identity="who",
        original="key-p0",
        source="part_0",
        shard="",
        times_seconds=np.arange(30) / 3,
        points=rng.uniform(100, 260, (30, 5, 2)).astype(np.float32),
        spans=np.tile(np.array([512, 30_000]), (30, 1)),
        boxes=rng.uniform(100, 1900, (30, 4)).astype(np.float32),
        confidences=rng.uniform(0.9, 1, 30).astype(np.float32),
    )
    folder = Path(tempfile.mkdtemp(prefix="unmask-"))
    try:
        with CropStore(folder / "crops", plan) as store:
            lap("open an empty folder")
            for number, video in enumerate(plan.videos):
                record = make_record(video, "done", people=1, crops=30, frames=30, boxes="own")
                start = time.process_time()
                part = make_extracted(
                    record, [replace(sample, key=plan.keys[number], video=video.name)], b"x"
                )
                making += time.process_time() - start  # which is a worker's work
                store.put(number, part.blob)
            clock += making
            lap("keep every video and join every shard")
        with CropStore(folder / "crops", plan) as store:
            lap("open the folder again, all done")
            store.finish()
            lap("write index and manifest")
        assert len(read_manifest(folder / "crops")) == rows
        lap("read the manifest")
        assert len(read_index(folder / "crops")) == rows
        lap("read the index of offsets")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    told["peak memory, MB"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    return told


def rounds(plan: Plan, given: argparse.Namespace, name: str, console: Console) -> list[dict[str, Any]]:
    """One worker and two in turn, with each engine."""
    runs = []
    for number in range(given.rounds):
        for engine in given.engines:
            for workers in (1, 2, 1):
                found = measure(plan, CrewSettings(engine=engine, workers=workers))
                runs.append({"clips": name, "round": number} | found)
                console.print(
                    f"round {number + 1}, {name}, {engine}, {workers} workers: "
                    f"{found['videos_per_wall_second'] * 60:.0f} videos a minute, "
                    f"{found['worker_cpu_seconds'] / found['videos']:.2f} CPU s a video"
                )
    return runs


def efficiency(runs: Sequence[dict[str, Any]], engine: str) -> tuple[float, float]:
    """Two workers against one, in the median over rounds: by wall time, and by CPU time a video."""
    wall, cpu = [], []
    for number in {(run["clips"], run["round"]) for run in runs}:
        mine = [r for r in runs if (r["clips"], r["round"]) == number and r["engine"] == engine]
        one = [r for r in mine if r["workers"] == 1]
        two = [r for r in mine if r["workers"] == 2]
        if not one or not two:
            continue
        rate = statistics.fmean(r["videos_per_wall_second"] for r in one)
        wall += [r["videos_per_wall_second"] / rate / 2 for r in two]
        spent = statistics.fmean((r["worker_cpu_seconds"]) / r["videos"] for r in one)
        cpu += [spent / ((r["worker_cpu_seconds"]) / r["videos"]) for r in two]
    return statistics.median(wall), statistics.median(cpu)


@dataclass(frozen=True, slots=True)
class Costs:
    """Of one kind of clips, medians over the runs of this machine's own workers.

    Attributes:
        searched: CPU seconds of a video whose faces are searched for.
        beside: CPU seconds of a fake that is cut by the boxes of its original.
        mixed: CPU seconds of a video of DFDC's mix, driver included.
        size_bytes: Of what is stored of a video.
    """

    searched: float
    beside: float
    mixed: float
    size_bytes: float

    @property
    def dfdc_hours(self) -> float:
        """CPU hours for all of DFDC."""
        return DFDC_VIDEOS * self.mixed / 3600


def costs(report: dict[str, Any]) -> dict[str, Costs]:
    """Costs by kind of clips."""
    found = {}
    for name in dict.fromkeys(run["clips"] for run in report["runs"]):
        mine = [run for run in report["runs"] if run["clips"] == name and run["engine"] == "local"]
        alone = statistics.median(run["cpu_seconds_searched"] for run in mine)
        led = [run["cpu_seconds_led"] for run in mine if run["cpu_seconds_led"]]
        beside = statistics.median(led) if led else alone
        driver = statistics.median(run["driver_cpu_seconds"] / run["videos"] for run in mine)
        mixed = ((DFDC_VIDEOS - DFDC_FAKES) * alone + DFDC_FAKES * beside) / DFDC_VIDEOS + driver
        found[name] = Costs(
            alone, beside, mixed, statistics.median(run["bytes"] / run["videos"] for run in mine)
        )
    return found


def opening(report: dict[str, Any]) -> str:
    """What the document begins with."""
    hours = [cost.dfdc_hours for cost in costs(report).values()]
    return paragraph(
        f"Storing the faces of all of DFDC ({DFDC_VIDEOS:,} videos) is estimated to take {min(hours):.0f} to "
        f"{max(hours):.0f} CPU hours."
    )


def markdown(report: dict[str, Any]) -> str:
    """The tables for the document."""
    lines = ["### Videos per CPU hour", ""]
    lines += [
        "| clips | searched, CPU s | by another's boxes, CPU s | saved | MB a video | videos per CPU hour |"
    ]
    lines += ["|---|---:|---:|---:|---:|---:|"]
    found = costs(report)
    lines += [
        f"| {name} | {cost.searched:.2f} | {cost.beside:.2f} | {1 - cost.beside / cost.searched:.0%} |"
        f" {cost.size_bytes / 1e6:.2f} | {3600 / cost.mixed:,.0f} |"
        for name, cost in found.items()
    ]
    lines += ["", "The last column reckons with 5.2 fakes an original, as in DFDC, and with the driver.", ""]
    lines += [
        "### Two workers against one",
        "",
        "| engine | by wall time | by CPU time a video |",
        "|---|---:|---:|",
    ]
    for engine in dict.fromkeys(run["engine"] for run in report["runs"]):
        wall, cpu = efficiency(report["runs"], engine)
        lines.append(f"| {engine} | {wall:.2f} | {cpu:.2f} |")
    rows = report["rows"]
    lines += ["", f"### {DFDC_VIDEOS:,} rows", "", "| step | CPU seconds |", "|---|---:|"]
    lines += [f"| {name} | {value:.1f} |" for name, value in rows.items() if name != "peak memory, MB"]
    lines += ["", f"Peak memory {rows['peak memory, MB']:.0f} MB.", ""]
    lines += [
        "### All of DFDC, reckoned",
        "",
        "| clips like | CPU hours | 1 core | 16 cores | 128 cores | disk |",
    ]
    lines += ["|---|---:|---:|---:|---:|---:|"]
    for name, cost in found.items():
        walls = " | ".join(_duration(cost.dfdc_hours / cores) for cores in CORES)
        size = f"{DFDC_VIDEOS * cost.size_bytes / 1e9:.0f} GB"
        lines.append(f"| {name} | {cost.dfdc_hours:.0f} | {walls} | {size} |")
    loads = [run["load"] for run in report["runs"]]
    lines += [
        "",
        f"{report['machine']}; load average {min(loads):.1f} to {max(loads):.1f} while it was measured, "
        f"{report['rounds']} rounds.",
    ]
    return "\n".join(lines) + "\n"


def _duration(hours: float) -> str:
    return f"{hours / 24:.1f} days" if hours >= 48 else f"{hours:.1f} h"


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure unmask extract.")
    parser.add_argument("--dfdc", type=Path, help="clips in the DFDC layout; without it only synthetic ones")
    parser.add_argument("--videos", type=int, default=80, help="of DFDC clips in each run, by repeating them")
    parser.add_argument("--synthetic", type=int, default=24, help="synthetic clips in each run")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--engines", nargs="+", default=["local", "ray"])
    parser.add_argument("--rows", type=int, default=DFDC_VIDEOS, help="made-up rows for plan and manifest")
    parser.add_argument("--only-rows", action="store_true", help="measure the rows, print them as JSON, stop")
    parser.add_argument("--cache", type=Path, default=CACHE, help="where synthetic clips are kept")
    parser.add_argument("--width", type=int, default=1920)
    parser.add_argument("--height", type=int, default=1080)
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--read", type=Path, help="show what --json wrote, measure nothing")
    parser.add_argument("--json", type=Path, help="write every run here")
    parser.add_argument("--into", type=Path, help="put the tables between the marks of this document")
    given = parser.parse_args()
    given.cache = given.cache.resolve()
    return given


def main() -> None:
    given = parse()
    if given.only_rows:
        print(json.dumps(measure_rows(given.rows)))
        return
    console = Console(stderr=True, highlight=False)
    if given.read:
        report = json.loads(given.read.read_text(encoding="utf-8"))
    else:
        runs = []
        if given.dfdc:
            videos = videos_of_index(index(given.dfdc, probe=False))
            plan = make_plan(repeat(videos, given.videos), ExtractSettings())
            runs += rounds(plan, given, "dfdc_mini", console)
        plan = make_plan(repeat(synthetic(given.cache, given), given.synthetic), ExtractSettings())
        runs += rounds(plan, given, f"synthetic {given.height}p", console)
        report = {
            "machine": f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}",
            "rounds": given.rounds,
            "runs": runs,
            "rows": json.loads(run_python("extract.py", "--only-rows", "--rows", given.rows)),
        }
    if given.json:
        given.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    if given.into:
        put_into(given.into, markdown(report), MARKS)
        put_into(given.into, opening(report), STORING)
    print(markdown(report), end="")


if __name__ == "__main__":
    main()
