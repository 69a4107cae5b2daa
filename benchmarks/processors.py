"""Scan files as processors with other instruction sets would, and see how far the numbers are apart.

    python benchmarks/processors.py examples/*.mp4 --frames 2 -o docs/reliability/processors.json

Other processors are emulated by QEMU (``qemu-x86_64``, of the package qemu-user), about thirty times slower.
What no QEMU emulates, AVX-512, is not tried.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from repeats import difference

MODELS = {"Haswell-noTSX": "AVX2, emulated", "Nehalem": "SSE4.2, no AVX", "qemu64": "SSE3 at most"}
HERE = "this processor"


def main() -> None:
    """Scan on each, compare with this one, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--frames", type=int, default=2)
    parser.add_argument("--only", action="append", choices=MODELS, default=[], help="a processor")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", default=Path("processors.json"))
    parser.add_argument("--here", action="store_true", help="scan on this processor alone, and print")
    options = parser.parse_args()
    if options.here:
        for file in options.files:
            print(json.dumps(_scan(file, options.frames)), flush=True)
        return
    emulator = shutil.which("qemu-x86_64")
    if emulator is None:
        raise SystemExit("qemu-x86_64 must be installed: apt install qemu-user")
    again = [sys.executable, __file__, *map(str, options.files), "--frames", str(options.frames), "--here"]
    first = _verdicts(again)
    found = {
        "files": len(first),
        "frames": options.frames,
        "here": [_short(one) for one in first],
        "others": {},
    }
    for model in options.only or MODELS:
        others = _verdicts([emulator, "-cpu", model, *again])
        pairs = list(zip(first, others, strict=True))
        found["others"][MODELS[model]] = one = {
            "same": sum(json.dumps(a) == json.dumps(b) for a, b in pairs),
            "outcomes": sum(a["outcome"] == b["outcome"] for a, b in pairs),
            "p_fake": max(abs((a["p_fake"] or 0) - (b["p_fake"] or 0)) for a, b in pairs),
            "any": max(difference(a, b) for a, b in pairs),
            "there": [_short(one) for one in others],
        }
        print(MODELS[model], one, flush=True)
        options.output.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def _scan(file: Path, frames: int) -> dict[str, Any]:
    from unmask import scan
    from unmask.config import DecodeSettings, ScanSettings

    plain = scan(file, settings=ScanSettings(decode=DecodeSettings(frames=frames, threads=1))).to_dict()
    return {key: value for key, value in plain.items() if key != "seconds"}


def _verdicts(command: list[str]) -> list[dict[str, Any]]:
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def _short(verdict: dict[str, Any]) -> dict[str, Any]:
    return {name: verdict[name] for name in ("outcome", "p_fake", "log_odds")}


if __name__ == "__main__":
    main()
