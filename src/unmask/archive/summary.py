"""What is known of all files of a scan, joined from what is known of each shard."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from unmask.verdicts import Outcome

MOST_SUSPICIOUS, MOST_SLOW, MOST_KINDS = 100, 20, 50
_FAILED = {outcome.value for outcome in Outcome if outcome.has_failed}


def sum_up(records: Sequence[dict[str, Any]], timings: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What of a shard is needed to sum up all of them.

    Args:
        records: Of its files.
        timings: ``name`` and ``seconds`` of each, which are empty where nothing was done.
    """
    judged = [record for record in records if record["log_odds"] is not None and not record["duplicate_of"]]
    keys = ("name", "outcome", "p_fake", "log_odds", "sha256", "segments")
    suspicious = heapq.nsmallest(MOST_SUSPICIOUS, judged, key=_by_suspicion)
    spent = [(time["seconds"].get("total", 0.0), time["name"]) for time in timings if time["seconds"]]
    return {
        "files": len(records),
        "bytes": sum(record["size_bytes"] for record in records),
        "duplicates": sum(record["duplicate_of"] is not None for record in records),
        "outcomes": Counter(record["outcome"] for record in records),
        "failures": Counter(_kind(record) for record in records if record["outcome"] in _FAILED),
        "suspicious": [{key: record[key] for key in keys} for record in suspicious],
        "slowest": heapq.nlargest(MOST_SLOW, spent),
        "judged": len(spent),
        "seconds": sum(seconds for seconds, _ in spent),
        "cpu_seconds": sum(time["seconds"].get("cpu", 0.0) for time in timings),
    }


def summarise(shards: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Counts by outcome, failures by kind and the most suspicious files, duplicates left out.

    Args:
        shards: From `sum_up`, in order.
    """
    shards = list(shards)
    outcomes: Counter[str] = Counter()
    failures: Counter[str] = Counter()
    for shard in shards:
        outcomes.update(shard["outcomes"])
        failures.update(shard["failures"])
    found = heapq.nsmallest(
        MOST_SUSPICIOUS, (one for shard in shards for one in shard["suspicious"]), key=_by_suspicion
    )
    kinds = sorted(failures.items(), key=lambda item: (-item[1], item[0]))
    return {
        "files": sum(shard["files"] for shard in shards),
        "bytes": sum(shard["bytes"] for shard in shards),
        "duplicates": sum(shard["duplicates"] for shard in shards),
        "outcomes": {outcome.value: outcomes[outcome.value] for outcome in Outcome},
        "failures": dict(kinds[:MOST_KINDS]),
        "other_failures": sum(count for _, count in kinds[MOST_KINDS:]),
        "suspicious": found,
    }


def summarise_timings(shards: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """What all files took, and the slowest of them."""
    shards = list(shards)
    slowest = heapq.nlargest(MOST_SLOW, (tuple(one) for shard in shards for one in shard["slowest"]))
    return {
        "judged": sum(shard["judged"] for shard in shards),
        "seconds": round(sum(shard["seconds"] for shard in shards), 3),
        "cpu_seconds": round(sum(shard["cpu_seconds"] for shard in shards), 3),
        "slowest": [{"name": name, "seconds": seconds} for seconds, name in slowest],
    }


def _by_suspicion(record: dict[str, Any]) -> tuple[float, str]:
    return -record["log_odds"], record["name"]


def _kind(record: dict[str, Any]) -> str:
    """The sentence on a failure without what differs from file to file."""
    return str(record["reason" if record["reason_code"] == "unreadable" else "reason_code"])
