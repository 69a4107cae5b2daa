"""End commands at each change that they make to files, run them again, and compare with an undisturbed run.

    python benchmarks/kills.py -o docs/reliability/kills.json
    python benchmarks/kills.py --only train --kind kill

Each run gets a tiny set of data. It is killed before the k-th change, for every k; killed in the middle of
what it writes; and told there that the disk is full, a quota used up, the disk broken, or nothing can be
written any more. Where there is a C compiler, so it is at some of its writes into files, also beside earlier
results. As root, it also gets real disks: with too little room, with a quota, closed to writing, with no room
for temporary files, with none beside earlier results. Limits on the size of files, two runs at once, and
clocks that jump by a year come last. A run that left what another one had left is not gone on with again.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from itertools import islice, product
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))
SERVE = "serve"
INJECTED = ("kill", "tear", "full", "quota", "broken", "sealed")
WRITES = {f"write {kind}": kind for kind in INJECTED[2:]}
MOUNTED = ("room", "share", "closed", "scratch", "kept")
KEPT = "kept full"
KINDS = (*INJECTED, *WRITES, KEPT, "size", *MOUNTED, "two", "back", "ahead")
OF_SERVE = ("kill", "room", "closed", "two")
ROOMS, SPOTS = 4, 4


def main() -> None:
    """Try, print what is wrong, write what was found after each kind of harm."""
    from hostile.commands import NAMES, made_commands
    from hostile.disks import can_mount
    from hostile.harms import Tried
    from hostile.serving import Serving

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--only", action="append", choices=[*NAMES, SERVE], default=[], help="a command")
    parser.add_argument("--kind", action="append", choices=KINDS, default=[], help="of harm")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", default=Path("kills.json"))
    parser.add_argument("--every", type=int, default=1, help="only each so-manieth change")
    options = parser.parse_args()
    found = json.loads(options.output.read_text(encoding="utf-8")) if options.output.exists() else {}
    wanted = options.only or [*NAMES, SERVE]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        with made_commands(folder / "data", tuple(name for name in NAMES if name in wanted)) as commands:
            tries: dict[str, Any] = {
                command.name: Tried(command, folder / command.name.replace(" ", "-")) for command in commands
            }
            if SERVE in wanted:
                tries[SERVE] = Serving(folder / SERVE)
            for tried in tries.values():
                tried.prepare()
            for kind, (name, tried) in product(options.kind or KINDS, tries.items()):
                if (name == SERVE and kind not in OF_SERVE) or (kind in MOUNTED and not can_mount()):
                    continue
                one = _tell(name, kind, _try(tried, kind, folder / "data", every=options.every))
                found.setdefault(name, {})[kind] = one
                options.output.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    raise SystemExit(any(one["wrong"] for kinds in found.values() for one in kinds.values()))


def _try(tried: Any, kind: str, data: Path, *, every: int) -> Iterator[tuple[str, str]]:
    """At what, and what is wrong there, or nothing."""
    from hostile.harms import YEAR_SECONDS, clock_jumps, earlier_results, places, two_at_once, writes
    from hostile.mortal import Harm
    from hostile.serving import Serving
    from hostile.shortages import file_sizes, small_files

    if kind in WRITES:
        for at in writes(tried, SPOTS):
            yield f"write {at} of {tried.writes}", tried.harm(Harm(write=at, kind=WRITES[kind]))
    elif kind == KEPT:
        for at in writes(tried, SPOTS):
            yield f"write {at} of {tried.writes}", earlier_results(tried, Harm(write=at, kind="full"))
    elif kind in MOUNTED:
        yield from _try_disks(tried, kind)
    elif kind == "two":
        yield "two runs", tried.two() if isinstance(tried, Serving) else two_at_once(tried)
    elif kind in ("back", "ahead"):
        yield "a jump", clock_jumps(tried, data, YEAR_SECONDS * (-1 if kind == "back" else 1))
    elif kind == "size":
        for size in islice(file_sizes(tried), 0, None, every):
            yield f"{size} bytes", small_files(tried, size)
    else:
        for at in islice(places(tried.changes, kind), 0, None, every):
            yield f"{at} {tried.changes[at - 1]}", tried.harm(Harm(at, kind))


def _try_disks(tried: Any, kind: str) -> Iterator[tuple[str, str]]:
    from hostile.allotments import can_allot
    from hostile.serving import Serving
    from hostile.shortages import (
        closed_disk,
        little_room,
        no_scratch,
        room_for_one,
        rooms,
        small_shares,
    )

    match kind:
        case "room" | "closed" if isinstance(tried, Serving):
            for size in tried.sizes(ROOMS) if kind == "room" else (0,):
                yield f"{size} bytes", tried.on_disk(size)
        case "room":
            for size in rooms(tried, ROOMS):
                yield f"{size} bytes", little_room(tried, size)
        case "share" if can_allot():
            yield from small_shares(tried)
        case "closed":
            yield "the first write", closed_disk(tried)
        case "scratch":
            yield "its temporary files", no_scratch(tried)
        case "kept":
            yield "another run", room_for_one(tried)


def _tell(name: str, kind: str, answers: Iterator[tuple[str, str]]) -> dict[str, Any]:
    counts: Counter[str] = Counter()
    for where, wrong in answers:
        counts["tried"] += 1
        if wrong:
            counts["wrong"] += 1
            print(f"{name}, {kind} at {where}: {wrong}", flush=True)
    print(f"{name}, {kind}: {counts['tried']} tried, {counts['wrong']} wrong", flush=True)
    return {"tried": counts["tried"], "wrong": counts["wrong"]}


if __name__ == "__main__":
    main()
