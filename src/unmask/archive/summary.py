"""What is known of all files of a scan, joined from what is known of each shard."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Sequence
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


def join_sums(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """What is needed of the files of both, each from `sum_up`."""
    total = {key: one[key] + other[key] for key in ("files", "bytes", "duplicates", "judged")}
    total |= {key: one[key] + other[key] for key in ("seconds", "cpu_seconds")}
    total |= {key: Counter(one[key]) + Counter(other[key]) for key in ("outcomes", "failures")}
    suspicious = [*one["suspicious"], *other["suspicious"]]
    slowest = [(seconds, name) for seconds, name in (*one["slowest"], *other["slowest"])]
    return total | {
        "suspicious": heapq.nsmallest(MOST_SUSPICIOUS, suspicious, key=_by_suspicion),
        "slowest": heapq.nlargest(MOST_SLOW, slowest),
    }


def summarise(total: dict[str, Any]) -> dict[str, Any]:
    """Counts by outcome, failures by kind and the most suspicious files, duplicates left out.

    Args:
        total: Of all shards, from `join_sums`.
    """
    kinds = sorted(total["failures"].items(), key=lambda item: (-item[1], item[0]))
    return {
        "files": total["files"],
        "bytes": total["bytes"],
        "duplicates": total["duplicates"],
        "outcomes": {outcome.value: total["outcomes"].get(outcome.value, 0) for outcome in Outcome},
        "failures": dict(kinds[:MOST_KINDS]),
        "other_failures": sum(count for _, count in kinds[MOST_KINDS:]),
        "suspicious": total["suspicious"],
    }


def summarise_timings(total: dict[str, Any]) -> dict[str, Any]:
    """What all files took, and the slowest of them."""
    return {
        "judged": total["judged"],
        "seconds": round(total["seconds"], 3),
        "cpu_seconds": round(total["cpu_seconds"], 3),
        "slowest": [{"name": name, "seconds": seconds} for seconds, name in total["slowest"]],
    }


def _by_suspicion(record: dict[str, Any]) -> tuple[float, str]:
    return -record["log_odds"], record["name"]


def _kind(record: dict[str, Any]) -> str:
    """The sentence on a failure without what differs from file to file."""
    return str(record["reason" if record["reason_code"] == "unreadable" else "reason_code"])
