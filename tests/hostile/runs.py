"""Many damaged files in workers with limits; what comes of each is counted, and what went wrong is kept.

A task is a stretch of seeds of one kind of file. A worker that dies costs its task; the seed that it was at
is known from its note, and the rest of the task is done by another one.
"""

from __future__ import annotations

import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from hostile.corpus import Kind
from hostile.readers import try_one
from unmask.config import BatchSettings, LimitSettings
from unmask.work.each import Do, Failure, Tell, run_each

SEEDS_A_TASK = 25
LIMITS = LimitSettings(memory_mb=2048, cpu_seconds=60)
TASK_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Stretch:
    """Seeds of one kind of file.

    Attributes:
        kind: Name of the kind.
        first: The first seed.
        count: How many.
    """

    kind: str
    first: int
    count: int


@dataclass(slots=True)
class Tally:
    """What came of it.

    Attributes:
        answers: How many of each kind were ``read``, ``refused``, a ``fault`` of unmask, or the ``end`` of a
            worker.
        faults: Kind, seed and traceback of those that nobody raised on purpose.
        ends: Kind, seed and why a worker ended, which cost only this file.
    """

    answers: dict[str, Counter[str]] = field(default_factory=dict)
    faults: list[tuple[str, int, str]] = field(default_factory=list)
    ends: list[tuple[str, int, str]] = field(default_factory=list)

    def count(self, kind: str, answer: str) -> None:
        """Note one more."""
        self.answers.setdefault(kind, Counter())[answer] += 1

    @property
    def total(self) -> int:
        """How many files were tried."""
        return sum(counter.total() for counter in self.answers.values())


def try_many(
    kinds: Sequence[Kind],
    mutations: int,
    *,
    seed: int = 0,
    jobs: int = 1,
    tell: Callable[[Tally], None] = lambda tally: None,
) -> Tally:
    """Damage and read files of every kind in turn.

    Args:
        kinds: From `make_corpus`.
        mutations: How many in all.
        seed: The first.
        jobs: Worker processes.
        tell: Is told now and then what came of it so far.
    """
    share = [mutations // len(kinds) + (n < mutations % len(kinds)) for n in range(len(kinds))]
    todo = [
        Stretch(kind.name, seed + first, min(SEEDS_A_TASK, count - first))
        for kind, count in zip(kinds, share, strict=True)
        for first in range(0, count, SEEDS_A_TASK)
    ]
    tally = Tally()
    while todo:
        todo = _try_stretches(kinds, todo, jobs, tally, tell)
    return tally


def _try_stretches(
    kinds: Sequence[Kind], todo: list[Stretch], jobs: int, tally: Tally, tell: Callable[[Tally], None]
) -> list[Stretch]:
    """Gives what is left over of stretches whose workers ended."""
    left = []
    reached = dict.fromkeys(range(len(todo)), -1)

    def note(place: int, part: tuple[int, str, str]) -> None:
        seed, answer, trace = part
        reached[place] = seed
        tally.count(todo[place].kind, answer)
        if trace:
            tally.faults.append((todo[place].kind, seed, trace))

    batch = BatchSettings(jobs, TASK_SECONDS)
    for place, answer in run_each(
        todo, partial(load_trying, tuple(kinds)), batch, on_part=note, limits=LIMITS
    ):
        if isinstance(answer, Failure):
            one = todo[place]
            died_at = max(one.first, reached[place] + 1)
            tally.count(one.kind, "end")
            tally.ends.append((one.kind, died_at, str(answer.reason)))
            rest = one.first + one.count - died_at - 1
            left += [Stretch(one.kind, died_at + 1, rest)] if rest else []
        tell(tally)
    return left


def load_trying(kinds: tuple[Kind, ...]) -> Do[Stretch, None]:
    """What a worker does."""
    by_name = {kind.name: kind for kind in kinds}

    def do(stretch: Stretch, tell: Tell) -> None:
        kind = by_name[stretch.kind]
        for seed in range(stretch.first, stretch.first + stretch.count):
            with tempfile.TemporaryDirectory() as folder:
                _lay_beside(by_name, kind, Path(folder))
                try:
                    answer, trace = try_one(kind, seed, Path(folder)), ""
                except Exception:  # noqa: BLE001  to find these is what it is for
                    answer, trace = "fault", traceback.format_exc()
            tell.part((seed, answer, trace))

    return do


def _lay_beside(by_name: dict[str, Kind], kind: Kind, folder: Path) -> None:
    """What a reader wants to have beside its file."""
    if kind.name == "crops.tar":
        (folder / "sound.jsonl").write_bytes(by_name["index.jsonl"].data)
    if kind.name == "index.jsonl":
        (folder / "photos-00000.tar").write_bytes(by_name["crops.tar"].data)
