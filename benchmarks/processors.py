"""Scan files as older processors would, and see how far the numbers are apart.

    python benchmarks/processors.py examples/*.mp4 -o docs/reliability/processors.json

It is this processor that scans, at its full speed, without its newer instructions (``masked.py``).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from masked import OLDER, copy_masked, variables
from repeats import difference


def main() -> None:
    """Scan on each, compare with this one, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--frames", type=int, default=4)
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", default=Path("processors.json"))
    parser.add_argument("--here", action="store_true", help="scan on this processor alone, and print")
    options = parser.parse_args()
    if options.here:
        for file in options.files:
            print(json.dumps(_scan(file, options.frames)), flush=True)
        return
    again = [sys.executable, __file__, *map(str, options.files), "--frames", str(options.frames), "--here"]
    found: dict[str, Any] = {"frames": options.frames, "newest": _newest(), "others": {}}
    first = _verdicts(again, {})
    with tempfile.TemporaryDirectory() as folder:
        copy_masked(Path(folder))
        for newest in OLDER:
            pairs = list(zip(first, _verdicts(again, variables(Path(folder), newest)), strict=True))
            found["others"][newest] = one = {
                "files": len(pairs),
                "same": sum(json.dumps(a) == json.dumps(b) for a, b in pairs),
                "outcomes": sum(a["outcome"] == b["outcome"] for a, b in pairs),
                "p_fake": max(abs((a["p_fake"] or 0) - (b["p_fake"] or 0)) for a, b in pairs),
                "any": max(difference(a, b) for a, b in pairs),
            }
            print(newest, one, flush=True)
            options.output.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def _newest() -> str:
    flags = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    return next((name for flag, name in (("avx512f", "AVX-512"), ("avx2", "AVX2")) if flag in flags), "SSE")


def _scan(file: Path, frames: int) -> dict[str, Any]:
    from unmask import scan
    from unmask.config import DecodeSettings, ScanSettings

    plain = scan(file, settings=ScanSettings(decode=DecodeSettings(frames=frames, threads=1))).to_dict()
    return {key: value for key, value in plain.items() if key != "seconds"}


def _verdicts(command: list[str], more: Mapping[str, str]) -> list[dict[str, Any]]:
    done = subprocess.run(command, stdout=subprocess.PIPE, env={**os.environ, **more}, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


if __name__ == "__main__":
    main()
