r"""Measures scans of whole archives: files an hour, what the rest costs beside the judging, 100,000 records.

    pip install -e '.[test]'
    python benchmarks/archive.py --clips ../shared/data/dfdc_mini \
        --json docs/archive.json --into docs/archives.md

Every way is a process of its own, one after the other. CPU seconds are those of the system and of all child
processes; wall time depends on what else the machine does, which the load average tells. What all but the
judging takes is measured with a judge that only hashes its file.
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
MEASURED = marks("archive")


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


def scan_archive(files: Sequence[Path], workers: int) -> float:
    """The same files as an archive; the CPU seconds of the judging alone."""
    with tempfile.TemporaryDirectory(prefix="unmask-") as folder:
        listed = Path(folder) / "list.txt"
        listed.write_text("\n".join(map(str, files)))
        command = [sys.executable, "-m", "unmask", "scan", str(listed), "-o", f"{folder}/out"]
        subprocess.run(
            [*command, "--jobs", str(workers), "--report-top", "0"], check=True, capture_output=True
        )
        timings = json.loads((Path(folder) / "out/timings/summary.json").read_text())
    return float(timings["cpu_seconds"])


LOOP, DECODE = "a loop over Scanner.scan", "decode every frame"
PROCESSES = {"unmask scan -o, 1 process": 1, "unmask scan -o, 2 processes": 2}
WAYS: dict[str, Callable[[Sequence[Path]], float | None]] = {
    DECODE: decode_all,
    LOOP: scan_in_a_loop,
    **{
        way: lambda files, workers=workers: scan_archive(files, workers) for way, workers in PROCESSES.items()
    },
}


def measure_way(way: str, files: Sequence[Path]) -> dict[str, Any]:
    load, before, start = os.getloadavg()[0], cpu_seconds(), time.perf_counter()
    judging = WAYS[way](files)
    wall, cpu = time.perf_counter() - start, cpu_seconds() - before
    told = {"way": way, "files": len(files), "wall_seconds": wall, "cpu_seconds": cpu, "load": round(load, 1)}
    return told if judging is None else told | {"judging_cpu_seconds": judging}


def load_stub() -> Any:
    """A judge that only hashes its file; what it says is made up."""
    from unmask.archive.judging import Judged
    from unmask.files import fingerprint

    record = _made_up()

    def do(task: Any, tell: Any) -> Judged:
        sha256 = fingerprint(task.file.path)
        return Judged(
            record | {"name": task.name, "sha256": sha256}, {"total": 0.0, "fetch": 0.0, "cpu": 0.0}
        )

    return do


def measure_overhead(count: int, *, brought: bool) -> dict[str, float]:
    """Planning, handing out, keeping: CPU seconds of this process, and of two workers from their start on.

    Args:
        count: How many files, each of another size.
        brought: Through addresses, so that each file is copied for a worker that is closed in.
    """
    from functools import partial

    from unmask.archive.bringing import load_bringer
    from unmask.archive.engines import CrewSettings, gather_crew
    from unmask.archive.opening import ArchiveSettings, open_store
    from unmask.archive.scanning import scan_files
    from unmask.config import LimitSettings

    with tempfile.TemporaryDirectory(prefix="unmask-") as folder:
        clips = Path(folder) / "clips"
        clips.mkdir()
        for number in range(count):
            (clips / f"{number:05d}.mp4").write_bytes(b"\0" * (100_000 + number))
        load, limits = load_stub, LimitSettings(memory_mb=4096)
        if brought:
            bring = partial(load_bringer, load_stub, 600.0, limits, 2**30)
            crew = gather_crew(bring, CrewSettings(workers=2, delegates=True))
        else:
            crew = gather_crew(load, CrewSettings(workers=2, limits=limits))
        before, start = time.process_time(), time.perf_counter()
        source = clips.as_uri() if brought else str(clips)
        with open_store([source], f"{folder}/out", ArchiveSettings()) as store:
            scan_files(store, crew)
        driver, wall = time.process_time() - before, time.perf_counter() - start
    workers = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "files": count,
        "driver_cpu_seconds": driver,
        "workers_cpu_seconds": workers.ru_utime + workers.ru_stime,
        "wall_seconds": wall,
    }


class _Laps:
    """CPU seconds by what took them, and the most memory that was held."""

    def __init__(self) -> None:
        self.told: dict[str, float] = {}
        self._clock = time.process_time()

    def end(self, name: str) -> None:
        self.told[name] = round(time.process_time() - self._clock, 2)
        self._clock = time.process_time()

    def sum_up(self) -> dict[str, float]:
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return self.told | {PEAK: round(most)}


PEAK = "peak memory, MB"


def measure_empty(count: int) -> dict[str, float]:
    """Empty files planned and committed."""
    from unmask.archive.opening import ArchiveSettings, open_store
    from unmask.archive.scanning import scan_files

    with tempfile.TemporaryDirectory(prefix="unmask-") as folder:
        place = Path(folder)
        for number in range(count):
            file = place / "empty" / f"{number // 1000:03d}" / f"{number:06d}.mp4"
            if number % 1000 == 0:
                file.parent.mkdir(parents=True)
            file.touch()
        laps = _Laps()
        with open_store([str(place / "empty")], f"{folder}/out", ArchiveSettings()) as store:
            scan_files(store, _Nobody())
        laps.end("plan and commit records of empty files")
    return laps.sum_up()


def measure_kept(count: int) -> dict[str, float]:
    """Made-up records kept one by one, and read back."""
    from unmask.archive.judging import Judged
    from unmask.archive.opening import ArchiveSettings, open_store
    from unmask.archive.sources import SourceFile

    settings = ArchiveSettings()
    with tempfile.TemporaryDirectory(prefix="unmask-") as folder:
        laps = _Laps()
        files = [SourceFile(f"/x/{number}.mp4", f"x/{number:06d}.mp4", number + 1) for number in range(count)]
        with open_store(["x"], f"{folder}/out", settings, files=files) as store:
            del files
            laps.end("plan as many files of other sizes")
            known = _made_up()
            for number in list(store.mine)[: -settings.files_per_shard // 2]:
                store.keep(number, Judged(known | {"name": store.plan.files[number].inner}, {"total": 1.0}))
            laps.end("keep a record of each, one by one")
        del store
        with open_store(["x"], f"{folder}/out", settings) as store:
            laps.end("find out what is done")
            assert len(store.done) == count - settings.files_per_shard // 2
    return laps.sum_up()


def measure_records(count: int) -> dict[str, float]:
    """Both, each in a process of its own, and the more memory of the two."""
    parts = [alone("--only", part, "--records", count) for part in ("empty", "kept")]
    return parts[0] | parts[1] | {PEAK: max(part[PEAK] for part in parts)}


def _made_up() -> dict[str, Any]:
    """A record of a file that was judged."""
    from unmask.archive.record import record_of
    from unmask.judge.verdict import unreadable
    from unmask.reasons import because
    from unmask.verdicts import ModelName

    verdict = unreadable("a.mp4", because("no_frame"), ModelName("stub", "0" * 64), sha256="0" * 64)
    record = record_of(verdict, "a.mp4", size_bytes=1, settings="0" * 64)
    return record.to_dict() | {"outcome": "no_face"}


class _Nobody:
    """Workers that are not needed."""

    def size(self) -> int:
        return 0


def markdown(report: dict[str, Any]) -> str:
    """The tables for the document."""
    heads = ["way", "files", "CPU s a file", "by the loop", "by decoding", "files an hour", "load average"]
    lines = [f"| {' | '.join(heads)} |", "|---|" + "---:|" * (len(heads) - 1)]
    cpu = {way: statistics.median(_each(report, way, "cpu_seconds")) for way in WAYS}
    for way in WAYS:
        hour = 3600 / statistics.median(_each(report, way, "wall_seconds"))
        loads = [run["load"] for run in report["runs"] if run["way"] == way]
        ratios = f"{cpu[way] / cpu[LOOP]:.2f} | {cpu[way] / cpu[DECODE]:.1f}"
        load = f"{min(loads):.0f} to {max(loads):.0f}"
        lines.append(
            f"| {way} | {report['runs'][0]['files']} | {cpu[way]:.2f} | {ratios} | {hour:,.0f} | {load} |"
        )
    judging = {way: statistics.median(_each(report, way, "judging_cpu_seconds")) for way in PROCESSES}
    files = report["runs"][0]["files"]
    starts = [files * (cpu[way] - judging[way]) / count for way, count in PROCESSES.items()]
    lines += ["", paragraph(
        f"The judging alone took {judging[min(PROCESSES)]:.2f} CPU seconds a file with one process and "
        f"{judging[max(PROCESSES)]:.2f} with two. All else, nearly all of it once, when processes start and "
        f"load their networks, took {starts[0]:.1f} and {starts[1]:.1f} CPU seconds for each process."
    )]  # fmt: skip
    for over in report["overhead"]:
        driver, work = (over[f"{who}_cpu_seconds"] / over["files"] for who in ("driver", "workers"))
        way = "copied from an address for" if over["brought"] else "read by"
        lines.append(
            paragraph(
                f"Files {way} two workers, with a judge that only hashes them ({over['files']:,} files of "
                f"0.1 MB): planning, handing out and keeping take {1000 * driver:.1f} ms of CPU time a file, "
                f"and the workers {1000 * work:.1f} ms, their start included: "
                f"{(driver + work) / cpu[LOOP]:.2%} of the work of the loop above."
            )
        )
    lines += [f"| {report['records_count']:,} records | CPU seconds |", "|---|---:|"]
    records = report["records"]
    lines += [f"| {name} | {value:.1f} |" for name, value in records.items() if name != PEAK]
    lines += ["", f"Peak memory {records[PEAK]:.0f} MB. {report['machine']}."]
    return "\n".join(lines) + "\n"


def _each(report: dict[str, Any], way: str, what: str) -> list[float]:
    """Of every run of a way, for each file."""
    return [run[what] / run["files"] for run in report["runs"] if run["way"] == way]


def alone(*arguments: object) -> Any:
    """What this script prints in a process of its own."""
    command = [sys.executable, __file__, *map(str, arguments)]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure scans of archives.")
    parser.add_argument("--clips", type=Path, help="a folder of clips; without it those of the examples")
    parser.add_argument("--most", type=int, default=40, help="clips to scan in each way")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--short", type=int, default=2000, help="small files for what all else takes")
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument(
        "--only",
        help="measure this alone and print it as JSON: a way, or one of: read, brought, empty, kept, records",
    )
    parser.add_argument("--read", type=Path, help="show what --json wrote, measure nothing")
    parser.add_argument("--json", type=Path, help="write every run here")
    parser.add_argument("--into", type=Path, help="put the tables between the marks of this document")
    return parser.parse_args()


MEASURES: dict[str, Callable[[argparse.Namespace], dict[str, float]]] = {
    "read": lambda given: measure_overhead(given.short, brought=False),
    "brought": lambda given: measure_overhead(given.short, brought=True),
    "empty": lambda given: measure_empty(given.records),
    "kept": lambda given: measure_kept(given.records),
    "records": lambda given: measure_records(given.records),
}
"""What ``--only`` measures beside ways."""


def main() -> None:
    given = parse()
    files = sorted((given.clips or HERE.parent / "examples").resolve().rglob("*.mp4"))[: given.most]
    if given.only:
        if given.only in WAYS:
            print(json.dumps(measure_way(given.only, files)))
        else:
            print(json.dumps(MEASURES[given.only](given)))
        return
    if given.read:
        report = json.loads(given.read.read_text(encoding="utf-8"))
    else:
        same = ["--most", given.most, *(["--clips", given.clips] if given.clips else [])]
        runs = [alone("--only", way, *same) for _ in range(given.rounds) for way in WAYS]
        report = {
            "machine": f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}",
            "runs": runs,
            "overhead": [
                alone("--only", way, "--short", given.short) | {"brought": way == "brought"}
                for way in ("read", "brought")
            ],
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
