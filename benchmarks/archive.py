r"""Measures scans of whole archives: files an hour, what the rest costs beside the judging, 100,000 records.

    pip install -e '.[test]'
    python benchmarks/archive.py --clips ../shared/data/dfdc_mini \
        --json docs/archive.json --into docs/archives.md

Every way is a process of its own, and all take turns. CPU seconds count child processes; wall time depends on
what else the machine does, which the load average tells. The many short clips are copies of one with other
bytes behind it, so that none is the same as another; they are judged by weights that cost nothing, so that
the share of all else is at its largest.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from marks import marks, paragraph, put_into

HERE = Path(__file__).resolve().parent
TESTS = HERE.parent / "tests"
MEASURED = marks("archive")
MOST_SHARE, MOST_SECONDS, MOST_MB = 0.05, 60, 300


def cpu_seconds() -> float:
    """Of this process and its children that have ended."""
    found = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in found)


def decode_all(files: Sequence[Path]) -> None:
    """Every frame, with FFmpeg's libraries, as ``ffmpeg -threads 1 -i FILE -f null -`` does."""
    import av

    for file in files:
        with av.open(str(file)) as container:
            container.streams.video[0].codec_context.thread_count = 1
            for _ in container.decode(video=0):
                pass


def scan_in_a_loop(files: Sequence[Path]) -> None:
    """What a script does: networks are loaded once, one file after the other."""
    from unmask import load_scanner
    from unmask.config import DecodeSettings, ScanSettings

    scanner = load_scanner(ScanSettings(decode=DecodeSettings(threads=1)))
    for file in files:
        scanner.scan(file)


def scan_archive(files: Sequence[Path], workers: int) -> None:
    """The same files as an archive."""
    with tempfile.TemporaryDirectory(prefix="unmask-") as folder:
        listed = Path(folder) / "list.txt"
        listed.write_text("\n".join(map(str, files)))
        command = [sys.executable, "-m", "unmask", "scan", str(listed), "-o", f"{folder}/out"]
        subprocess.run(
            [*command, "--jobs", str(workers), "--report-top", "0"], check=True, capture_output=True
        )


WAYS: dict[str, Callable[[Sequence[Path]], None]] = {
    "decode every frame": decode_all,
    "a loop over Scanner.scan": scan_in_a_loop,
    "unmask scan -o, 1 process": lambda files: scan_archive(files, 1),
    "unmask scan -o, 2 processes": lambda files: scan_archive(files, 2),
}


def measure_way(way: str, files: Sequence[Path]) -> dict[str, Any]:
    load, before, start = os.getloadavg()[0], cpu_seconds(), time.perf_counter()
    WAYS[way](files)
    wall, cpu = time.perf_counter() - start, cpu_seconds() - before
    return {"way": way, "files": len(files), "wall_seconds": wall, "cpu_seconds": cpu, "load": round(load, 1)}


def measure_overhead(count: int) -> dict[str, float]:
    """Short clips judged by weights that cost nothing: what the process that plans and keeps takes."""
    sys.path.insert(0, str(TESTS))
    from portraits import moving_views, write_clip
    from tiny_model import write_tiny_model
    from unmask.archive.engines import CrewSettings
    from unmask.archive.opening import ArchiveSettings, judging_crew, open_store
    from unmask.archive.scanning import scan_files
    from unmask.config import ScanSettings

    with tempfile.TemporaryDirectory(prefix="unmask-") as folder:
        place = Path(folder)
        (place / "clips").mkdir()
        data = write_clip(place / "clip.mp4", moving_views(24)).read_bytes()
        for number in range(count):
            tail = number.to_bytes(4, "big") + b"\0" * (
                number % 1000
            )  # two files of each size, none the same
            (place / "clips" / f"{number:05d}.mp4").write_bytes(data + tail)
        settings = ArchiveSettings(ScanSettings(model=str(write_tiny_model(place / "model"))))
        before, start = time.process_time(), time.perf_counter()
        with open_store([str(place / "clips")], f"{folder}/out", settings) as store:
            scan_files(store, judging_crew(settings, CrewSettings(workers=2), files=store.plan.files))
        driver, wall = time.process_time() - before, time.perf_counter() - start
        timings = json.loads((place / "out/timings/summary.json").read_text())
    return {
        "files": count,
        "driver_cpu_seconds": driver,
        "judging_cpu_seconds": timings["cpu_seconds"],
        "wall_seconds": wall,
    }


def measure_records(count: int) -> dict[str, float]:
    """Empty files planned and committed; then made-up records kept one by one, and read back."""
    from unmask.archive.judging import Judged
    from unmask.archive.opening import ArchiveSettings, open_store
    from unmask.archive.scanning import scan_files
    from unmask.archive.sources import SourceFile

    told: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="unmask-") as folder:
        place = Path(folder)
        for number in range(count):
            file = place / "empty" / f"{number // 1000:03d}" / f"{number:06d}.mp4"
            if number % 1000 == 0:
                file.parent.mkdir(parents=True)
            file.touch()
        settings = ArchiveSettings()
        clock = time.process_time()

        def lap(name: str) -> None:
            nonlocal clock
            told[name] = round(time.process_time() - clock, 2)
            clock = time.process_time()

        with open_store([str(place / "empty")], f"{folder}/out", settings) as store:
            scan_files(store, _Nobody())
        lap("plan and commit records of empty files")
        files = [SourceFile(f"/x/{number}.mp4", f"x/{number:06d}.mp4", number + 1) for number in range(count)]
        with open_store(["x"], f"{folder}/other", settings, files=files) as store:
            lap("plan as many files of other sizes")
            known = store.failed(0, _reason(), ours=False).record
            for number in list(store.mine)[: -settings.files_per_shard // 2]:
                store.keep(number, Judged(known | {"name": store.plan.files[number].inner}, {"total": 1.0}))
            lap("keep a record of each, one by one")
        with open_store(["x"], f"{folder}/other", settings, files=files) as store:
            lap("find out what is done")
            assert len(store.done) == count - settings.files_per_shard // 2
    told["peak memory, MB"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    return told


def _reason() -> Any:
    from unmask.reasons import because

    return because("no_frame")


class _Nobody:
    """Workers that are not needed."""

    def size(self) -> int:
        return 0


def markdown(report: dict[str, Any]) -> str:
    """The tables for the document."""
    lines = ["| way | files | CPU s a file | files an hour | load average |", "|---|---:|---:|---:|---:|"]
    for way in WAYS:
        runs = [run for run in report["runs"] if run["way"] == way]
        files = runs[0]["files"]
        cpu = statistics.median(run["cpu_seconds"] for run in runs) / files
        hour = 3600 * files / statistics.median(run["wall_seconds"] for run in runs)
        load = " to ".join(f"{f(run['load'] for run in runs):.0f}" for f in (min, max))
        lines.append(f"| {way} | {files} | {cpu:.2f} | {hour:,.0f} | {load} |")
    over = report["overhead"]
    each = over["driver_cpu_seconds"] / over["files"]
    loop = next(run for run in report["runs"] if run["way"] == "a loop over Scanner.scan")
    work = loop["cpu_seconds"] / loop["files"]
    least = over["judging_cpu_seconds"] / over["files"]
    lines += [
        "",
        paragraph(
            f"Planning, keeping records and handing out work take {1000 * each:.1f} ms of CPU time a file "
            f"({over['files']:,} clips of 2.4 s on 2 processes). That is {each / work:.2%} of the work on "
            f"the clips above, and {each / least:.1%} of the work where the network costs nothing "
            f"({1000 * least:.0f} ms a file)."
        ),
        f"| {report['records_count']:,} records | CPU seconds |",
        "|---|---:|",
    ]
    records = report["records"]
    lines += [f"| {name} | {value:.1f} |" for name, value in records.items() if name != "peak memory, MB"]
    lines += ["", f"Peak memory {records['peak memory, MB']:.0f} MB. {report['machine']}."]
    return "\n".join(lines) + "\n"


def alone(*arguments: object) -> Any:
    """What this script prints in a process of its own."""
    command = [sys.executable, __file__, *map(str, arguments)]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure scans of archives.")
    parser.add_argument("--clips", type=Path, help="a folder of clips; without it those of the examples")
    parser.add_argument("--most", type=int, default=40, help="clips to scan in each way")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--short", type=int, default=2000, help="short clips for what all else takes")
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--only", help="measure this alone and print it as JSON: a way, overhead or records")
    parser.add_argument("--read", type=Path, help="show what --json wrote, measure nothing")
    parser.add_argument("--json", type=Path, help="write every run here")
    parser.add_argument("--into", type=Path, help="put the tables between the marks of this document")
    return parser.parse_args()


def main() -> None:
    given = parse()
    files = sorted((given.clips or HERE.parent / "examples").resolve().rglob("*.mp4"))[: given.most]
    if given.only:
        if given.only in WAYS:
            print(json.dumps(measure_way(given.only, files)))
        else:
            count = given.short if given.only == "overhead" else given.records
            print(json.dumps({"overhead": measure_overhead, "records": measure_records}[given.only](count)))
        return
    if given.read:
        report = json.loads(given.read.read_text(encoding="utf-8"))
    else:
        same = ["--most", given.most, *(["--clips", given.clips] if given.clips else [])]
        runs = [alone("--only", way, *same) for _ in range(given.rounds) for way in WAYS]
        report = {
            "machine": f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}",
            "runs": runs,
            "overhead": alone("--only", "overhead", "--short", given.short),
            "records": alone("--only", "records", "--records", given.records),
            "records_count": given.records,
        }
    if given.json and not given.read:
        given.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    if given.into:
        put_into(given.into, markdown(report), MEASURED)
    print(markdown(report))


if __name__ == "__main__":
    main()
