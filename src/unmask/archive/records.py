"""The output of a scan of an archive: records in shards, and what is known of all of them.

    OUT/scan.json                  what is scanned: sources, settings, weights
    OUT/files.parquet              the plan: name, path, size, shard of each file
    OUT/records-00000.jsonl        a record a file, in the order of the plan
    OUT/records-00000.parquet      the same as a table
    OUT/timings/00000.jsonl        what each file took
    OUT/summary.json               counts by outcome, failures by kind, the most suspicious files
    OUT/timings/summary.json       the slowest files
    OUT/manifest.json              every shard with size and SHA-256; written last

All but ``timings`` is a function of files, weights and settings: it is the same byte for byte, whatever
happened on the way.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any

from unmask.archive.judging import Judged
from unmask.archive.places import Place
from unmask.archive.plan import EMPTY, Plan
from unmask.archive.record import RECORD_SCHEMA, record_of
from unmask.archive.shares import WHOLE, Share
from unmask.archive.store import PARTS, Header, Store, json_line
from unmask.archive.summary import join_sums, sum_up, summarise, summarise_timings
from unmask.archive.table import records_table
from unmask.judge.verdict import unreadable
from unmask.reasons import Reason, because
from unmask.verdicts import ModelName, Outcome
from unmask.version import __version__

HEADER_NAME, MANIFEST_NAME, SUMMARY_NAME = "scan.json", "manifest.json", "summary.json"
TIMINGS = "timings"
_NO_BYTES = hashlib.sha256().hexdigest()


class RecordStore(Store):
    """A scan's output, held by one run at a time; use it in a ``with`` block.

    Args:
        place: Where.
        header: From `scan_header`.
        plan: Of the scan.
        model: The weights that judge.
        share: Which shards this run does.
        flush_seconds: How long records may wait to be kept; a store of objects takes many at once.

    Raises:
        DataError: The place holds something else, another run works in it, or the disk is full.
    """

    def __init__(
        self,
        place: Place,
        header: Header,
        plan: Plan,
        *,
        model: ModelName,
        share: Share = WHOLE,
        flush_seconds: float = 0.0,
    ) -> None:
        super().__init__(place, header, plan.shards, last=MANIFEST_NAME, share=share)
        self.plan = plan
        self._model, self._settings = model, header.told["settings_sha256"]
        self._lines: dict[int, bytes] = {}  # of shards that are not full yet
        self._waiting: dict[int, bytes] = {}
        self._flush_seconds, self._flushed = flush_seconds, time.monotonic()
        self._sizes: dict[str, int] | None = None  # of what is there, by one listing
        self._part_of: dict[str, set[int]] = {}  # which files' records a part has that are still needed

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):  # what is not kept is done again
            self.flush()
        super().__exit__(kind, error, trace)

    def keep(self, number: int, judged: Judged) -> None:
        """Keep what came of a file.

        Raises:
            DataError: The disk is full.
        """
        told = {"number": number, "record": judged.record, "seconds": judged.seconds}
        self.put(number, json_line(told))

    def record(self, number: int) -> dict[str, Any] | None:
        """The record of a file that is done and whose shard is not full yet."""
        line = self._lines.get(number)
        return None if line is None else json.loads(line)["record"]

    def failed(self, number: int, reason: Reason, *, ours: bool, sha256: str | None = None) -> Judged:
        """What is kept of a file that could not be judged."""
        file = self.plan.files[number]
        verdict = unreadable(file.inner, reason, self._model, sha256=sha256, ours=ours)
        size = max(file.size_bytes, 0)
        return Judged(record_of(verdict, file.inner, size_bytes=size, settings=self._settings).to_dict())

    def retry_failed(self) -> int:
        """Take back what is unreadable or an error, so that it is done again; how many files that are.

        Raises:
            DataError: The disk is full, or records cannot be read.
        """
        with self.place.errors():
            if self.complete:
                shards = json.loads(self.place.read(MANIFEST_NAME))["shards"]
                for shard in self._mine:
                    self.place.write(self._commit(shard), self._commit_again(shard, shards[shard]))
                self.place.remove(MANIFEST_NAME)
                self._load()
            again: set[int] = set()
            for shard in sorted(self._sealed):
                lines = self._lines_of(shard)
                failed = {number for number, line in lines.items() if self._may_do_better(number, line)}
                if failed:
                    again |= failed
                    self._lines |= {number: line for number, line in lines.items() if number not in failed}
                    self._waiting |= {number: self._lines[number] for number in lines.keys() - failed}
                    self.flush()
                    self.place.remove(self._commit(shard))
                    self._sealed.discard(shard)
            open_parts = {number for number, line in self._lines.items() if self._may_do_better(number, line)}
            self._forget(open_parts)
            self.done -= again | open_parts
        return len(again | open_parts)

    def flush(self) -> None:
        """Keep what waits: behind the part of its shard, or in one of its own."""
        waiting, self._waiting, self._flushed = self._waiting, {}, time.monotonic()
        by_shard: dict[int, list[int]] = {}
        for number in waiting:
            by_shard.setdefault(self._shards[number], []).append(number)
        for shard, numbers in by_shard.items():
            name = self._part(self._members[shard][0] if self.place.appends else min(numbers))
            write = self.place.append if self.place.appends else self.place.write
            write(name, b"".join(waiting[number] for number in numbers))
            self._part_of.setdefault(name, set()).update(numbers)

    def _keep(self, number: int, blob: bytes) -> None:
        self._lines[number] = blob
        self._waiting[number] = blob
        if time.monotonic() - self._flushed >= self._flush_seconds:
            self.flush()

    def _load_parts(self, names: Sequence[str]) -> set[int]:
        there: set[int] = set()
        for name in names:
            data = self.place.read(f"{PARTS}/{name}")
            lines = _whole_lines(data, len(self.plan))
            lines = {number: line for number, line in lines.items() if number not in self.done}
            if lines:
                if not data.endswith(b"\n"):  # or what comes next would be written behind half a line
                    self.place.write(f"{PARTS}/{name}", b"".join(lines.values()))
                self._lines |= lines
                self._part_of[f"{PARTS}/{name}"] = set(lines)
                there |= lines.keys()
            else:
                self.place.remove(f"{PARTS}/{name}")
        return there

    def _drop_parts(self, members: Sequence[int]) -> None:
        for number in members:
            self._lines.pop(number, None)
            self._waiting.pop(number, None)
        for name in [name for name, numbers in self._part_of.items() if not numbers.isdisjoint(members)]:
            self._part_of[name].difference_update(members)
            if not self._part_of[name]:
                self.place.remove(name)
                del self._part_of[name]

    def _forget(self, numbers: set[int]) -> None:
        """Rewrite the parts that hold records of these files without them."""
        for number in numbers:
            del self._lines[number]
        for name, held in list(self._part_of.items()):
            if not held.isdisjoint(numbers):
                held -= numbers
                if held:
                    self.place.write(name, b"".join(self._lines[number] for number in sorted(held)))
                else:
                    self.place.remove(name)
                    del self._part_of[name]

    def _may_do_better(self, number: int, line: bytes) -> bool:
        failed = Outcome(json.loads(line)["record"]["outcome"]).has_failed
        return failed and not self.plan.files[number].problem

    def _lines_of(self, shard: int) -> dict[int, bytes]:
        """Records and timings of a shard as `keep` had them, by number."""
        records = self.place.read(f"records-{shard:05d}.jsonl").splitlines()
        timings = self.place.read(f"{TIMINGS}/{shard:05d}.jsonl").splitlines()
        lines = {}
        for number, record, timing in zip(self._members[shard], records, timings, strict=True):
            plain = json.loads(record) | {"duplicate_of": None}
            told = {"number": number, "record": plain, "seconds": json.loads(timing)["seconds"]}
            lines[number] = json_line(told)
        return lines

    def _commit_again(self, shard: int, files: dict[str, Any]) -> bytes:
        """The commit file of a shard, from what the manifest says of its files, and its records."""
        records = [json.loads(line) for line in self.place.read(f"records-{shard:05d}.jsonl").splitlines()]
        timings = self.place.read(f"{TIMINGS}/{shard:05d}.jsonl").splitlines()
        return json_line({"shard": files} | sum_up(records, [json.loads(line) for line in timings]))

    def _known(self) -> Iterable[int]:
        return (number for number, file in enumerate(self.plan.files) if file.problem)

    def _stands(self, shard: int, commit: bytes) -> bool:
        """Done means done: otherwise its files are done again."""
        if self._sizes is None:
            self._sizes = self.place.sizes()
        try:
            files = json.loads(commit)["shard"]
            return all(self._sizes.get(name) == facts["bytes"] for name, facts in files.items())
        except (ValueError, KeyError, TypeError):
            return False

    def _join(self, shard: int) -> bytes:
        records, timings = [], []
        first: dict[str, str] = {}
        for number in self._members[shard]:
            record, seconds = self._done(number)
            if record["sha256"] and record["size_bytes"]:
                judged = first.setdefault(record["sha256"], record["duplicate_of"] or record["name"])
                record["duplicate_of"] = None if judged == record["name"] else judged
            records.append(record)
            timings.append({"name": record["name"], "seconds": seconds})
        place, stem = self.place, f"records-{shard:05d}"
        place.make_folder(TIMINGS)
        place.write(f"{TIMINGS}/{shard:05d}.jsonl", b"".join(map(json_line, timings)), sync=True)
        files = {}
        for name, data in (
            (f"{stem}.parquet", records_table(records)),
            (f"{stem}.jsonl", b"".join(map(json_line, records))),
        ):
            place.write(name, data, sync=True)
            files[name] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        return json_line({"shard": files} | sum_up(records, timings))

    def _done(self, number: int) -> tuple[dict[str, Any], dict[str, float]]:
        if number in self._lines:
            told = json.loads(self._lines[number])
            return told["record"], told["seconds"]
        file = self.plan.files[number]
        sha256 = _NO_BYTES if file.problem == EMPTY else None
        reason = because("unreadable", text=file.problem)
        return self.failed(number, reason, ours=False, sha256=sha256).record, {}

    def _conclude(self) -> None:
        shards = []
        total = sum_up([], [])
        for shard in range(len(self._members)):
            commit = json.loads(self.place.read(self._commit(shard)))
            shards.append(commit["shard"])
            total = join_sums(total, commit)
        self._write(SUMMARY_NAME, summarise(total))
        self._write(f"{TIMINGS}/{SUMMARY_NAME}", summarise_timings(total))
        told = {"schema": RECORD_SCHEMA, "unmask": __version__, "model": self._header.told["model"]}
        told |= {"settings_sha256": self._settings, "plan_sha256": self.plan.digest, "files": len(self.plan)}
        self._write(MANIFEST_NAME, told | {"shards": shards})

    def _write(self, name: str, plain: dict[str, Any]) -> None:
        self.place.write(name, json.dumps(plain, indent=1).encode() + b"\n", sync=True)


def scan_header(sources: Sequence[str], told: dict[str, Any]) -> Header:
    """What an output is of: another one is refused.

    Args:
        sources: As they were given.
        told: ``settings_sha256``, ``model``, ``files_per_shard`` and what else is to be known.
    """
    decides = json.dumps([list(sources), told["settings_sha256"], told["files_per_shard"]])
    digest = hashlib.sha256(decides.encode("utf-8", "surrogatepass")).hexdigest()
    told = {"sources": list(sources)} | told
    return Header(HEADER_NAME, "unmask scan", "a scan of other files", digest, told)


def _whole_lines(data: bytes, files: int) -> dict[int, bytes]:
    """Records of a part by number; after a power cut a renamed file may still be cut short."""
    lines = {}
    for line in data.splitlines(keepends=True):
        try:
            told = json.loads(line)
            number = told["number"]
            whole = line.endswith(b"\n") and told["record"]["name"] and told["seconds"] is not None
        except (ValueError, KeyError, TypeError):
            continue
        if whole and isinstance(number, int) and 0 <= number < files:
            lines[number] = line
    return lines
