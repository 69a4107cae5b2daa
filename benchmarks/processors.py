"""Scan files as processors with other instruction sets would, and see how far the numbers are apart.

    python benchmarks/processors.py examples/*.mp4 --frames 4 --only masked -o docs/reliability/processors.json

Where this processor has AVX-512, ``masked`` is the same one without, at its full speed (``masked.py``). The
others are emulated by QEMU (``qemu-x86_64``, of the package qemu-user), hundreds of times slower.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from masked import make_masked
from repeats import difference

MASKED = "masked"
MODELS = {
    MASKED: "AVX2, this processor without its AVX-512",
    "Haswell-noTSX": "AVX2, emulated",
    "Nehalem": "SSE4.2, no AVX, emulated",
    "qemu64": "SSE3 at most, emulated",
}


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
    again = [sys.executable, __file__, *map(str, options.files), "--frames", str(options.frames), "--here"]
    found: dict[str, Any] = {"frames": options.frames, "others": {}}
    first = _verdicts(again)
    with tempfile.TemporaryDirectory() as folder:
        for model in options.only or MODELS:
            others = _as_another(model, again, Path(folder))
            pairs = list(zip(first, others, strict=True))
            found["others"][MODELS[model]] = one = {
                "files": len(pairs),
                "same": sum(json.dumps(a) == json.dumps(b) for a, b in pairs),
                "outcomes": sum(a["outcome"] == b["outcome"] for a, b in pairs),
                "p_fake": max(abs((a["p_fake"] or 0) - (b["p_fake"] or 0)) for a, b in pairs),
                "any": max(difference(a, b) for a, b in pairs),
            }
            print(MODELS[model], one, flush=True)
            options.output.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def _as_another(model: str, command: list[str], folder: Path) -> list[dict[str, Any]]:
    if model == MASKED:
        if "avx512f" not in Path("/proc/cpuinfo").read_text(encoding="utf-8"):
            raise SystemExit("this processor must have AVX-512 to be without it; choose others with --only")
        return _verdicts(command, make_masked(folder))
    emulator = shutil.which("qemu-x86_64")
    if emulator is None:
        raise SystemExit("qemu-x86_64 must be installed: apt install qemu-user")
    return _verdicts([emulator, "-cpu", model, *command])


def _scan(file: Path, frames: int) -> dict[str, Any]:
    from unmask import scan
    from unmask.config import DecodeSettings, ScanSettings

    plain = scan(file, settings=ScanSettings(decode=DecodeSettings(frames=frames, threads=1))).to_dict()
    return {key: value for key, value in plain.items() if key != "seconds"}


def _verdicts(command: list[str], variables: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
    environment = {**os.environ, **(variables or {})}
    done = subprocess.run(command, stdout=subprocess.PIPE, env=environment, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


if __name__ == "__main__":
    main()
