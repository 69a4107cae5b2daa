"""Change one byte of weights, a card, or packed crops, at many places, and see that it is refused by name.

    python benchmarks/tampering.py -o docs/reliability/tampering.json

A bit is flipped, a byte taken out, one put in, the file cut short. What is not refused is printed with its
place, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))
MODEL = "quintet"
Reader = Callable[[], object]


def main() -> None:
    """Change, read, count, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--changes", type=int, default=500, help="of each file")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", default=Path("tampering.json"))
    options = parser.parse_args()
    found, wrong = {}, 0
    with tempfile.TemporaryDirectory() as place:
        for title, file, read in targets(Path(place)):
            read()  # sound
            missed = _sweep(file, read, options.changes)
            found[title] = {"bytes": file.stat().st_size, "changes": options.changes, "missed": len(missed)}
            print(title, found[title], *missed[:5], flush=True)
            wrong += len(missed)
    options.output.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    raise SystemExit(bool(wrong))


def targets(folder: Path) -> list[tuple[str, Path, Reader]]:
    """What is changed, and who reads it."""
    from training_data import pack_portraits
    from unmask.judge.card import WEIGHTS, read_card, read_weights
    from unmask.lab.crops.shards import read_index
    from unmask.lab.crops.sums import check_sums
    from unmask.lab.extract.manifest import read_manifest

    for end in ("json", "onnx"):
        shutil.copy(WEIGHTS / f"{MODEL}.{end}", folder)
    card, crops = folder / f"{MODEL}.json", pack_portraits(folder)
    weights = read_card(card)
    return [
        ("ONNX weights", folder / f"{MODEL}.onnx", partial(read_weights, weights, folder)),
        ("their card", card, partial(read_card, card)),
        ("`index.jsonl`", crops / "index.jsonl", partial(read_index, crops)),
        ("`manifest.jsonl`", crops / "manifest.jsonl", partial(read_manifest, crops)),
        ("`sha256.txt`", crops / "sha256.txt", partial(check_sums, crops)),
        ("a shard, read whole", crops / "crops-00000.tar", partial(check_sums, crops)),
        ("`extract.json`, read whole", crops / "extract.json", partial(check_sums, crops)),
    ]


def _sweep(file: Path, read: Reader, changes: int) -> list[str]:
    """What was not refused by name."""
    from unmask.errors import UnmaskError

    data, missed = file.read_bytes(), []
    for seed in range(changes):
        how, changed = _change(data, random.Random(seed))
        file.write_bytes(changed)
        try:
            read()
            missed.append(how)
        except UnmaskError as error:
            if file.name not in str(error):
                missed.append(f"{how}: {error}")
    file.write_bytes(data)
    return missed


def _change(data: bytes, chance: random.Random) -> tuple[str, bytes]:
    at = chance.randrange(len(data))
    how = chance.choice(("flip", "flip", "flip", "take out", "put in", "cut"))
    if how == "flip":
        return f"flip at {at}", data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]
    if how == "take out":
        return f"take out at {at}", data[:at] + data[at + 1 :]
    if how == "put in":
        return f"put in at {at}", data[:at] + chance.randbytes(1) + data[at:]
    return f"cut at {at}", data[:at]


if __name__ == "__main__":
    main()
