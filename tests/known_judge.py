"""A judge that knows files by their bytes and has a record of each; child processes import it from here."""

from __future__ import annotations

import json
from pathlib import Path

from unmask.archive.judging import Hashed, Judged
from unmask.files import fingerprint


def load_known(folder, settings, digest, **_):
    """In place of `unmask.archive.judging.load_judge`, without networks.

    Args:
        folder: What an undisturbed scan of the same files left.
    """
    lines = [line for file in Path(folder).glob("records-*.jsonl") for line in file.read_text().splitlines()]
    known = {record["sha256"]: record for record in map(json.loads, lines)}

    def do(task, tell):
        sha256 = fingerprint(task.file.path)
        if task.hash_only:
            return Hashed(sha256)
        record = known[sha256] | {"name": task.name, "duplicate_of": None}
        return Judged(record, {"total": 0.0, "fetch": 0.0, "cpu": 0.0})

    return do
