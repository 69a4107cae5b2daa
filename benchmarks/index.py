"""How long index, split and counts take for the whole of DFDC: 119,154 videos in 50 parts.

The files are empty and sparse, since only names, labels and sizes are read; opening videos is measured on
clips of a tenth of a second. Every step runs in a process of its own.

    python benchmarks/index.py
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import resource
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

PARTS, REALS, FAKES = 50, 19_154, 100_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--videos", type=int, default=REALS + FAKES, help="how many videos")
    parser.add_argument("--probe", type=int, default=400, help="videos that are opened")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_names(folder / "dfdc", args.videos)
        steps: dict[str, Callable[[], object]] = {
            "index a folder, names and labels": lambda: index_names(folder / "dfdc", folder / "i.parquet"),
            "index 50 zips, names and labels": lambda: index_names(folder / "zips", folder / "z.parquet"),
            "read the index": lambda: read(folder / "i.parquet"),
            "read it from CSV": lambda: read(folder / "i.csv"),
            "split by original, prove, write": lambda: split(folder, "original"),
            "split by person, prove, write": lambda: split(folder, "person"),
            "count for the page": lambda: explore(folder / "i.parquet"),
            "tree on container fields": lambda: leak(folder / "i.parquet"),
            "near pairs among 19,154 fingerprints": near,
        }
        zip_parts(folder / "dfdc", folder / "zips")
        for title, step in steps.items():
            report(title, step)
        for jobs in (1, 2):
            title = f"open {args.probe} clips of 1080p, {jobs} process(es)"
            report(title, partial(probe, folder, args.probe, jobs))


def report(title: str, step: Callable[[], object]) -> None:
    """Run a step in a forked process; print seconds and peak memory."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=measure, args=(step, theirs))
    process.start()
    result = ours.recv()
    process.join()
    print(json.dumps({"step": title} | result))


def measure(step: Callable[[], object], link: multiprocessing.connection.Connection) -> None:
    start, cpu = time.perf_counter(), time.process_time()
    step()
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    link.send(
        {
            "seconds": round(time.perf_counter() - start, 2),
            "cpu_seconds": round(time.process_time() - cpu + children.ru_utime + children.ru_stime, 2),
            "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        }
    )


def write_names(folder: Path, videos: int) -> None:
    """Empty files and labels as DFDC has them: about five fakes for a real, all in the part of the real."""
    rng = random.Random(0)
    tables: list[dict[str, dict[str, str | None]]] = [{} for _ in range(PARTS)]
    reals = max(1, videos * REALS // (REALS + FAKES))
    names = [f"{number:010x}.mp4" for number in rng.sample(range(16**10), videos)]
    for number, name in enumerate(names):
        real = number if number < reals else rng.randrange(reals)
        label, original = ("REAL", None) if number < reals else ("FAKE", names[real])
        tables[real % PARTS][name] = {"label": label, "split": "train", "original": original}
    for number, table in enumerate(tables):
        part = folder / f"dfdc_train_part_{number}"
        part.mkdir(parents=True)
        (part / "metadata.json").write_text(json.dumps(table))
        for name in table:
            (part / name).touch()


def zip_parts(folder: Path, target: Path) -> None:
    target.mkdir()
    for part in folder.iterdir():
        with zipfile.ZipFile(target / f"{part.name}.zip", "w") as zipped:
            zipped.write(part / "metadata.json", f"{part.name}/metadata.json")
            for file in part.glob("*.mp4"):
                zipped.writestr(f"{part.name}/{file.name}", b"")


def index_names(source: Path, target: Path) -> None:
    from unmask.data import index, write_index_file

    frame = index(source, probe=False)
    write_index_file(frame, target)
    write_index_file(frame, target.with_suffix(".csv"))


def read(file: Path) -> None:
    from unmask.data import read_index_file

    read_index_file(file)


def split(folder: Path, by: str) -> None:
    from unmask.data import read_index_file, write_index_file
    from unmask.lab.datasets.split import SplitSettings, prove_split, split_index

    frame = split_index(read_index_file(folder / "i.parquet"), SplitSettings(by=by))
    write_index_file(frame, folder / "s.parquet")
    proof = prove_split(read_index_file(folder / "s.parquet"))
    assert proof.crossing["group"][0] == 0


def explore(file: Path) -> None:
    from unmask.data import read_index_file
    from unmask.lab.datasets.explore import explore_index
    from unmask.lab.pages.exploration import exploration_page

    frame = read_index_file(file)
    exploration_page(frame, explore_index(frame), title="DFDC")


def leak(file: Path) -> None:
    import numpy as np

    from unmask.data import read_index_file
    from unmask.lab.datasets.leaks import find_leak

    frame = read_index_file(file)
    rng = np.random.default_rng(0)
    frame["codec"], frame["duration_seconds"], frame["fps"] = "h264", 10.0, 29.97
    frame["size_bytes"] = rng.integers(2_000_000, 9_000_000, len(frame))
    find_leak(frame)


def near() -> None:
    import numpy as np

    from unmask.lab.datasets.fingerprint import BITS, near_pairs

    near_pairs(np.random.default_rng(0).random((REALS, BITS)) < 0.5, max_bits=20)


def probe(folder: Path, videos: int, jobs: int) -> None:
    import av
    import numpy as np

    from unmask.data import index

    clips = folder / "clips"
    if not clips.is_dir():
        clips.mkdir()
        with av.open(str(folder / "one.mp4"), "w") as container:
            stream = container.add_stream("libx264", rate=30, options={"preset": "ultrafast"})
            stream.width, stream.height, stream.pix_fmt = 1920, 1080, "yuv420p"
            noise = np.random.default_rng(0).integers(0, 255, (1080, 1920, 3), dtype=np.uint8)
            for number in range(3):
                frame = av.VideoFrame.from_ndarray(np.roll(noise // 8 + 100, number, axis=1), format="rgb24")
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        for number in range(videos):
            (clips / f"{number}.mp4").hardlink_to(folder / "one.mp4")
    index(clips, jobs=jobs)


if __name__ == "__main__":
    sys.exit(main())
