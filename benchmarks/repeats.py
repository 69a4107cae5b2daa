"""Scan the same files many times, with other threads and numbers of processes, and compare what comes of it.

    python benchmarks/repeats.py examples/*.mp4 --runs 20 -o docs/reliability/repeats.json

Compared is the JSON of each verdict, all of it but the seconds; a damaged copy of each file is scanned, too.
Threads of the networks may change the order in which they add up, and so the last digits: that is measured.
With ``--again PYTHON`` the last run is that of another installation, as of one made afresh:

    python -m venv again && again/bin/pip install --require-hashes -r locks/default.txt
    again/bin/pip install --no-deps . && python benchmarks/repeats.py examples/*.mp4 --again again/bin/python
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from unmask.batch import scan_many
from unmask.config import BatchSettings, DecodeSettings, DetectSettings, ScanSettings, ScoreSettings

Plain = dict[str, Any]
THREADS, JOBS = (1, 2, 4), (1, 2, 4)
FLIPS = 30


@dataclass(frozen=True, slots=True)
class Way:
    """One way to scan the same files.

    Attributes:
        decoding: Threads of the decoder.
        networks: Threads of detector and judge.
        jobs: Processes.
    """

    decoding: int = 4
    networks: int = 1
    jobs: int = 1

    def settings(self, plain: ScanSettings) -> ScanSettings:
        """The settings of a scan this way."""
        return replace(
            plain,
            decode=DecodeSettings(threads=self.decoding, frames=plain.decode.frames),
            detect=DetectSettings(threads=self.networks),
            score=ScoreSettings(threads=self.networks),
        )


def ways(runs: int) -> Iterator[tuple[str, Way]]:
    """The ways that are compared with the first, by name; the plain one comes as often as ``runs`` says."""
    for number in range(runs):
        yield f"run {number + 1}", Way()
    for threads in THREADS:
        yield f"decoder {threads} threads", Way(decoding=threads)
    for jobs in JOBS:
        yield f"{jobs} processes", Way(jobs=jobs)
    for threads in THREADS:
        yield f"networks {threads} threads", Way(networks=threads)


def damaged(file: Path, folder: Path) -> Path:
    """A copy with some bits of its second half flipped."""
    data = bytearray(file.read_bytes())
    chance = random.Random(0)
    for _ in range(FLIPS):
        data[chance.randrange(len(data) // 2, len(data))] ^= 1 << chance.randrange(8)
    copy = folder / f"damaged-{file.name}"
    copy.write_bytes(data)
    return copy


def verdicts(files: Sequence[Path], way: Way, plain: ScanSettings) -> list[Plain]:
    """Of each file the verdict as plain JSON, without what it took."""
    found = scan_many(files, way.settings(plain), BatchSettings(jobs=way.jobs))
    return [{key: value for key, value in v.to_dict().items() if key != "seconds"} for v in found]


def verdicts_again(python: Path, files: Sequence[Path], options: argparse.Namespace) -> list[Plain]:
    """The same from another installation, whose sources are its own."""
    command = [python, "-P", __file__, *files, "--frames", str(options.frames), "--here"]
    command += ["--model", options.model] if options.model else []
    alone = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, stdout=subprocess.PIPE, env=alone, check=True)
    return json.loads(done.stdout)


def difference(one: Any, other: Any) -> float:
    """The largest difference of a number; infinity where anything else differs."""
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other)
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        return max((difference(one[key], other[key]) for key in one), default=0.0)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple) and len(one) == len(other):
        return max((difference(a, b) for a, b in zip(one, other, strict=True)), default=0.0)
    return 0.0 if one == other else float("inf")


def main() -> None:
    """Scan, compare, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--model", default=None)
    parser.add_argument("--frames", type=int, default=30)
    parser.add_argument("--again", type=Path, metavar="PYTHON", help="of another installation")
    parser.add_argument("--here", action="store_true", help="scan these files once, and print the verdicts")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE")
    options = parser.parse_args()
    plain = ScanSettings(model=options.model, decode=DecodeSettings(frames=options.frames))
    if options.here:
        print(json.dumps(verdicts(options.files, Way(), plain)))
        return
    told: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        copies = [damaged(file, Path(folder)) for file in options.files]
        files = [*options.files, *copies]
        first: list[Plain] | None = None
        runs: list[tuple[str, Way | Path]] = [*ways(options.runs)]
        if options.again:
            runs.append(("another installation", options.again))
        for name, way in runs:
            again = isinstance(way, Path)
            found = verdicts_again(way, files, options) if again else verdicts(files, way, plain)
            first = first or found
            pairs = list(zip(first, found, strict=True))
            same = sum(json.dumps(a) == json.dumps(b) for a, b in pairs)
            words = sum(a["outcome"] == b["outcome"] for a, b in pairs)
            chances = [abs((a["p_fake"] or 0) - (b["p_fake"] or 0)) for a, b in pairs]
            largest = max(difference(a, b) for a, b in pairs)
            told[name] = {"files": len(files), "same": same, "outcomes": words, "p_fake": max(chances)}
            told[name]["any"] = largest if math.isfinite(largest) else None
            print(
                f"{name:22} {same} of {len(files)} the same, {words} outcomes, "
                f"p_fake within {max(chances):.1e}, any number within {largest:.1e}",
                flush=True,
            )
    if options.output:
        options.output.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
