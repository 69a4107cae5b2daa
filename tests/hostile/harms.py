"""What is left of a run that came to harm, and whether the same command then ends as if nothing had been."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hostile.commands import Command
from hostile.mortal import ERRORS, SPARED, Ended, Harm, Run, start

_CHANCE = re.compile(r"[0-9a-f]{8,}|\.[a-z0-9_]{8}/")
YEAR_SECONDS = 365 * 86400


@dataclass(slots=True)
class Tried:
    """A command, and what became of its runs.

    Attributes:
        command: The command.
        folder: Receives a folder for each run.
        whole: What an undisturbed run leaves.
        changes: That it makes.
        writes: Into files, how many; 0 where they are not counted.
        known: What runs left that were ended, with what came of the next run.
    """

    command: Command
    folder: Path
    whole: dict[str, bytes] = field(default_factory=dict)
    changes: tuple[str, ...] = ()
    writes: int = 0
    known: dict[frozenset[tuple[str, bytes]], str] = field(default_factory=dict)
    _number: int = 0

    def prepare(self) -> None:
        """Run it undisturbed."""
        out = self.make_folder()
        ended = self.run(out)
        assert ended.code == 0, ended.told
        self.whole, self.changes, self.writes = self.command.leaves(out), ended.changes, ended.writes

    def make_folder(self) -> Path:
        """An output folder that nothing is in."""
        self._number += 1
        out = self.folder / f"{self._number}" / "out"
        out.mkdir(parents=True)
        return out

    def run(self, out: Path, harm: Harm = SPARED) -> Ended:
        """One run."""
        return self.start(out, harm).end()

    def start(self, out: Path, harm: Harm = SPARED, **environment: str) -> Run:
        """Begin a run."""
        self._number += 1
        notes = self.folder / f"notes-{self._number}"
        environment = {**self.command.environment(out), **environment}
        return start(self.command.arguments(out), out, notes, harm=harm, environment=environment)

    def harm(self, harm: Harm, out: Path | None = None) -> str:
        """Run into harm, and then once more without; gives what is wrong with that, or nothing.

        Args:
            harm: What comes to the run.
            out: Where; by default in a new folder.
        """
        out = out or self.make_folder()
        ended = self.run(out, harm)
        if problem := self.wrong_left(ended, harm, out):
            return problem
        left = self._left(out)
        if left not in self.known:
            self.known[left] = self.wrong_in_the_end(out, self.run(out))
        shutil.rmtree(out.parent)
        return self.known[left]

    def wrong_in_the_end(self, out: Path, *runs: Ended) -> str:
        """What is wrong after the last run in a folder, or nothing; of several at once one must do all."""
        if all(ended.code for ended in runs):
            return f"the next run ended with {runs[-1].code}: {runs[-1].told[-300:]}"
        found = self.command.leaves(out)
        odd = sorted(
            name for name in found.keys() | self.whole.keys() if found.get(name) != self.whole.get(name)
        )
        return f"otherwise after the next run: {', '.join(odd)}" if odd else ""

    def wrong_left(self, ended: Ended, harm: Harm, out: Path) -> str:
        """What is wrong with how a run ended that came to harm, or with what it left, or nothing."""
        problem = self.wrong_end(ended, harm) or self.half_written(out)
        if ended.code == 0 and not problem:
            problem = self.wrong_in_the_end(out, ended)
        return f"{problem} (after: {ended.told[-300:]})" if problem else ""

    def wrong_end(self, ended: Ended, harm: Harm) -> str:
        """What is wrong with how a run ended that came to harm, or nothing."""
        if harm.kind in ("kill", "tear"):
            return "" if ended.code == -9 else f"was to be killed, and ended with {ended.code}"
        if ended.code not in (0, 2) or "Traceback" in ended.told:
            return f"ended with {ended.code}: {ended.told[-600:]}"
        if ended.code == 0:
            return ""
        number = ERRORS.get(harm.kind)
        words = ("error: ", os.strerror(number) if harm.at or harm.write else "")
        said = all(word.lower() in ended.told.lower() for word in words)
        return "" if said else f"ended without a sentence that says why: {ended.told}"

    def half_written(self, out: Path) -> str:
        """A result is there as a whole or not at all."""
        found = self.command.leaves(out)
        results = [name for name in self.whole if name not in self.command.on_the_way]
        odd = [name for name in results if name in found and found[name] != self.whole[name]]
        return f"half written: {', '.join(odd)}" if odd else ""

    def _left(self, out: Path) -> frozenset[tuple[str, bytes]]:
        names = {str(file.relative_to(out)): file for file in out.rglob("*")}
        out_of_it = self.command.left_out or "\0"
        return frozenset(
            (_CHANCE.sub("*", name), file.read_bytes() if file.is_file() else b"")
            for name, file in names.items()
            if not name.startswith(out_of_it)
        )


def places(changes: Sequence[str], kind: str) -> Iterator[int]:
    """Before which changes a harm of some kind makes a difference, counted from 1."""
    for number, change in enumerate(changes, start=1):
        before = changes[number - 2] if number > 1 else ""
        if "tensorboard" in change and "tensorboard" in before:
            continue
        if kind == "tear" and (not before.startswith("open ") or "tensorboard" in before):
            continue
        fails = kind in ("full", "quota", "broken", "sealed")
        if fails and not change.startswith(("open", "os.mkdir", "os.rename")):
            continue
        yield number


def writes(tried: Tried, most: int) -> Iterator[int]:
    """Of the writes into files that a command makes, counted from 1, the last and others before it."""
    yield from range(tried.writes, 0, -max(1, -(-tried.writes // most)))


def earlier_results(tried: Tried, harm: Harm, out: Path | None = None) -> str:
    """A run into harm where a finished one left its results; gives what is wrong with those, or nothing.

    Args:
        tried: The command.
        harm: What comes to the second run.
        out: Where a run has finished; by default it does so in a new folder.
    """
    if out is None:
        out = tried.make_folder()
        assert tried.run(out).code == 0
    ended = tried.run(out, harm)
    found = tried.command.leaves(out)
    lost = sorted(name for name, data in tried.whole.items() if found.get(name) != data)
    return tried.wrong_end(ended, Harm(kind="full")) or (f"lost: {', '.join(lost)}" if lost else "")


def two_at_once(tried: Tried) -> str:
    """Two runs in one folder; gives what is wrong, or nothing."""
    out = tried.make_folder()
    runs = [tried.start(out) for _ in range(2)]
    ended = [run.end() for run in runs]
    problems = [tried.wrong_end(one, Harm(kind="full")) for one in ended]
    return next(filter(None, problems), "") or tried.wrong_in_the_end(out, *ended)


def clock_jumps(tried: Tried, data: Path, seconds: float) -> str:
    """A run on data of the future, while the clock jumps; gives what is wrong, or nothing."""
    later = time.time() + 10 * YEAR_SECONDS
    for file in data.rglob("*"):
        os.utime(file, (later, later))
    out = tried.make_folder()
    return tried.wrong_in_the_end(out, tried.run(out, Harm(clock=seconds)))
