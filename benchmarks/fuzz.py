"""Damage files of every kind that unmask reads, many thousand times, and see that each gets an answer.

    python benchmarks/fuzz.py --mutations 50000 --jobs 4 -o docs/reliability/fuzz.json

Whatever nobody raised on purpose is written to FILE with its seed, and so is each worker that ended; the exit
code is 1 where there was a fault of unmask. A finding becomes a case of tests/hostile/test_hostile.py.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hostile.runs import Tally

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))


def main() -> None:
    """Run, print a table, write what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--mutations", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0, help="the first")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", action="append", default=[], help="kinds whose names begin so")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", default=Path("fuzz.json"))
    options = parser.parse_args()

    from hostile.corpus import make_corpus
    from hostile.runs import try_many

    with tempfile.TemporaryDirectory() as folder:
        kinds = make_corpus(Path(folder))
    kinds = [kind for kind in kinds if not options.only or kind.name.startswith(tuple(options.only))]
    began = time.monotonic()

    def keep(found: Tally) -> None:
        told = _plain(found) | {"seed": options.seed, "seconds": round(time.monotonic() - began, 1)}
        options.output.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
        if sys.stderr.isatty():
            print(f"\r{found.total}", end="", file=sys.stderr)

    found = try_many(kinds, options.mutations, seed=options.seed, jobs=options.jobs, tell=keep)
    names = ("read", "refused", "fault", "end")
    print(f"\n{'kind':24}" + "".join(f"{name:>9}" for name in names))
    for kind, counts in found.answers.items():
        print(f"{kind:24}" + "".join(f"{counts[name]:9}" for name in names))
    print(f"{found.total} files: {len(found.faults)} faults, {len(found.ends)} workers ended")
    raise SystemExit(1 if found.faults else 0)


def _plain(found: Tally) -> dict[str, Any]:
    return {
        "mutations": found.total,
        "answers": {kind: dict(counts) for kind, counts in found.answers.items()},
        "faults": [
            {"kind": kind, "seed": seed, "trace": _without_places(trace)}
            for kind, seed, trace in found.faults
        ],
        "ends": [{"kind": kind, "seed": seed, "how": how} for kind, seed, how in found.ends],
    }


def _without_places(trace: str) -> str:
    """Files as they are called in the repository or in a package, wherever these lie."""
    return re.sub(r'(?<=File ")[^"]*site-packages/', "", trace.replace(f"{ROOT}/", ""))


if __name__ == "__main__":
    main()
