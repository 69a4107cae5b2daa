"""A judge to whom each file says what to try; child processes import it from here."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from limited_worker import attempt
from unmask.archive.judging import Hashed, Judged
from unmask.archive.record import record_of
from unmask.config import LimitSettings
from unmask.judge.verdict import unreadable
from unmask.reasons import because
from unmask.verdicts import ModelName
from unmask.work.sandbox import why_no_sandbox

MODEL = ModelName("tiny", "0" * 64)
SANDBOX = "auto" if why_no_sandbox() else "require"
LIMITS = LimitSettings(memory_mb=512, cpu_seconds=1, sandbox=SANDBOX)


def write_tries(folder: Path, secret: Path, address: str) -> dict[str, list[str]]:
    """Files that each meet a limit, or none, and what becomes of each."""
    secret.write_text("as it was")
    tries = {
        "burns.mp4": "burn 60",
        "hoards.mp4": "hoard 1024",
        "runs.mp4": "run true",
        "sends.mp4": f"connect {address}",
        "sound.mp4": "burn 0.01",
        "writes.mp4": f"write {secret}",
    }
    folder.mkdir()
    for name, words in tries.items():
        (folder / name).write_text(words)
    refused = ("runs.mp4", "sends.mp4", "writes.mp4") if SANDBOX == "require" else ()
    return {name: ["no_face", "PermissionError"] for name in refused} | {
        "burns.mp4": ["unreadable", "given up: its worker used more than 1 seconds of processor time"],
        "hoards.mp4": ["error", str(because("too_much_memory", megabytes=512))],
        "sound.mp4": ["no_face", "burnt"],
    }


def outcomes(out: Path) -> dict[str, list[str]]:
    """Outcome and reason of each record by the file's own name; without a sandbox less what it refuses."""
    lines = [line for file in out.glob("records-*.jsonl") for line in file.read_text().splitlines()]
    found = {
        one["name"].rpartition("/")[2]: [one["outcome"], one["reason"]] for one in map(json.loads, lines)
    }
    if SANDBOX != "require":
        for name in ("runs.mp4", "sends.mp4", "writes.mp4"):
            found.pop(name, None)
    return found


def load_trying_judge():
    return judge


def load_as_judge(settings, digest, **_):
    """In place of `unmask.archive.judging.load_judge`."""
    return judge


def load_ending():
    def end(task, tell):
        os._exit(3)

    return end


def judge(task, tell):
    """The record says what came of it."""
    data = Path(task.file.path).read_bytes()
    sha256 = hashlib.sha256(data).hexdigest()
    if task.hash_only:
        return Hashed(sha256)
    tell.note(sha256)
    what, _, target = data.decode().partition(" ")
    came = attempt((what, target), tell)
    verdict = unreadable(task.name, because("unreadable", text=str(came)), MODEL, sha256=sha256)
    record = record_of(verdict, task.name, size_bytes=len(data), settings="0" * 64).to_dict()
    return Judged(record | {"outcome": "no_face"}, {"total": 0.0, "fetch": 0.0, "cpu": 0.0})
